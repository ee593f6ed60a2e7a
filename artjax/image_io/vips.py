"""The interface to libvips: its errors, and arrays as its images."""

from collections.abc import Iterator
import contextlib
import errno
import os
import re
import tempfile
from typing import Any

import numpy as np
import pyvips

from artjax.image_io import formats

BadPicture = formats.BadPicture
# What libraries say of files that are whole but of a kind they were not built
# for.
_UNSUPPORTED = ('not been built in', 'not configured', 'nsupported')
_FULL = (errno.ENOSPC, errno.EDQUOT)
_FULL_TEXTS = tuple(map(os.strerror, _FULL))


class DiskFull(BadPicture):
  """There is no room for a result; the message names the folder."""


def is_full(error: BaseException) -> bool:
  """Whether an error says that a disk is full."""
  return isinstance(error, DiskFull) or getattr(error, 'errno', 0) in _FULL


def file_name(path: str | os.PathLike) -> bytes:
  """A path for libvips: pyvips fails if a str is not valid Unicode."""
  return os.fsencode(path)


def is_unicode(path: str | os.PathLike) -> bool:
  """Whether a path can be quoted by pyvips."""
  try:
    os.fsencode(path).decode()
  except UnicodeDecodeError:
    return False
  return True


def has_loader(kind: str) -> bool:
  """Whether this build of libvips reads a format."""
  return bool(pyvips.type_find('VipsOperation', formats.LOADERS[kind]))


def forget_files() -> None:
  """Makes libvips forget a picture once it is closed, in the whole process.

  libvips would keep what it has made of the last hundred files, for a program
  that opens them again.
  """
  pyvips.cache_set_max(0)


def forget_errors() -> None:
  """Drops what was said of an error that has no reader any more."""
  pyvips.vips_lib.vips_error_clear()


@contextlib.contextmanager
def blame(path: str | os.PathLike) -> Iterator[None]:
  """Turns errors of libvips or the system into one line about `path`.

  Raises:
    BadPicture: for every pyvips.Error and OSError of the block.
  """
  try:
    yield
  except pyvips.Error as error:
    if _system_error(error) in _FULL_TEXTS:
      raise temporary_files_are_full(path) from error
    reason = first_line(error)
    if any(hint in reason for hint in _UNSUPPORTED):
      raise BadPicture(f'{path}: not supported here ({reason})') from error
    raise BadPicture(f'{path}: damaged or not readable ({reason})') from error
  except UnicodeDecodeError as error:  # libvips quotes a name, or the file
    pyvips.vips_lib.vips_error_clear()
    reason = ' '.join(bytes(error.object).decode(errors='replace').split())
    raise BadPicture(
      f'{path}: damaged or not readable ({reason[:200]})'
    ) from error
  except OSError as error:
    if error.errno in _FULL:
      raise temporary_files_are_full(path) from error
    raise BadPicture(f'{path}: {error.strerror or error}') from error


@contextlib.contextmanager
def blame_writing(path: str | os.PathLike) -> Iterator[None]:
  """As `blame`, for code that writes the file `path`.

  Raises:
    DiskFull: the disk is full.
    BadPicture: for every other pyvips.Error and OSError of the block.
  """
  try:
    yield
  except (pyvips.Error, OSError, UnicodeDecodeError) as error:
    if isinstance(error, OSError):
      reason = error.strerror or str(error)
    elif isinstance(error, UnicodeDecodeError):  # it quotes a name
      pyvips.vips_lib.vips_error_clear()
      text = error.object.decode(errors='replace')
      reason = _system_said(text) or 'for an unknown reason'
    else:
      reason = _system_error(error) or first_line(error)
    if reason in _FULL_TEXTS:
      raise DiskFull(f'{path}: cannot be written: the disk is full') from error
    raise BadPicture(f'{path}: cannot be written: {reason}') from error


def temporary_files_are_full(path: str | os.PathLike) -> BadPicture:
  """The error for a picture without room for its temporary files."""
  return BadPicture(
    f'{path}: the folder of temporary files, {tempfile.gettempdir()}, is full; '
    'set TMPDIR to one with more room'
  )


def first_line(error: pyvips.Error) -> str:
  """The first line of what libvips says of an error."""
  lines = [line.strip() for line in (error.detail or str(error)).splitlines()]
  return next((line for line in lines if line), 'for an unknown reason')


def _system_error(error):
  """The system's message in an error of libvips; '' if there is none."""
  return _system_said(error.detail or str(error))


def _system_said(text):
  found = re.findall('system error: (.*)', text)
  return next((text for text in found if 'Unknown error' not in text), '')


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
