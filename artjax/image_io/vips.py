"""The border to libvips: its errors, and arrays as its images."""

from collections.abc import Iterator
import contextlib
import os
from typing import Any

import numpy as np
import pyvips

from artjax.image_io import formats

BadPicture = formats.BadPicture
# What libraries say of files that are whole but of a kind they were not built
# for.
_UNSUPPORTED = ('not been built in', 'not configured', 'nsupported')


@contextlib.contextmanager
def blame(path: str | os.PathLike) -> Iterator[None]:
  """Turns what libvips or the system says into one line about `path`.

  Raises:
    BadPicture: for every pyvips.Error and OSError of the block.
  """
  try:
    yield
  except pyvips.Error as error:
    lines = [line.strip() for line in (error.detail or str(error)).splitlines()]
    reason = next((line for line in lines if line), 'cannot be read')
    if any(hint in reason for hint in _UNSUPPORTED):
      raise BadPicture(f'{path}: not supported here ({reason})') from error
    raise BadPicture(f'{path}: damaged or not readable ({reason})') from error
  except UnicodeDecodeError as error:  # libvips quotes what is in the file
    pyvips.vips_lib.vips_error_clear()
    raise BadPicture(f'{path}: damaged or not readable') from error
  except OSError as error:
    raise BadPicture(f'{path}: {error.strerror or error}') from error


def image(array: np.ndarray) -> pyvips.Image:
  """u8 or u16 [h, w, bands] -> an image of libvips, which keeps the array."""
  height, width, bands = array.shape
  return pyvips.Image.new_from_memory(
    np.ascontiguousarray(array).data,
    width,
    height,
    bands,
    'uchar' if array.dtype == np.uint8 else 'ushort',
  )


def fetch(
  image: pyvips.Image, top: int, left: int, height: int, width: int
) -> np.ndarray:
  """[height, width, bands]: a part of an image, in its own type."""
  values = image.crop(left, top, width, height).numpy()
  return values.reshape(height, width, image.bands)


def field(image: pyvips.Image, name: str, default: Any) -> Any:
  """A field of an image's metadata, or the default where it has none."""
  return image.get(name) if name in image.get_fields() else default
