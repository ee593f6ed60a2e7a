"""Pictures that libvips cannot decode here, by other libraries.

They decode a whole picture to memory. All but Pillow are part of the extra
`formats`.
"""

import importlib.util
from typing import Any

import numpy as np
import pyvips

from artjax.image_io import vips
from artjax.image_io.containers import tiff

_EXTRA = "pip install 'artjax[formats]'"
COMPRESSIONS = {  # of TIFF that libvips may lack
  34712: 'JPEG 2000',
  34925: 'LZMA',
  34926: 'Zstandard',
  50000: 'Zstandard',
  50001: 'WebP',
  50002: 'JPEG XL',
  52546: 'JPEG XL',
}
# Channels and interpretation of 8 and 16 bits, by photometric of TIFF.
_SPACES = {
  0: (1, 'b-w', 'grey16'),
  1: (1, 'b-w', 'grey16'),
  2: (3, 'srgb', 'rgb16'),
  5: (4, 'cmyk', 'cmyk'),
}
_PROFILE, _COMPRESSION, _PHOTOMETRIC, _EXTRAS = 34675, 259, 262, 338
_ASSOCIATED = 1


def has(package: str) -> bool:
  """Whether a package is installed."""
  return importlib.util.find_spec(package) is not None


def abilities() -> list[tuple[str, str, str]]:
  """(format, what reads it here, format of results) of all known formats."""
  missing = f'not here: {_EXTRA}'
  rows = [(kind, 'libvips', kind) for kind in ('JPEG', 'PNG', 'TIFF', 'WebP')]
  codecs = has('tifffile') and has('imagecodecs')
  how = 'libvips or imagecodecs' if codecs else f'libvips, or {missing}'
  packed = 'TIFF with Zstandard, LZMA, JPEG 2000, JPEG XL'
  rows += [(packed, how, 'TIFF'), ('AVIF', 'libvips', 'AVIF')]
  heif = (
    'libvips or pillow-heif'
    if has('pillow_heif')
    else (f'libvips, if it has HEVC; else {missing}')
  )
  rows += [('HEIC', heif, 'AVIF'), ('BMP', 'Pillow', 'PNG')]
  for kind in ('GIF', 'JPEG 2000', 'JPEG XL'):
    how = 'libvips' if vips.has_loader(kind) else 'not by this build of libvips'
    rows.append((kind, how, 'PNG'))
  return rows


def bmp(path: str, max_pixels: int) -> pyvips.Image:
  """The picture of a BMP file.

  Raises:
    vips.BadPicture: it is damaged or too large.
  """
  from PIL import Image

  try:
    with Image.open(path, formats=['BMP']) as image:
      _check_size(path, image.width, image.height, max_pixels)
      mode = {'1': 'L', 'L': 'L', 'RGBA': 'RGBA'}.get(image.mode, 'RGB')
      values = np.asarray(image.convert(mode))
  except (OSError, ValueError, SyntaxError, Image.DecompressionBombError) as e:
    if isinstance(e, vips.BadPicture):
      raise
    raise vips.BadPicture(f'{path}: damaged or not readable ({e})') from e
  return _image(values, 1 if mode == 'L' else 2)


def heic(path: str, page: int, max_pixels: int) -> tuple[pyvips.Image, int]:
  """A picture of a HEIC file, upright, and the number of its pictures.

  Raises:
    vips.BadPicture: it is damaged or too large, or pillow-heif is missing.
  """
  file = _heic_file(path)
  try:
    one = file[page]
    width, height = one.size
    _check_size(path, width, height, max_pixels)
    if one.mode.endswith(';16') or one.info.get('bit_depth', 8) > 8:
      one.convert_to('RGBA;16' if 'A' in one.mode else 'RGB;16')
    image = _image(np.asarray(one), 1 if one.mode in ('L', 'I;16') else 2)
  except (OSError, ValueError, IndexError) as error:
    if isinstance(error, vips.BadPicture):
      raise
    raise vips.BadPicture(
      f'{path}: damaged or not readable ({error})'
    ) from error
  for field, key in (
    ('icc-profile-data', 'icc_profile'),
    ('exif-data', 'exif'),
    ('xmp-data', 'xmp'),
  ):
    if one.info.get(key):
      image.set_type(pyvips.GValue.blob_type, field, bytes(one.info[key]))
  # It was turned as the file says; EXIF may say it once more.
  image.set_type(pyvips.GValue.gint_type, 'orientation', 1)
  return image, len(file)


