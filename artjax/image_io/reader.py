"""Opens picture files, and shows them as a network sees them.

A network sees 3 channels of sRGB in [0, 1]; a file may hold 8 or 16 bits, grey,
RGB or CMYK in any colour space, transparency and metadata. `open_picture`
converts the file for the network, and `Picture.merge` brings the network's
change back into the file's own values; see merging.py.
"""

from collections.abc import Callable, Iterator, Mapping
import os
import tempfile
from typing import Any

import numpy as np
import pyvips

from artjax.image_io import colour_space
from artjax.image_io import formats
from artjax.image_io import merging
from artjax.image_io import metadata
from artjax.image_io import opening
from artjax.image_io import tiff_opening
from artjax.image_io import vips
from artjax.image_io import writer as image_writer
from artjax.image_io.colour_space import FULL

BadPicture = vips.BadPicture
MAX_PIXELS = 400_000_000  # of a picture, by its header, before decoding


def open_picture(
  path: str | os.PathLike,
  *,
  max_pixels: int = MAX_PIXELS,
  page: int | None = None,
) -> 'Picture':
  """Opens a file by its header; pixels are decoded as they are read.

  Args:
    path: JPEG, PNG, TIFF, WebP, AVIF, or what else can be read here.
    max_pixels: more than these are refused.
    page: which of the file's pages, from 0; see `opening.open_image`.

  Raises:
    BadPicture: no such file, not a picture, too large, or of a kind that cannot
      be reproduced faithfully.
  """
  path = os.fspath(path)
  with vips.blame(path):
    state = _state(path)
    with open(path, 'rb') as file:
      head = file.read(formats.HEAD)
    if not head:
      raise BadPicture(f'{path}: the file is empty')
    kind = formats.file_format(head)
    if kind is None:
      raise BadPicture(f'{path}: {formats.NO_PICTURE}')
    opened = opening.open_image(path, kind, max_pixels, page)
    image = opened.image
    if image.width * image.height > max_pixels:
      raise BadPicture(
        f'{path}: {image.width} x {image.height} px are more than the limit '
        f'of {max_pixels} px'
      )
    return Picture(path, kind, opened, state, page)


