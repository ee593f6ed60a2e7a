"""Decides which picture of a file is opened, and what its channels mean.

A file may hold several: pages, reduced copies, frames, raw camera data. The
first page of full size is opened; the user is told what was ignored.
"""

from typing import NamedTuple

import pyvips

from artjax.image_io import formats
from artjax.image_io import vips
from artjax.image_io.containers import avif
from artjax.image_io.containers import jpeg
from artjax.image_io.containers import png
from artjax.image_io.containers import tiff

_REDUCED = 1  # bit of NewSubfileType
_OLD_REDUCED = 2  # of SubfileType
_RAW = (32803, 34892)  # a colour filter array, and linear raw
_LAB = (8, 9, 10)
_COLOURS = {0: 1, 1: 1, 2: 3, 3: 3, 5: 4, 6: 3}  # channels, by photometric
_ASSOCIATED, UNASSOCIATED = 1, 2  # alpha, of ExtraSamples
_COMPRESSIONS = {
  34712: 'JPEG 2000',
  34925: 'LZMA',
  34926: 'Zstandard',
  50000: 'Zstandard',
  50001: 'WebP',
  50002: 'JPEG XL',
  52546: 'JPEG XL',
}
_END = b'\xff\xd9'  # of a JPEG file
_ORIENTATION = 'orientation'  # field of libvips


class Opened(NamedTuple):
  """A picture of a file.

  Attributes:
    image: its pixels, as libvips reads them.
    notices: what is ignored, one line each.
    bands: channels of colour; 0 = as libvips says.
    extras: meaning of the other channels, in values of TIFF's ExtraSamples.
  """

  image: pyvips.Image
  notices: list[str]
  bands: int = 0
  extras: tuple[int, ...] = ()


def open_image(path: str, kind: str) -> Opened:
  """Opens the picture of a file by its header.

  Args:
    path: of the file.
    kind: its format.

  Raises:
    vips.BadPicture: it contains no picture that can be read here.
    pyvips.Error: libvips cannot read it.
  """
  if kind == 'TIFF':
    return _open_tiff(path)
  if kind == 'JPEG':
    return _open_jpeg(path)
  if kind == 'PNG':
    return _open_png(path)
  image = _load(path, kind)
  frames = vips.field(image, 'n-pages', 1)
  if kind == 'HEIF':
    frames = max(frames, avif.frames(path))
  return Opened(image, _said_of_frames(frames))


def is_alpha(extra: int) -> bool:
  """Whether a value of the tag ExtraSamples means transparency."""
  return extra in (_ASSOCIATED, UNASSOCIATED)


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


def _said_of_frames(frames):
  return [f'only the first of {frames} frames'] if frames > 1 else []


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
    return Opened(image, [f'damaged: a part of it may be wrong ({reason})'])
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
  return Opened(image, _said_of_frames(frames))


def _open_tiff(path):
  try:
    pages = tiff.pages(path)
    below = tiff.subpages(path, pages[0])
  except (ValueError, IndexError):
    return Opened(_load(path, 'TIFF'), [])
  for page in (*pages, *below):
    if page.number(262) in _RAW or page.number(259) == 32867:
      raise vips.BadPicture(
        f'{path}: raw data of a camera; develop it first, and save it as TIFF'
      )
  number, subpage = _full_page(pages, below)
  page = pages[number] if subpage is None else below[subpage]
  if page.number(262) in _LAB:
    raise vips.BadPicture(
      f'{path}: CIE Lab is not supported; convert it to RGB'
    )
  where = {'page': number}
  if subpage is not None:
    where['subifd'] = subpage
  try:
    if 1 <= page.number(tiff.ORIENTATION, 1) <= 8:
      image = _load(path, 'TIFF', **where)
    else:  # libtiff refuses it; it counts as 1
      data = tiff.with_orientation(path, 1)
      image = pyvips.Image.tiffload_buffer(data, fail_on='error', **where)
  except pyvips.Error as error:
    compression = _COMPRESSIONS.get(page.number(259))
    if compression and 'not configured' in str(error):
      raise vips.BadPicture(
        f'{path}: {compression} compression is not supported here; '
        'save it as TIFF with LZW or Deflate'
      ) from error
    raise
  bands, extras = _channels(page, image.bands)
  image, extras = _alpha_first(image, bands, extras)
  if _ASSOCIATED in extras[:1]:
    notices = ['its transparency was premultiplied; that of the result is not']
  else:
    notices = []
  return Opened(image, _said_of(pages, below) + notices, bands, extras)


def _full_page(pages, below):
  """(page, None) or (0, subpage): the first that is not a reduced copy."""
  for i, page in enumerate(pages):
    if not _is_reduced(page):
      return i, None
    if i == 0:
      full = [j for j, other in enumerate(below) if not _is_reduced(other)]
      if full:
        return 0, max(full, key=lambda j: _area(below[j]))
  return max(range(len(pages)), key=lambda i: _area(pages[i])), None


def _is_reduced(page):
  return bool(page.number(254) & _REDUCED or page.number(255) == _OLD_REDUCED)


def _area(page):
  return page.number(256) * page.number(257)


def _said_of(pages, below):
  """Notices on pages that are ignored."""
  full, before = [], None
  for page in pages:
    # Old pyramids do not say that their levels are reduced.
    width = page.number(256)
    halved = before is not None and 0 <= before - width * 2 + 1 <= 2
    if not _is_reduced(page) and not (halved and len(full) == 1):
      full.append(page)
    before = width
  notices = []
  if len(full) > 1:
    notices.append(f'only the first of {len(full)} pages')
  if len(full) < len(pages) or below:
    notices.append(
      'reduced copies (a pyramid or a thumbnail) are left out: '
      'the result is the full page alone'
    )
  return notices


def _channels(page, bands):
  """(number of colour channels, meaning of the others)."""
  colours = _COLOURS.get(page.number(262), 0)
  if not colours or bands <= colours:
    return 0, ()
  extras = page.numbers(338)[: bands - colours]
  return colours, (*extras, *[0] * (bands - colours - len(extras)))


def _alpha_first(image, bands, extras):
  """The image and its extras with transparency before the others, if any."""
  place = next((i for i, extra in enumerate(extras) if is_alpha(extra)), 0)
  if not place:
    return image, extras
  order = [place, *range(place), *range(place + 1, len(extras))]
  parts = [image.extract_band(bands + i) for i in order]
  joined = image.extract_band(0, n=bands).bandjoin(parts)
  joined = joined.copy(interpretation=image.interpretation)
  return joined, tuple(extras[i] for i in order)
