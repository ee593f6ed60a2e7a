"""A coarse pass over a small copy of the whole picture, before its tiles.

A stain can cover half a picture. It shows only by the difference in colour from
the area around it, which may lie in another tile. The small copy contains both,
and has the same size for all pictures.
"""

from collections.abc import Callable

import cv2
import numpy as np

from artjax.damage_classes import CLASSES
from artjax.inference import base
from artjax.inference import tiling

# Weight of the coarse pass: 0 for cracks, which are too thin for it, and below
# that of the tiles for losses, of which it misses the small ones.
_SHARES = {'crack': 0.0, 'loss': 0.2, 'stain': 0.5}


def shrink(picture: np.ndarray, side: int) -> np.ndarray:
  """f32[H, W, C] -> f32[h, w, C] with a shorter side of at most `side` px.

  Areas are averaged, and the aspect ratio is kept.
  """
  height, width = shrunk(picture.shape[0], picture.shape[1], side)
  if (height, width) == picture.shape[:2]:
    return picture
  return cv2.resize(picture, (width, height), interpolation=cv2.INTER_AREA)


def shrunk(height: int, width: int, side: int) -> tuple[int, int]:
  """(height, width) in px of the result of `shrink`."""
  factor = min(1, side / min(height, width))
  return max(1, round(height * factor)), max(1, round(width * factor))


def grid(height: int, width: int, multiple: int) -> tiling.Grid:
  """Tiles of a small copy: nearly always one, hardly larger than the copy."""
  cores = range(multiple, tiling.CORES[-1], multiple)
  return tiling.plan(
    height, width, halo=multiple, multiple=multiple, cores=cores
  )


def look(
  apply: Callable[[np.ndarray], np.ndarray], small: np.ndarray, multiple: int
) -> np.ndarray:
  """The result of a network over all of a small copy.

  Args:
    apply: f32[B, h, w, 3] -> f32[B, h, w, C].
    small: f32[h, w, 3], of `shrink`.
    multiple: of which the sides of a tile must be, px.

  Returns:
    f32[h, w, C].
  """
  height, width = small.shape[:2]
  read = lambda y, x, h, w: small[y : y + h, x : x + w]
  tiles = grid(height, width, multiple)
  strips = tiling.run(apply, read, height, width, tiles)
  return np.concatenate([rows for _, rows in strips])


def merge(
  strips: base.Strips, seen: np.ndarray, height: int, width: int
) -> base.Strips:
  """Merges damage probabilities of tiles with those of the coarse pass.

  Args:
    strips: of (top, f32[rows, width, 3 or 4]): the probabilities of crack, loss
      and stain, and perhaps another channel, from top to bottom.
    seen: f32[h, w, 3], probabilities from a small copy of the whole picture.
    height: of the picture, px.
    width: of the picture, px.

  Yields:
    The strips, with weighted means of the log odds of both: tiles find the
    edge of a stain best, the coarse pass its inside. Cracks come from tiles.
  """
  seen = _log_odds(seen)
  for top, rows in strips:
    rows = rows.copy()
    for i, part in enumerate(CLASSES):
      share = _SHARES[part]
      if share:
        coarse = window(seen[..., i], top, len(rows), height, width)
        odds = (1 - share) * _log_odds(rows[..., i]) + share * coarse
        rows[..., i] = 1 / (1 + np.exp(-odds))
    yield top, rows


def _log_odds(probability):
  probability = np.clip(probability, 1e-4, 1 - 1e-4)
  return np.log(probability) - np.log1p(-probability)


def window(
  small: np.ndarray, top: int, rows: int, height: int, width: int
) -> np.ndarray:
  """Rows of f32[h, w], enlarged to height x width by linear interpolation.

  Also of f32[h, w, C], with C up to 4.
  """
  h, w = small.shape[:2]
  down, right = h / height, w / width
  to_small = np.array(
    [[right, 0, right / 2 - 0.5], [0, down, (top + 0.5) * down - 0.5]],
    np.float32,
  )
  return np.asarray(
    cv2.warpAffine(
      small,
      to_small,
      (width, rows),
      borderMode=cv2.BORDER_REPLICATE,
      flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
    )
  )