class Picture:
  """An opened file; `open_picture` makes it. A context manager.

  Attributes:
    path: of the file.
    kind: its format, from `formats.file_format`.
    height: of the upright picture, px.
    width: of the upright picture, px.
    bands: channels without transparency: 1 grey, 3 RGB, 4 CMYK.
    depth: bits a channel, 8 or 16.
    is_stored_upright: whether its pixels are stored as they are to be seen.
    has_alpha: whether it has transparency.
    extras: meaning of further channels, in values of TIFF's ExtraSamples.
    is_damaged: whether a part of it may be wrong.
    notices: what a user should know about how it was read, one line each.

    Within the package `native` is the image of the file's own values, `alpha`
    its transparency or None, `extra` its further channels or None, `working`
    the same picture as u16 sRGB, `space` the `ColourSpace` that converts
    between the two, and `matte` f32[3] the colour that shows through
    transparency.
  """

  def __init__(
    self,
    path: str,
    kind: str,
    opened: opening.Opened,
    state: tuple[int, ...],
    page: int | None = None,
  ):
    self.path = path
    self._state, self._page = state, page
    self.kind = kind
    self.notices = [*opened.notices]
    self.is_damaged = opened.is_damaged
    _check_values(path, opened.image)
    self.is_stored_upright = vips.field(opened.image, 'orientation', 1) == 1
    image = opened.image.autorot()
    self.depth = 8 if image.format == 'uchar' else 16
    self.has_alpha = image.hasalpha()
    if opened.extras:
      self.has_alpha = tiff_opening.is_alpha(opened.extras[0])
    self.extras = opened.extras[self.has_alpha :]
    self.bands = image.bands - self.has_alpha - len(self.extras)
    _check_channels(path, image, self.bands, self.extras)
    self.height, self.width = image.height, image.width
    self.made_srgb = False  # whether it was: then its result says so
    self._image = image
    self._folder = tempfile.TemporaryDirectory(prefix='artjax_')
    try:
      self._find_colours(image)
    except BaseException:
      self.close()
      raise

  def _find_colours(self, image):
    """Sets the images of its parts, and the space of its colours."""
    self.space, notices = colour_space.of_file(
      self.path, self.kind, image, self.bands, self.depth, self._folder.name
    )
    self.notices += notices
    self.native = image.extract_band(0, n=self.bands)
    self.extra = None
    if self.extras:
      first = self.bands + self.has_alpha
      self.extra = image.extract_band(first, n=len(self.extras))
      self.notices.append(
        f'{len(self.extras)} more channel(s) that are no transparency: '
        'carried unchanged, not used'
      )
    self.alpha: Any = image.extract_band(self.bands) if self.has_alpha else None
    self.working = self.space.to_srgb(self.native)
    self.matte: Any = self._mean_colour() if self.has_alpha else None

  @property
  def opaque(self) -> int:
    """The alpha value of opaque pixels."""
    return 255 if self.depth == 8 else FULL

  def close(self) -> None:
    """Deletes temporary files."""
    self._folder.cleanup()

  def __enter__(self) -> 'Picture':
    return self

  def __exit__(self, *unused):
    self.close()

  def check_unchanged(self) -> None:
    """Raises BadPicture if the file is not the one that was opened."""
    with vips.blame(self.path):
      if _state(self.path) != self._state:
        raise BadPicture(
          f'{self.path}: it was changed while it was being restored; '
          'restore it again'
        )

  def to_rgb(self, paper: bool = False) -> None:
    """Converts it to RGB, so that any colour can be written.

    For results with new colours. RGB keeps its colour space; grey and CMYK
    become sRGB.

    Args:
      paper: whether transparent pixels become white paper.
    """
    working = self.working
    if paper and self.has_alpha:
      with vips.blame(self.path):
        if self.alpha.min() < self.opaque:
          self.notices.append('transparent: laid on white paper')
      alpha = self.alpha if self.depth == 16 else self.alpha * 257
      working = (
        working.bandjoin(alpha.cast('ushort'))
        .flatten(background=[FULL] * 3, max_alpha=FULL)
        .copy(interpretation='rgb16')
      )
      self.alpha, self.has_alpha = None, False
    if self.bands != 3:
      self.bands, self.made_srgb = 3, True
      self.space = colour_space.ColourSpace(3, self.depth)
    self.working = working
    self.native = self.space.from_srgb(working)

  def decode(self) -> None:
    """Decodes a file that is decoded as a whole now, not when it is read.

    Raises:
      BadPicture: the file turns out to be damaged.
    """
    with vips.blame(self.path):
      vips.fetch(self.native, 0, 0, 1, 1)

  def read(self, top: int, left: int, height: int, width: int) -> np.ndarray:
    """f32[height, width, 3] of sRGB in [0, 1]; transparency shows a flat tone.

    Raises:
      BadPicture: the file turns out to be damaged there.
    """
    with vips.blame(self.path):
      working = vips.fetch(self.working, top, left, height, width)
      rgb = working.astype(np.float32) / FULL
      if self.has_alpha:
        # Whatever is hidden there would leak into its surroundings.
        alpha = vips.fetch(self.alpha, top, left, height, width)
        alpha = alpha.astype(np.float32) / self.opaque
        rgb = rgb * alpha + self.matte * (1 - alpha)
      return rgb

  def thumbnail(self, side: int) -> np.ndarray:
    """f32[side', side', 3]: the whole picture, at most about `side` px each.

    Raises:
      BadPicture: the file turns out to be damaged.
    """
    with vips.blame(self.path):
      factor = max(1, min(self.height, self.width) // side)
      rgb = _shrunk(self.working, factor).astype(np.float32) / FULL
      if self.has_alpha:
        alpha = _shrunk(self.alpha, factor) / np.float32(self.opaque)
        rgb = rgb * alpha + self.matte * (1 - alpha)
      return rgb

  def screen(self) -> pyvips.Image:
    """An image of 8-bit sRGB, with transparency if it has any."""
    if not self.space.profile and self.native.format == 'uchar':
      image = self.native  # to the bit
      if self.bands == 1:
        image = image.bandjoin([image, image])
    else:
      image = (self.working / 257).rint().cast('uchar')
    if self.has_alpha:
      alpha = self.alpha
      if self.depth == 16:
        alpha = (alpha / 257).rint().cast('uchar')
      image = image.bandjoin(alpha)
    return image.copy(interpretation='srgb')

  def merge(
    self,
    top: int,
    restored: np.ndarray,
    scale: int = 1,
    strength: float = 1.0,
    measure: bool = True,
  ) -> tuple[np.ndarray, np.ndarray]:
    """The file's values of some rows, changed; see `merging.merge`."""
    return merging.merge(self, top, restored, scale, strength, measure)

  def moved(
    self, path: str | os.PathLike, scale: int, rows: int
  ) -> Iterator[tuple[int, np.ndarray]]:
    """The changes of pixels in a written result; see `merging.moved`."""
    with self._open_result(path, scale) as result:
      yield from merging.moved(self, result, scale, rows)

  def consistency(self, path: str | os.PathLike, scale: int) -> float:
    """How well an enlarged result agrees; see `merging.consistency`."""
    with self._open_result(path, scale) as result:
      return merging.consistency(self, result, scale)

  def writer(
    self,
    path: str | os.PathLike,
    *,
    scale: int = 1,
    strip_metadata: bool = False,
    event: Mapping[str, str] | None = None,
    finish: Callable[[str], None] = lambda part: None,
    mostly_unchanged: bool = True,
  ) -> image_writer.Writer:
    """A `writer.Writer` of the result, with the metadata of this picture.

    Args:
      path: of the result.
      scale: size of the result relative to the picture.
      strip_metadata: whether to keep only the profile and the resolution.
      event: for the history in its XMP, see `xmp.with_event`.
      finish: called with the path of the written file, before it is renamed.
      mostly_unchanged: whether most pixels are unchanged; see jpeg_coding.py.
    """
    return image_writer.Writer(
      self, path, scale, strip_metadata, event, finish, mostly_unchanged
    )

  def describe(self, image: pyvips.Image, suffix: str) -> pyvips.Image:
    """The result's pixels with this file's resolution and profile."""
    return metadata.attach(image, self, self._image, suffix)

  def metadata(
    self, width: int, height: int, strip: bool = False
  ) -> metadata.Metadata:
    """The metadata of this file that are true for a result of a size in px."""
    found = metadata.read(self.path, self.kind, self._image, self._page)
    if self.made_srgb:
      found = metadata.without_colour(found)
    if strip:
      found = metadata.stripped(found)
    if self.extras:
      alpha = (tiff_opening.UNASSOCIATED,) if self.has_alpha else ()
      found = metadata.with_extras(found, (*alpha, *self.extras))
    return metadata.upright(found, width, height)

  def _open_result(self, path, scale):
    size = self.height * self.width * scale**2
    return open_picture(path, max_pixels=size)

  def _mean_colour(self):
    """f32[3]: mean colour of the pixels that are not transparent."""
    factor = max(1, min(self.height, self.width) // 64)
    with vips.blame(self.path):
      weight = _shrunk(self.alpha, factor).astype(np.float64).reshape(-1, 1)
      rgb = _shrunk(self.working, factor).reshape(-1, 3)
    if not weight.any():
      return np.full(3, 0.5, np.float32)
    mean = (rgb * weight).sum(0) / weight.sum() / FULL
    return mean.astype(np.float32)


def _state(path):
  """A state that changes when a file is written to or replaced."""
  state = os.stat(path)
  return state.st_dev, state.st_ino, state.st_size, state.st_mtime_ns


def _check_values(path, image):
  """Raises BadPicture for values that are not of 8 or 16 bits of a colour."""
  if image.format not in ('uchar', 'ushort'):
    raise BadPicture(
      f'{path}: {image.format} values are not supported; '
      'convert it to 8 or 16 bits a channel'
    )
  if image.interpretation in ('lab', 'labs', 'xyz', 'scrgb'):
    raise BadPicture(
      f'{path}: {image.interpretation.upper()} pictures are '
      'not supported; convert it to RGB'
    )


def _check_channels(path, image, bands, extras):
  """Raises BadPicture unless it is clear what the channels are."""
  wanted = (4,) if image.interpretation == 'cmyk' else (1, 3)
  two_alphas = any(tiff_opening.is_alpha(extra) for extra in extras)
  if bands not in wanted or two_alphas or (bands == 1 and len(extras) > 1):
    raise BadPicture(
      f'{path}: {image.bands} channels are not supported; '
      'grey, RGB and CMYK are, with or without alpha'
    )


def _shrunk(image, factor):
  """[h', w', bands]: an image's means over squares of so many px."""
  small = image.shrink(factor, factor)
  return small.numpy().reshape(small.height, small.width, small.bands)
