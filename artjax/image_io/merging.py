"""Adds a network's change to the file's own values.

A network sees sRGB of at most 16 bits; the file may hold more. So the network's
input and output are both converted to the file's colour space, and their
difference is added to the values in the file: unchanged pixels keep every bit.
"""

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np
import pyvips

from artjax import colour
from artjax.image_io import vips
from artjax.image_io.colour_space import FULL

if TYPE_CHECKING:
  from artjax.image_io import reader

_LUMA = np.array([0.2126, 0.7152, 0.0722], np.float32)  # of sRGB's primaries


def merge(
  picture: 'reader.Picture',
  top: int,
  restored: np.ndarray,
  scale: int = 1,
  strength: float = 1.0,
  measure: bool = True,
) -> tuple[np.ndarray, np.ndarray]:
  """The file's own values of some rows, with the network's change added.

  Args:
    picture: the opened file.
    top: first of the rows, px of the result.
    restored: f32[rows, width * scale, 3] of sRGB in [0, 1].
    scale: size of the result relative to the file.
    strength: share of the change that is applied, in [0, 1].
    measure: whether to measure the change of each pixel, which takes time.

    Returns:
      u8 or u16 [rows, width * scale, channels], alpha included; and the change
      of each pixel, CIEDE2000, f32[rows, width * scale], or [0] if not
      measured.

  Raises:
    vips.BadPicture: the file turns out to be damaged there.
  """
  part = lambda image: _rows(image, top, len(restored), picture.width, scale)
  with vips.blame(picture.path):
    native = part(picture.native)
    before = part(picture.working) / np.float32(FULL)
    if picture.has_alpha:
      alpha = part(picture.alpha)
      opacity = alpha / np.float32(picture.opaque)
      before = before * opacity + picture.matte * (1 - opacity)
    change = np.clip(restored, 0, 1) - np.clip(before, 0, 1)
    change *= np.float32(strength)
    if picture.bands == 1:
      change = np.repeat((change @ _LUMA)[..., None], 3, -1)
    if picture.has_alpha:
      change = change * opacity
    after = np.clip(before + change, 0, 1)
    change = picture.space.values(after) - picture.space.values(before)
    wide = 257 if native.dtype == np.uint8 else 1
    values = np.clip(native.astype(np.float32) * wide + change, 0, FULL)
    values = np.rint(values / (257 if picture.depth == 8 else 1))
    if picture.has_alpha:
      values = np.concatenate([values, alpha], -1)
    if picture.extra:
      values = np.concatenate([values, part(picture.extra)], -1)
    values = values.astype(np.uint8 if picture.depth == 8 else np.uint16)
    if not measure:
      return values, np.empty(0, np.float32)
    return values, colour.ciede2000(
      colour.srgb_to_lab(before), colour.srgb_to_lab(after)
    )


def moved(
  picture: 'reader.Picture', result: 'reader.Picture', scale: int, rows: int
) -> Iterator[tuple[int, np.ndarray]]:
  """Differences between the pixels of a written result and its source.

  Args:
    picture: the opened source.
    result: the opened result.
    scale: size of the result relative to the picture.
    rows: number of rows compared at a time.

  Yields:
    The first of some rows, and f32[rows, width * scale], CIEDE2000.

  Raises:
    vips.BadPicture: one of them turns out to be damaged.
  """
  for top in range(0, result.height, rows):
    where = top, min(rows, result.height - top), picture.width, scale
    with vips.blame(result.path):
      before = _rows(picture.working, *where) / np.float32(FULL)
      after = vips.fetch(result.working, top, 0, where[1], result.width)
      after = after / np.float32(FULL)
      if picture.has_alpha:
        opacity = _rows(picture.alpha, *where) / np.float32(picture.opaque)
        hidden = picture.matte * (1 - opacity)
        before = before * opacity + hidden
        after = after * opacity + hidden
    yield (
      top,
      colour.ciede2000(colour.srgb_to_lab(before), colour.srgb_to_lab(after)),
    )


def consistency(
  picture: 'reader.Picture', result: 'reader.Picture', scale: int
) -> float:
  """PSNR in dB between the picture and an enlarged result, shrunk again.

  Raises:
    vips.BadPicture: the result turns out to be damaged.
  """
  with vips.blame(result.path):
    small = result.working.resize(1 / scale, kernel='cubic')
    error = (small.cast('float') - picture.working.cast('float')) / FULL
    mse = (error * error).avg()
  return round(float(10 * np.log10(1 / max(mse, 1e-12))), 3)


def _rows(
  image: pyvips.Image, top: int, rows: int, width: int, scale: int
) -> np.ndarray:
  """[rows, width * scale, bands] of an image, enlarged if need be."""
  if scale != 1:
    image = image.resize(scale, kernel='cubic')
  return vips.fetch(image, top, 0, rows, width * scale)
