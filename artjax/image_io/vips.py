"""The border to libvips: its errors, and arrays as its images."""

import contextlib

import numpy as np
import pyvips


class BadPicture(ValueError):
  """A file that cannot be used; the message names it and says why."""


@contextlib.contextmanager
def blame(path):
  """Turns what libvips says into one line about `path`."""
  try:
    yield
  except pyvips.Error as error:
    lines = [line.strip() for line in (error.detail or str(error)).splitlines()]
    reason = next((line for line in lines if line), 'cannot be read')
    raise BadPicture(f'{path}: damaged or not readable ({reason})') from error
  except OSError as error:
    raise BadPicture(f'{path}: {error.strerror or error}') from error


def image(array):
  """u8 or u16 [h, w, bands] -> vips image."""
  height, width, bands = array.shape
  return pyvips.Image.new_from_memory(
    np.ascontiguousarray(array).data,
    width,
    height,
    bands,
    'uchar' if array.dtype == np.uint8 else 'ushort',
  )
