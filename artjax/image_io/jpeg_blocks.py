"""Unchanged blocks of JPEG results, kept as they are in the source.

A JPEG file stores the coefficients of blocks of 8 x 8 px, 16 x 16 px where
colour is subsampled. Where no pixel of a block has changed, the coefficients of
the source are copied, so that its pixels keep every bit. Needs the package
jpeglib: the extra `formats`.
"""

import contextlib
import importlib.util
import io
import os
import shutil
import tempfile

import numpy as np
import pyvips

from artjax.image_io import vips

_BLOCK = 8  # px
_ROWS = 512  # px compared at a time
_COMPONENTS = ('Y', 'Cb', 'Cr')


def available() -> bool:
  """Whether blocks can be kept here."""
  return importlib.util.find_spec('jpeglib') is not None


def keep(
  path: str, source: str, image: pyvips.Image, native: pyvips.Image
) -> float | None:
  """Copies the coefficients of unchanged blocks into a written result.

  Args:
    path: of the result, coded with the tables and subsampling of the source.
    source: path of the source, upright and of the same size.
    image: the pixels that were written.
    native: those of the source.

  Returns:
    The share of blocks that are kept; None if the files cannot be read so, and
    the result is left as it was.

  Raises:
    OSError: the result cannot be written.
  """
  import jpeglib  # an extra

  with tempfile.TemporaryDirectory(prefix='artjax_') as folder:
    # It takes no names that are not Unicode, and writes no file atomically.
    before, after, kept = (os.path.join(folder, name) for name in 'abc')
    shutil.copyfile(source, before)
    shutil.copyfile(path, after)
    try:
      with contextlib.redirect_stdout(io.StringIO()):  # where it fails
        old, new = jpeglib.read_dct(before), jpeglib.read_dct(after)
        if not _are_alike(old, new):
          return None
        factors = np.max(new.samp_factor, 0)
        same = _unchanged(image, native, *(_BLOCK * factors))
        for name, own in zip(_COMPONENTS, new.samp_factor):
          coefficients = getattr(new, name)
          rows, columns = coefficients.shape[:2]
          where = same.repeat(own[0], 0).repeat(own[1], 1)[:rows, :columns]
          coefficients[where] = getattr(old, name)[where]
        new.write_dct(kept)
    except OSError:
      return None
    shutil.copyfile(kept, path)
  return float(same.mean())


def _are_alike(old, new):
  """Whether blocks of one file mean the same in the other."""
  names = _COMPONENTS[: len(new.samp_factor)]
  return (
    np.array_equal(old.samp_factor, new.samp_factor)
    and all(
      getattr(old, name).shape == getattr(new, name).shape for name in names
    )
    and all(
      np.array_equal(old.get_component_qt(i), new.get_component_qt(i))
      for i in range(len(names))
    )
  )


def _unchanged(image, native, height, width):
  """bool [rows, columns]: blocks of height x width px without a change."""
  rows, columns = -(-image.height // height), -(-image.width // width)
  same = np.empty((rows, columns), bool)
  strip = max(1, _ROWS // height)
  for row in range(0, rows, strip):
    top = row * height
    where = top, 0, min(strip * height, image.height - top), image.width
    differs = (vips.fetch(image, *where) != vips.fetch(native, *where)).any(-1)
    below = -(-where[2] // height)
    padded = np.zeros((below * height, columns * width), bool)
    padded[: where[2], : image.width] = differs
    blocks = padded.reshape(below, height, columns, width)
    same[row : row + below] = ~blocks.any((1, 3))
  return same
