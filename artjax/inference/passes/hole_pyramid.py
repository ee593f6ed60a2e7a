"""Fills holes from coarse to fine: inputs and outputs of an inpainting network.

The receptive field of a network is limited. The middle of a deeper hole is
filled first, in a copy of half the size, and then treated as known. The copy is
filled in the same way, so holes may have any size.
"""

from collections.abc import Callable

import cv2
import numpy as np

from artjax.inference import base


def reader(
  read: base.Read,
  hole: np.ndarray,
  run: Callable[[np.ndarray, np.ndarray], np.ndarray],
  reach: float,
) -> base.Read:
  """Extends `read` by a mask channel, and fills the middle of deep holes.

  Args:
    read: (top, left, height, width) -> f32[height, width, 3] in [0, 1].
    hole: bool [H, W], True where the picture is missing.
    run: (f32[h, w, 3], bool [h, w]) -> f32[h, w, 3]: fills a small picture.
    reach: distance from the edge of a hole at which its middle begins, px.

  Returns:
    (top, left, height, width) -> f32[height, width, 4]; the last channel is 1
    where pixels are still to be filled.
  """
  inside = cv2.distanceTransform(
    hole.astype(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_5
  )
  deep = inside > reach
  left_over = (hole & ~deep).astype(np.float32)[..., None]
  if not deep.any():
    small = None
  else:
    small, small_hole = _half(read, hole)
    small = np.float32(run(small, small_hole))

  def read_with_hole(top, left, height, width):
    rgb = read(top, left, height, width)
    window = np.s_[top : top + height, left : left + width]
    middle = deep[window]
    if middle.any():
      rgb = np.where(
        middle[..., None], _twice(small, top, left, height, width), rgb
      )
    return np.concatenate([rgb, left_over[window]], -1)

  return read_with_hole


def share_of_fill(hole: np.ndarray, feather: int) -> np.ndarray:
  """The opacity of the fill: full inside the hole, zero outside.

  Undamaged paint outside is never blended: a margin over it costs 1.6 dB in the
  hole and is visible. A soft edge lies inside the hole, where paint is damaged.

  Args:
    hole: bool [H, W].
    feather: px inside the hole over which the fill fades in; 0 = hard edge.

  Returns:
    u8[H, W], 255 where only the fill is visible.
  """
  levels = hole.astype(np.uint8) * np.uint8(255)
  if not feather or hole.all():  # no edge
    return levels
  depth = cv2.distanceTransform(levels, cv2.DIST_L2, cv2.DIST_MASK_PRECISE)
  share = np.minimum(depth / np.float32(feather + 1), 1)
  return np.rint(255 * share).astype(np.uint8)


def only_missing(
  apply: Callable[[np.ndarray], np.ndarray], channels: int, tiles: np.ndarray
) -> np.ndarray:
  """Results of `apply` where a tile's fourth channel is 1, else the tile.

  Args:
    apply: [B, h, w, 4] -> f32[B, h, w, channels].
    channels: 3, or 4 with the spread, which is 0 outside of holes.
    tiles: f32[B, h, w, 4].
  """
  missing = tiles[..., 3:] > 0
  known = tiles[..., :channels] * np.array([1, 1, 1, 0][:channels], np.float32)
  return np.where(missing, apply(tiles), known) if missing.any() else known


def _half(read, hole):
  """The picture at half its size, averaging known pixels; and its hole."""
  height, width = hole.shape
  rows, columns = -(-height // 2), -(-width // 2)
  small = np.empty([rows, columns, 3], np.float32)
  small_hole = np.empty([rows, columns], bool)
  step = 256  # rows of the result at a time
  for top in range(0, rows, step):
    below = min(2 * (top + step), height)
    block = read(2 * top, 0, below - 2 * top, width)
    known = np.float32(~hole[2 * top : below])[..., None]
    block = np.concatenate([block * known, known], -1)
    block = np.pad(block, [(0, len(block) % 2), (0, width % 2), (0, 0)])
    total = block.reshape(-1, 2, columns, 2, 4).sum((1, 3))
    count = total[..., 3:]
    here = slice(top, top + len(total))
    small[here] = total[..., :3] / np.maximum(count, 1)
    small_hole[here] = count[..., 0] == 0
  return small, small_hole


def _twice(small, top, left, height, width):
  """A window of a picture enlarged twice, by linear interpolation."""
  to_small = np.float32([[0.5, 0, left / 2 - 0.25], [0, 0.5, top / 2 - 0.25]])
  return cv2.warpAffine(
    small,
    to_small,
    (width, height),
    borderMode=cv2.BORDER_REPLICATE,
    flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
  )
