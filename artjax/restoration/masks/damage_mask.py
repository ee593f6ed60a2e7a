"""The mask of pixels to fill: found by a network, or given by a user.

The damage probability map found by a network is kept, so that another threshold
does not need the network again.
"""

from typing import Any

import cv2
import numpy as np

from artjax import damage_classes
from artjax.inference import base
from artjax.inference.passes import hole_pyramid
from artjax.restoration.masks import damage_map
from artjax.restoration.masks import user_inputs
from artjax.restoration.options import Options


class Mask:
  """The mask of a picture, as far as it is known yet.

  Attributes:
    notices: for the user, one line each.
    probabilities: u8 [h, w, 3], 255 = certainly a crack, loss, stain; or
      None. Its size is that of the picture in which damage was found, which
      an earlier stage may have enlarged.
  """

  def __init__(
    self, height: int, width: int, options: Options, path: str = ''
  ) -> None:
    """Takes the size of a picture in px, and `path`, a mask file or ''.

    Raises:
      user_inputs.BadInput: no such mask, or a region outside the picture.
    """
    self.notices: list[str] = []
    self.probabilities: np.ndarray | None = None
    self._size, self._options, self._brought = (height, width), options, None
    if path:
      self._brought, self.notices = user_inputs.load_mask(
        path, height, width, options.mask_threshold, options.kinds
      )
    if options.region:
      self._check_region()

  def find(self, strips: base.Strips, height: int, width: int) -> None:
    """Takes the f32[rows, width, 3] probabilities that a network finds."""
    self.probabilities = np.empty((height, width, 3), np.uint8)
    for top, rows in strips:
      self.probabilities[top : top + len(rows)] = np.rint(
        np.clip(rows[..., :3], 0, 1) * 255
      )

  def hole(self) -> np.ndarray:
    """`damaged`, if it can be filled.

    Raises:
      user_inputs.BadInput: it covers the whole picture.
    """
    hole = self.damaged()
    if hole.all():
      raise user_inputs.BadInput(
        'the mask covers the whole picture, so nothing is left to fill from'
      )
    return hole

  def damaged(self) -> np.ndarray:
    """bool [h, w]: damage found and damage given, within the region if any.

    Its size is that of `probabilities`, if there are any.
    """
    brought, found = self._brought, self.probabilities
    size = self._size if found is None else found.shape[:2]
    hole = np.zeros(size, bool)
    if brought is not None:
      hole |= resized(brought, *size)
    if found is not None:
      hole |= self._found(self._options.mask_dilate, self._options.kinds).any(
        -1
      )
    if self._options.region:
      inside = resized(self._inside(), *size)
      # Nothing found and nothing brought: it is the region that is meant.
      nothing = brought is None and found is None
      hole = inside if nothing else hole & inside
    return hole

  def describe(self) -> dict[str, Any]:
    """The damage found, for the record: shares of the area, and regions."""
    found = self._found(0)
    return {
      'share': {
        part: round(share, 6)
        for part, share in damage_map.shares(found).items()
      },
      'regions': len(damage_map.regions(found)),
    }

  def summary(self) -> str:
    """A sentence on the damage found and filled; '' without a detector."""
    if self.probabilities is None:
      return ''
    share = damage_map.shares(self._found(0))
    parts = [
      f'{kind} {share[part]:.1%}'
      + ('' if kind in self._options.kinds else ' (not filled)')
      for kind, part in damage_classes.KINDS.items()
      if share[part] >= 0.0005
    ]
    if not parts:
      return 'no damage found that is to be filled'
    return f'found damage: {", ".join(parts)} of the picture'

  def _found(self, dilate, kinds=tuple(damage_classes.KINDS)):
    """u8[h, w, 3]: the mask of damage of these kinds."""
    chosen = damage_classes.channels(kinds)
    probabilities = np.zeros_like(self.probabilities)
    probabilities[..., chosen] = self.probabilities[..., chosen]
    return damage_map.binary(
      probabilities,
      self._options.mask_threshold,
      min_area=self._options.mask_min_area,
      dilate=dilate,
    )

  def _inside(self):
    """bool [height, width]: the region."""
    x, y, width, height = self._options.region
    inside = np.zeros(self._size, bool)
    inside[max(y, 0) : y + height, max(x, 0) : x + width] = True
    return inside

  def _check_region(self):
    x, y, width, height = self._options.region
    if min(width, height) < 1 or not self._inside().any():
      rows, columns = self._size
      raise user_inputs.BadInput(
        f'the region {x},{y},{width},{height} has nothing of the picture of '
        f'{columns} x {rows} px'
      )


def resized(mask: np.ndarray, height: int, width: int) -> np.ndarray:
  """bool [h, w] -> bool [height, width], the nearest pixel's."""
  if mask.shape == (height, width):
    return mask
  levels = mask.astype(np.uint8)
  size = width, height
  return cv2.resize(levels, size, interpolation=cv2.INTER_NEAREST) > 0


def fill_strips(
  restorer: base.Restorer,
  read: base.Read,
  mask: np.ndarray,
  height: int,
  width: int,
  whole: np.ndarray,
  feather: int,
  **settings: Any,
) -> base.Strips:
  """The picture with its holes filled, strip by strip.

  Args:
    restorer: one that fills.
    read: of the picture.
    mask: bool [h, w]: pixels to fill, perhaps of a smaller picture.
    height: of the picture, px.
    width: of the picture, px.
    whole: see `base.Restorer.strips`.
    feather: px inside the mask over which the fill fades in.
    **settings: of the restorer.

  Yields:
    (top, f32[rows, width, 3 or 4]); known pixels equal those of `read`.
  """
  mask = resized(mask, height, width)
  weight = hole_pyramid.share_of_fill(mask, feather)
  for top, rows in restorer.strips(
    read, height, width, whole, hole=mask, **settings
  ):
    before = read(top, 0, len(rows), width)
    share = weight[top : top + len(rows), :, None] / np.float32(255)
    rows[..., :3] = before + share * (rows[..., :3] - before)
    yield top, rows
