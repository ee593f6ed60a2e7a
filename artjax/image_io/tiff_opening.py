"""Decides which page of a TIFF file is opened, and what its channels mean."""

from typing import NamedTuple

import pyvips

from artjax.image_io import formats
from artjax.image_io import other_libraries
from artjax.image_io import vips
from artjax.image_io.containers import tiff

_REDUCED = 1  # bit of NewSubfileType
_OLD_REDUCED = 2  # of SubfileType
_RAW = (32803, 34892)  # a colour filter array, and linear raw
_LAB = (8, 9, 10)
_COLOURS = {0: 1, 1: 1, 2: 3, 3: 3, 5: 4, 6: 3}  # channels, by photometric
_ASSOCIATED, UNASSOCIATED = 1, 2  # alpha, of ExtraSamples
_FAIL = 'warning'  # of libvips; below that, a damaged tile would be black
# What libvips says of a compression that it does not decode.
_CANNOT = ('not configured', 'is not implemented')


class Opened(NamedTuple):
  """A picture of a file.

  Attributes:
    image: its pixels, as libvips reads them.
    notices: what is ignored, one line each.
    bands: channels of colour; 0 = as libvips says.
    extras: meaning of the other channels, in values of TIFF's ExtraSamples.
    is_damaged: whether a part of it may be wrong; a notice says which.
  """

  image: pyvips.Image
  notices: list[str]
  bands: int = 0
  extras: tuple[int, ...] = ()
  is_damaged: bool = False


def is_alpha(extra: int) -> bool:
  """Whether a value of the tag ExtraSamples means transparency."""
  return extra in (_ASSOCIATED, UNASSOCIATED)


def pages(path: str) -> int:
  """Number of pages of full size; at least 1.

  Raises:
    OSError: the file cannot be read.
  """
  try:
    return max(1, len(_full_pages(tiff.pages(path))))
  except ValueError:
    return 1


def number_of(path: str, page: int) -> int:
  """The number among all directories of a file of a page of full size.

  Raises:
    ValueError: the file is damaged.
  """
  return _full_pages(tiff.pages(path))[page]


def open_tiff(path: str, max_pixels: int, page: int | None) -> Opened:
  """Opens a page of a file; see `opening.open_image`."""
  try:
    found = tiff.pages(path)
    below = tiff.subpages(path, found[0])
  except (ValueError, IndexError):
    return Opened(_load(path), [])
  for one in (*found, *below):
    if one.number(262) in _RAW or one.number(259) == 32867:
      raise vips.BadPicture(
        f'{path}: raw data of a camera; develop it first, and save it as TIFF'
      )
  full = _full_pages(found)
  if page is None:
    number, subpage = _full_page(found, below)
    notices = _said_of(found, below, full)
  else:
    number, subpage, notices = full[page], None, []
  chosen = found[number] if subpage is None else below[subpage]
  if chosen.number(262) in _LAB:
    raise vips.BadPicture(
      f'{path}: CIE Lab is not supported; convert it to RGB'
    )
  image = _decoded(path, chosen, number, subpage, max_pixels)
  bands, extras = _channels(chosen, image.bands)
  image, extras = _alpha_first(image, bands, extras)
  if _ASSOCIATED in extras[:1]:
    notices.append(
      'its transparency was premultiplied; that of the result is not'
    )
  return Opened(image, notices, bands, extras)


def _decoded(path, page, number, subpage, max_pixels):
  """The image of a page, by whatever library reads it."""
  where = {'page': number}
  if subpage is not None:
    where['subifd'] = subpage
  try:
    if 1 <= page.number(tiff.ORIENTATION, 1) <= 8:
      image = _load(path, **where)
    else:  # libtiff refuses it; it counts as 1
      data = tiff.with_orientation(path, 1)
      image = pyvips.Image.tiffload_buffer(data, fail_on=_FAIL, **where)
    if page.number(259) in other_libraries.COMPRESSIONS:
      image.crop(0, 0, 1, 1).avg()  # it cannot tell before it decodes
    return image
  except pyvips.Error as error:
    if any(text in str(error) for text in _CANNOT):
      return other_libraries.tiff_page(path, page, number, subpage, max_pixels)
    raise


def _load(path, **options):
  loader = getattr(pyvips.Image, formats.LOADERS['TIFF'])
  return loader(vips.file_name(path), fail_on=_FAIL, revalidate=True, **options)


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


def _full_pages(pages):
  """Numbers of the pages that are no reduced copies."""
  full, before = [], None
  for i, page in enumerate(pages):
    # Old pyramids do not say that their levels are reduced.
    width = page.number(256)
    halved = before is not None and 0 <= before - width * 2 + 1 <= 2
    if not _is_reduced(page) and not (halved and len(full) == 1):
      full.append(i)
    before = width
  return full


def _said_of(pages, below, full):
  """Notices on pages that are ignored."""
  notices = []
  if len(full) > 1:
    notices.append(
      f'only the first of {len(full)} pages (--pages=all restores each)'
    )
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
