"""Pictures and maps for a screen: tiles of 8-bit sRGB at every zoom level.

A picture of any size is decoded once into small lossless files. Any part of it,
at any zoom, can then be shown from a few of these.
"""

import os
import shutil

import numpy as np
import pyvips

from artjax.image_io import reader
from artjax.image_io import vips

TILE = 512  # px
DRAWN = 2048  # px, the longer side at which masks are drawn
_THIN = 32  # px, the shorter side then, or sides would no longer match
# Overlays of maps: a quantity's levels from none to most, as colours that grow
# lighter (from violet over red to yellow) and more opaque.
_COLOURS = np.array(
  [
    [60, 20, 110],
    [150, 30, 120],
    [225, 70, 80],
    [250, 150, 50],
    [252, 240, 150],
  ],
  np.float32,
)
_OPAQUE_FROM = 120  # levels


def save_tiles(picture: reader.Picture, folder: str) -> None:
  """Writes an opened picture as `folder/<level>/<column>_<row>.png`.

  Level 0 is one tile; each level has twice the width and height of the one
  before, and the last is the picture itself.

  Raises:
    vips.BadPicture: the file turns out to be damaged, or the disk is full.
  """
  with vips.blame(picture.path):
    _save(picture.screen(), folder)


def save_overlay(path: str, folder: str) -> None:
  """Writes a grey map as tiles in the same way, in the colours of `colours`.

  Raises:
    vips.BadPicture: the disk is full.
  """
  with vips.blame(path):
    levels = pyvips.Image.pngload(path, revalidate=True)
    table = vips.image(colours()[None])
    _save(levels.maplut(table).copy(interpretation='srgb'), folder)


def drawing(width: int, height: int) -> tuple[int, int]:
  """(width, height) in px at which a mask of a picture is drawn."""
  scale = min(1, max(DRAWN / max(width, height), _THIN / min(width, height)))
  return max(1, round(width * scale)), max(1, round(height * scale))


def save_damage(path: str, output: str) -> None:
  """Writes a map of damage probabilities at the size at which masks are drawn.

  Each pixel gets the largest probability of the area that it represents, so
  that a crack of one pixel is not lost.

  Args:
    path: PNG of probabilities of crack, loss and stain as red, green and blue.
    output: path of the PNG to write.

  Raises:
    vips.BadPicture: the disk is full.
  """
  with vips.blame(path):
    levels = pyvips.Image.pngload(path, revalidate=True).numpy()
    for axis, side in enumerate(drawing(*levels.shape[1::-1])[::-1]):
      starts = np.arange(side) * levels.shape[axis] // side
      levels = np.maximum.reduceat(levels, starts, axis)
    vips.image(levels).pngsave(f'{output}.part', compression=1)
  os.replace(f'{output}.part', output)


def colours() -> np.ndarray:
  """u8[256, 4]: red, green, blue and opacity of each level of a map."""
  level = np.arange(256, dtype=np.float32)
  place = np.linspace(0, 255, len(_COLOURS))
  channels = [np.interp(level, place, channel) for channel in _COLOURS.T]
  opacity = 230 * np.minimum(1, level / _OPAQUE_FROM)
  return np.rint(np.stack([*channels, opacity], -1)).astype(np.uint8)


def _save(image, folder):
  part = f'{folder}.part'
  try:
    # Files to be read once or twice from the same disk: speed before size.
    image.dzsave(
      part,
      layout='dz',
      depth='onetile',
      tile_size=TILE,
      overlap=0,
      suffix='.png[compression=1]',
      keep='none',
    )
    os.remove(os.path.join(f'{part}_files', 'vips-properties.xml'))
    os.replace(f'{part}_files', folder)
  finally:
    shutil.rmtree(f'{part}_files', ignore_errors=True)
    if os.path.exists(f'{part}.dzi'):
      os.remove(f'{part}.dzi')
