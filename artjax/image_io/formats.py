"""Formats of picture files: how each is recognized, read and written.

The first bytes of a file determine its format, never its name. Only the readers
and writers named here are ever called.
"""

import os
from typing import Any, NamedTuple

from artjax.image_io.containers import avif
from artjax.image_io.containers import webp

HEAD = 32  # bytes by which a format is told
# Names of files that are taken for pictures in a folder.
SUFFIXES = (
  '.jpg',
  '.jpeg',
  '.jpe',
  '.jfif',
  '.mpo',
  '.png',
  '.tif',
  '.tiff',
  '.webp',
  '.avif',
  '.heic',
  '.heif',
  '.gif',
  '.bmp',
  '.jp2',
  '.jxl',
)
# How libvips reads each format.
LOADERS = {
  'JPEG': 'jpegload',
  'PNG': 'pngload',
  'TIFF': 'tiffload',
  'WebP': 'webpload',
  'HEIF': 'heifload',
  'GIF': 'gifload',
  'JPEG 2000': 'jp2kload',
  'JPEG XL': 'jxlload',
}

# Ends of names that say a format; the first is what a result is given. libvips
# reads HEIC, but its free builds do not write it.
_ENDS = {
  'JPEG': ('.jpg', '.jpeg', '.jpe', '.jfif'),
  'PNG': ('.png',),
  'TIFF': ('.tif', '.tiff'),
  'WebP': ('.webp',),
  'HEIF': ('.avif',),
  'GIF': ('.png',),
  'BMP': ('.png',),
  'JPEG 2000': ('.png',),
  'JPEG XL': ('.png',),
}
_MOST = {'.jpg': 65500, '.webp': 16383, '.avif': 16384}  # px of a side

_HEIF_BRANDS = (
  *(b'avif', b'avis', b'mif1', b'msf1', b'heic', b'heix', b'heim', b'heis'),
  *(b'hevc', b'hevx'),
)
_SAME_SUFFIX = {end: ends[0] for ends in _ENDS.values() for end in ends}


NO_PICTURE = 'not a picture that is known here (see artjax formats)'


class BadPicture(ValueError):
  """A file that cannot be used; the message names it and the reason."""


class Saver(NamedTuple):
  """How libvips writes a format: method of an image, and its options."""

  method: str
  options: dict


# Lossless where the format can be, else with hardly any loss.
_SAVERS = {
  '.jpg': Saver(
    'jpegsave', {'Q': 95, 'subsample_mode': 'off', 'optimize_coding': True}
  ),
  '.png': Saver('pngsave', {'compression': 6}),
  '.tif': Saver(
    'tiffsave', {'compression': 'deflate', 'predictor': 'horizontal'}
  ),
  '.webp': Saver('webpsave', {'Q': 95, 'smart_subsample': True}),
  '.avif': Saver(
    'heifsave', {'Q': 90, 'subsample_mode': 'off', 'compression': 'av1'}
  ),
}


def file_format(head: bytes) -> str | None:
  """Format of a file by its first `HEAD` bytes.

  Returns:
    'JPEG', 'PNG', 'TIFF', 'WebP', 'HEIF' (which includes AVIF), 'GIF', 'BMP',
    'JPEG 2000', 'JPEG XL', or None.
  """
  if head[:3] == b'\xff\xd8\xff':
    return 'JPEG'
  if head[:8] == b'\x89PNG\r\n\x1a\n':
    return 'PNG'
  if head[:4] in (b'II*\0', b'MM\0*', b'II+\0', b'MM\0+'):
    return 'TIFF'
  if head[:4] == b'RIFF' and head[8:12] == b'WEBP':
    return 'WebP'
  if head[4:8] == b'ftyp' and head[8:12] in _HEIF_BRANDS:
    return 'HEIF'
  if head[:6] in (b'GIF87a', b'GIF89a'):
    return 'GIF'
  if head[:2] == b'BM' and head[6:10] == bytes(4):
    return 'BMP'
  if head[4:12] == b'jP  \r\n\x87\n' or head[:4] == b'\xff\x4f\xff\x51':
    return 'JPEG 2000'
  if head[4:12] == b'JXL \r\n\x87\n' or head[:2] == b'\xff\x0a':
    return 'JPEG XL'
  return None


def suffix_of(path: str) -> str:
  """The suffix that a name has by its format: '.jpg' also for A.JPEG."""
  suffix = os.path.splitext(path)[1].lower()
  return _SAME_SUFFIX.get(suffix, suffix)


def format_of(path: str) -> str | None:
  """`file_format` of a file.

  Raises:
    OSError: it cannot be read.
  """
  with open(path, 'rb', buffering=0) as file:
    return file_format(file.read(HEAD))


def suffix_for(kind: str | None, suffix: str) -> str:
  """The suffix of a result in the format of its source.

  Args:
    kind: format of the source; None = it is not a picture.
    suffix: of the name of the source.

  Returns:
    `suffix`, unless it means another format or one that cannot be written.
  """
  if kind is None or suffix.lower() in _ENDS[kind]:
    return suffix
  return _ENDS[kind][0]


def check_size(path: str, height: int, width: int) -> None:
  """Raises BadPicture if a picture of so many px cannot be written as `path`.

  Also if its suffix is not that of a format that can be written.
  """
  saver(path)
  most = _MOST.get(suffix_of(path), 0)
  if most and max(height, width) > most:
    raise BadPicture(
      f'{path}: the result would have {width} x {height} px, and files of this '
      f'format have at most {most} px a side; --name={{stem}}.tif holds it'
    )


def like(source: str, kind: str, suffix: str) -> dict[str, Any]:
  """Options of libvips that make a result like its source.

  Args:
    source: path of the source.
    kind: format of the source.
    suffix: of the result.

  Returns:
    Lossless WebP and AVIF stay lossless, AVIF of 10 bits keeps these.
  """
  if (kind, suffix) == ('WebP', '.webp') and webp.is_lossless(source):
    return {'lossless': True, 'exact': True}
  if (kind, suffix) == ('HEIF', '.avif'):
    return {'lossless': avif.is_lossless(source), 'bitdepth': avif.bits(source)}
  return {}


def is_lossy(source: str, kind: str, suffix: str) -> bool:
  """Whether a result with this suffix cannot store its pixels exactly.

  Args:
    source: path of the source.
    kind: format of the source.
    suffix: of the result.
  """
  lossy = ('.jpg', '.webp', '.avif')
  return suffix in lossy and not like(source, kind, suffix).get('lossless')


def saver(path: str) -> Saver:
  """How a file of this name is written.

  Raises:
    BadPicture: its suffix is not that of a format that can be written.
  """
  suffix = suffix_of(path)
  if suffix not in _SAVERS:
    raise BadPicture(
      f'{path}: pictures cannot be written as {suffix!r}; use '
      f'{", ".join(_SAVERS)}'
    )
  return _SAVERS[suffix]
