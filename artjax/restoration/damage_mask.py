"""What of one picture is to be filled: found by a network, or shown by a user.

The chances that a network has found are kept, so that another threshold needs
no other run.
"""

import dataclasses

import cv2
import numpy as np

from artjax.inference import hole_pyramid
from artjax.restoration import damage_map
from artjax.restoration import mask_file


@dataclasses.dataclass(frozen=True)
class Options:
  """How chances become a mask; part of the record."""

  threshold: float = 0.5  # of the chances, and of grey masks
  min_area: int = 12  # px; smaller finds are left alone
  dilate: int = 2  # px added around what was found
  feather: int = 2  # px around a mask that are faded into the picture
  region: tuple[int, ...] = ()  # x, y, width, height in px: only there


class Mask:
  """The mask of a picture of height x width px, as far as it is known.

  Attributes:
    notices: what a user should know about it, a line each.
    chances: u8 [height, width, 3], 255 = surely a crack, loss, stain; or None.
  """

  def __init__(self, height, width, options, path=''):
    """Of nothing but what the file `path` shows; raises `mask_file.BadMask`."""
    self.notices, self.chances = [], None
    self._size, self._options, self._brought = (height, width), options, None
    if path:
      self._brought, self.notices = mask_file.load(
        path, height, width, options.threshold
      )
    if options.region:
      self._check_region()

  def find(self, strips):
    """Takes the chances f32[rows, width, 3] that a network finds."""
    self.chances = np.empty((*self._size, 3), np.uint8)
    for top, rows in strips:
      self.chances[top : top + len(rows)] = np.rint(
        np.clip(rows[..., :3], 0, 1) * 255
      )

  def hole(self):
    """bool [height, width]: what is to be filled.

    Raises:
      mask_file.BadMask: all of it, so that nothing is known.
    """
    options = self._options
    hole = np.zeros(self._size, bool)
    if self._brought is not None:
      hole |= self._brought
    if self.chances is not None:
      hole |= self._found(options.dilate).any(-1)
    if options.region:
      x, y, width, height = options.region
      inside = np.zeros(self._size, bool)
      inside[max(y, 0) : y + height, max(x, 0) : x + width] = True
      # Nothing found and nothing brought: it is the region that is meant.
      nothing = self._brought is None and self.chances is None
      hole = inside if nothing else hole & inside
    if hole.all():
      raise mask_file.BadMask(
        'the mask covers the whole picture, so nothing is left to fill from'
      )
    return hole

  def describe(self):
    """What was found, for the record: shares of the area, and regions."""
    found = self._found(0)
    return {
      'share': {
        part: round(share, 6)
        for part, share in damage_map.shares(found).items()
      },
      'regions': len(damage_map.regions(found)),
    }

  def _found(self, dilate):
    return damage_map.binary(
      self.chances,
      self._options.threshold,
      min_area=self._options.min_area,
      dilate=dilate,
    )

  def _check_region(self):
    x, y, width, height = self._options.region
    rows, columns = self._size
    if (
      width < 1
      or height < 1
      or x >= columns
      or y >= rows
      or x + width <= 0
      or y + height <= 0
    ):
      raise mask_file.BadMask(
        f'the region {x},{y},{width},{height} has nothing of the picture of '
        f'{columns} x {rows} px'
      )


def fill_strips(
  restorer, read, mask, height, width, whole, options, **settings
):
  """The picture with its holes filled, strip by strip.

  Args:
    restorer: one that fills, see `inference.Restorer`.
    read: (top, left, height, width) -> f32[height, width, 3].
    mask: bool [h, w]: what is to be filled, perhaps of a smaller picture.
    height: of the picture, px.
    width: of the picture, px.
    whole: see `Restorer.strips`.
    options: `Options`; reads feather.
    **settings: of `Restorer.strips`.

  Yields:
    (top, f32[rows, width, 3 or 4]); known pixels are `read`'s to the bit.
  """
  if mask.shape != (height, width):  # a stage before has enlarged it
    mask = (
      cv2.resize(
        np.uint8(mask), (width, height), interpolation=cv2.INTER_NEAREST
      )
      > 0
    )
  hole, weight = hole_pyramid.soften(mask, options.feather)
  if hole.all():
    hole, weight = hole_pyramid.soften(mask, 0)
  for top, rows in restorer.strips(
    read, height, width, whole, hole=hole, **settings
  ):
    before = read(top, 0, len(rows), width)
    share = weight[top : top + len(rows), :, None] / np.float32(255)
    rows[..., :3] = before + share * (rows[..., :3] - before)
    yield top, rows
