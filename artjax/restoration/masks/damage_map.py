"""Damage probability maps -> masks, shares of the area, boxes.

Pure NumPy and OpenCV on a saved map, so another threshold needs no network. A
map is u8[H, W, 3], 255 = certain, or f32[H, W, 3] in [0, 1]; a mask is
u8[H, W, 3] of 0 and 255. Channels: see artjax/damage_classes.py.
"""

from collections.abc import Sequence

import cv2
import numpy as np

from artjax.damage_classes import CLASSES

_CELL = 8  # px; regions are looked for on a grid this much coarser


def binary(
  probabilities: np.ndarray,
  threshold: float | Sequence[float] = 0.5,
  *,
  min_area: int = 0,
  dilate: int = 0,
) -> np.ndarray:
  """The mask of a damage probability map.

  Args:
    probabilities: u8[H, W, 3], or f32 in [0, 1].
    threshold: in (0, 1], probability from which a pixel counts as damaged; or
      one for each of crack, loss and stain.
    min_area: px; smaller connected areas of damage, whatever their classes, are
      left out.
    dilate: px by which each channel is grown afterwards.

  Returns:
    u8[H, W, 3], 255 = damaged; all 0 if nothing is found.

  Raises:
    ValueError: an argument out of range, or no such map.
  """
  _check(probabilities)
  levels = np.broadcast_to(np.asarray(threshold, np.float32), 3)
  if not ((levels > 0) & (levels <= 1)).all():
    raise ValueError(f'threshold must be in (0, 1], got {threshold}')
  for name, value in (('min_area', min_area), ('dilate', dilate)):
    if value < 0 or value != int(value):
      raise ValueError(f'{name} must be a whole number of px, got {value}')
  if probabilities.dtype == np.uint8:
    levels = levels * 255 - np.float32(1e-4)  # 51 / 255 is level 51
  mask = (probabilities >= levels).view(np.uint8) * np.uint8(255)
  if min_area > 1:
    _, pieces, stats, _ = cv2.connectedComponentsWithStats(
      mask.max(-1), connectivity=8
    )
    large = stats[:, cv2.CC_STAT_AREA] >= min_area
    mask *= large[pieces][..., None]
  if dilate:
    disc = cv2.getStructuringElement(
      cv2.MORPH_ELLIPSE, (2 * int(dilate) + 1,) * 2
    )
    return np.asarray(cv2.dilate(mask, disc))
  return mask


def shares(mask: np.ndarray) -> dict[str, float]:
  """{'crack', 'loss', 'stain', 'any': share of the area}, in [0, 1]."""
  damaged = mask >= 128
  return {
    **{part: float(damaged[..., i].mean()) for i, part in enumerate(CLASSES)},
    'any': float(damaged.any(-1).mean()),
  }


def regions(mask: np.ndarray, gap: int = 64) -> list[tuple[int, int, int, int]]:
  """Boxes around the damage, those of neighbours merged.

  Args:
    mask: u8[H, W] or [H, W, C], damaged from 128 on.
    gap: px; pieces of damage within this distance share a box, so that a
      craquelure of hundreds of pieces is one region. Rounded up to 16 px.

  Returns:
    [(left, top, width, height)] in px, from top to bottom. They do not overlap
    and contain all damage; [] without damage.
  """
  damaged = (mask.reshape(*mask.shape[:2], -1) >= 128).any(-1)
  height, width = damaged.shape
  # Cells with any damage, each grown by half the gap.
  cells = np.pad(damaged, [(0, -height % _CELL), (0, -width % _CELL)])
  cells = cells.reshape(-(-height // _CELL), _CELL, -1, _CELL)
  cells = np.asarray(cells.any((1, 3)))
  reach = -(-max(0, gap) // (2 * _CELL))
  grid = cv2.dilate(cells.view(np.uint8), np.ones((2 * reach + 1,) * 2))
  boxes = None
  while True:
    found = cv2.connectedComponentsWithStats(grid, connectivity=8)[2][1:, :4]
    if boxes is not None and len(found) == len(boxes):
      break
    # Boxes may touch where their pieces did not: they are pieces now.
    boxes = found
    for x, y, w, h in boxes:
      grid[y : y + h, x : x + w] = 1
  trimmed = [
    _trim(damaged, *(int(side) * _CELL for side in box)) for box in boxes
  ]
  return sorted(trimmed, key=lambda box: (box[1], box[0]))


def _trim(damaged, left, top, width, height):
  """The smallest box around the damage within a box."""
  window = damaged[top : top + height, left : left + width]
  rows, columns = (np.flatnonzero(window.any(axis)) for axis in (1, 0))
  return (
    left + int(columns[0]),
    top + int(rows[0]),
    int(columns[-1] - columns[0]) + 1,
    int(rows[-1] - rows[0]) + 1,
  )


def _check(probabilities):
  if (
    probabilities.ndim != 3
    or probabilities.shape[-1] != len(CLASSES)
    or (probabilities.dtype not in (np.uint8, np.float32))
  ):
    raise ValueError(
      'a damage probability map is u8 or f32 [H, W, 3], not '
      f'{probabilities.dtype} {list(probabilities.shape)}'
    )