def heic_pages(path: str) -> int:
  """The number of pictures of a HEIC file.

  Raises:
    vips.BadPicture: it is damaged, or pillow-heif is missing.
  """
  return len(_heic_file(path))


def _heic_file(path):
  if not has('pillow_heif'):
    raise vips.BadPicture(f'{path}: HEIC is not supported here: {_EXTRA}')
  import pillow_heif

  try:
    with open(path, 'rb') as file:  # it takes no names that are not Unicode
      return pillow_heif.open_heif(file.read(), convert_hdr_to_8bit=False)
  except (ValueError, EOFError, SyntaxError) as error:
    raise vips.BadPicture(
      f'{path}: damaged or not readable ({error})'
    ) from error


def tiff_page(
  path: str,
  page: tiff.Directory,
  number: int,
  subpage: int | None,
  max_pixels: int,
) -> pyvips.Image:
  """A page of a TIFF file.

  Args:
    path: of the file.
    page: its directory.
    number: of its directory, or of the one that points to it.
    subpage: number of its directory among those; None = it is not below.
    max_pixels: more than these are not decoded.

  Raises:
    vips.BadPicture: it is damaged or too large, of a kind that is not
      supported, or imagecodecs is missing.
  """
  kind = page.number(_COMPRESSION)
  name = COMPRESSIONS.get(kind, f'number {kind}')
  refused = vips.BadPicture(
    f'{path}: {name} compression is not supported here: {_EXTRA}, or save it '
    'as TIFF with LZW or Deflate'
  )
  if not (has('tifffile') and has('imagecodecs')):
    raise refused
  import tifffile

  photometric = page.number(_PHOTOMETRIC)
  if photometric not in _SPACES or _ASSOCIATED in page.numbers(_EXTRAS):
    raise vips.BadPicture(
      f'{path}: {name} compression of such a picture is not supported; save it '
      'as TIFF with LZW or Deflate'
    )
  _check_size(path, page.number(256), page.number(257), max_pixels)
  try:
    with tifffile.TiffFile(path) as file:
      found: Any = file.pages[number]
      if subpage is not None:
        found = found.pages[subpage]
      values = found.asarray()
  except Exception as error:  # of whatever decoder
    if 'requires' in str(error) or 'not supported' in str(error):
      raise refused from error
    reason = ' '.join(str(error).split())
    raise vips.BadPicture(
      f'{path}: damaged or not readable ({reason})'
    ) from error
  if values.dtype not in (np.uint8, np.uint16):
    raise vips.BadPicture(
      f'{path}: {values.dtype} values are not supported; convert it to 8 or 16 '
      'bits a channel'
    )
  if values.ndim == 3 and page.number(284, 1) == 2:  # planes
    values = np.moveaxis(values, 0, -1)
  if photometric == 0:
    values = np.iinfo(values.dtype).max - values
  image = _image(values, photometric)
  profile = page.tags.get(_PROFILE)
  if profile:
    image.set_type(pyvips.GValue.blob_type, 'icc-profile-data', profile.data)
  turned = page.number(tiff.ORIENTATION, 1)
  if 2 <= turned <= 8:
    image.set_type(pyvips.GValue.gint_type, 'orientation', turned)
  return image


def _check_size(path, width, height, max_pixels):
  if width * height > max_pixels:
    raise vips.BadPicture(
      f'{path}: {width} x {height} px are more than the limit of '
      f'{max_pixels} px'
    )


def _image(values, photometric):
  """u8 or u16 [H, W] or [H, W, C] -> an image."""
  if values.ndim == 2:
    values = values[..., None]
  values = values.astype(values.dtype.newbyteorder('='), copy=False)
  space = _SPACES[photometric][1 + (values.dtype == np.uint16)]
  return vips.image(values).copy(interpretation=space)
