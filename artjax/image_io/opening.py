"""Decides which picture of a file is opened, and what its channels mean.

A file may hold several: pages, reduced copies, frames, raw camera data. The
first page of full size is opened, or the one that is asked for; the user is
told what was ignored. For TIFF files see tiff_opening.py.
"""

import pyvips

from artjax.image_io import formats
from artjax.image_io import other_libraries
from artjax.image_io import tiff_opening
from artjax.image_io import vips
from artjax.image_io.containers import avif
from artjax.image_io.containers import jpeg
from artjax.image_io.containers import png
from artjax.image_io.containers import tiff
from artjax.image_io.tiff_opening import Opened

_END = b'\xff\xd9'  # of a JPEG file
_ORIENTATION = 'orientation'  # field of libvips


def open_image(
  path: str, kind: str, max_pixels: int, page: int | None = None
) -> Opened:
  """Opens the picture of a file by its header.

  Args:
    path: of the file.
    kind: its format.
    max_pixels: more than these are not decoded.
    page: which of its `pages`, from 0; None = the first, and a notice if there
      are more.

  Raises:
    vips.BadPicture: it contains no picture that can be read here.
    pyvips.Error: libvips cannot read it.
  """
  if kind == 'TIFF':
    return tiff_opening.open_tiff(path, max_pixels, page)
  if kind == 'JPEG':
    return _open_jpeg(path)
  if kind == 'PNG':
    return _open_png(path)
  if kind == 'BMP':
    return Opened(other_libraries.bmp(path, max_pixels), [])
  if not vips.has_loader(kind):
    raise vips.BadPicture(
      f'{path}: {kind} is not supported by this build of libvips; convert it '
      'to PNG or TIFF'
    )
  if kind == 'HEIF' and avif.is_hevc(path):
    return _open_heic(path, max_pixels, page)
  image = _load(path, kind, **({} if page is None else {'page': page}))
  frames = vips.field(image, 'n-pages', 1)
  notices = said_of_pages(frames, 'frames') if page is None else []
  if kind == 'HEIF' and avif.frames(path) > 1:  # libvips reads the first
    notices = [f'only the first of {avif.frames(path)} frames']
  return Opened(image, notices)


def pages(path: str, kind: str) -> int:
  """Number of pages, or frames, that `open_image` can open; at least 1.

  Raises:
    OSError: the file cannot be read.
  """
  if kind == 'TIFF':
    return tiff_opening.pages(path)
  try:
    if kind == 'HEIF' and avif.is_hevc(path):
      return other_libraries.heic_pages(path)
    if kind in ('WebP', 'HEIF', 'GIF'):
      return vips.field(_load(path, kind), 'n-pages', 1)
  except (pyvips.Error, vips.BadPicture):
    pass  # which is said once it is opened
  return 1


def said_of_pages(count: int, what: str) -> list[str]:
  """The notice that only the first of some pages is opened, if any are left."""
  if count < 2:
    return []
  return [f'only the first of {count} {what} (--pages=all restores each)']


def _open_heic(path, max_pixels, page):
  """Opens a file with HEVC: by libvips if it can, else by pillow-heif."""
  try:
    image = _load(path, 'HEIF', page=page or 0)
    image.crop(0, 0, 1, 1).avg()  # it cannot tell before it decodes
    count = vips.field(image, 'n-pages', 1)
  except pyvips.Error:
    image, count = other_libraries.heic(path, page or 0, max_pixels)
  return Opened(image, said_of_pages(count, 'frames') if page is None else [])


def _load(path, kind, **options):
  loader = formats.LOADERS[kind]
  # libvips remembers files by their names: this one may have changed.
  options = {'fail_on': 'error', **options, 'revalidate': True}
  where = vips.file_name(path)
  if kind == 'HEIF' and not vips.is_unicode(path):
    # libheif leaves complaints that quote the name, where nothing is wrong.
    with open(path, 'rb') as file:
      loader, where = f'{loader}_buffer', file.read()
  return getattr(pyvips.Image, loader)(where, **options)


def _open_jpeg(path):
  try:
    has_end = jpeg.end(path) is not None
  except ValueError:
    has_end = True
  if not has_end:
    return _open_endless_jpeg(path)
  image = _load(path, 'JPEG')
  try:
    _load(path, 'JPEG', fail_on='warning', access='sequential').avg()
  except pyvips.Error as error:
    reason = vips.first_line(error).removeprefix('VipsJpeg: ')
    if 'premature end' in reason:
      raise vips.BadPicture(
        f'{path}: damaged: a part of its pixels is missing'
      ) from error
    notice = f'damaged: a part of it may be wrong ({reason})'
    return Opened(image, [notice], is_damaged=True)
  return Opened(image, [])


def _open_endless_jpeg(path):
  """Opens a file without its end mark, if it has all rows."""
  with open(path, 'rb') as file:
    data = file.read().rstrip(b'\xff')
  # What follows the last row is passed over; where rows are missing it would be
  # taken for them.
  images = [
    pyvips.Image.jpegload_buffer(data + more + _END, fail_on='error')
    for more in (b'', bytes(64), b'\xa5' * 64)
  ]
  image = images[0]
  if any((image - other).abs().max() for other in images[1:]):
    raise vips.BadPicture(f'{path}: damaged: its last rows are missing')
  return Opened(image, ['its end mark is missing; all rows are there'])


def _open_png(path):
  image = _load(path, 'PNG')
  try:
    chunks = {chunk.type: chunk.data for chunk in png.read(path)}
  except ValueError:
    return Opened(image, [])
  # libvips does not read EXIF that follows the pixels.
  turned = tiff.orientation(chunks.get(b'eXIf', b'').removeprefix(b'Exif\0\0'))
  if turned != vips.field(image, _ORIENTATION, 1):
    image = image.copy()
    image.set_type(pyvips.GValue.gint_type, _ORIENTATION, turned)
  frames = int.from_bytes(chunks.get(b'acTL', b'')[:4], 'big')
  said = f'only the first of {frames} frames'
  return Opened(image, [said] if frames > 1 else [])
