"""Manners of painting that are easily mistaken for damage."""

import cv2
import numpy as np

from artjax.data.examples import each
from artjax.data.examples import Op
from artjax.data.examples import op
from artjax.data.examples import same_extent


@op
def dabs(share: float = 0.1, smallest: float = 2.0, largest: float = 9.0) -> Op:
  """Repaints some pictures in dabs of pure colour, as pointillists do.

  Few paintings are made of dots, and a network that has not seen them takes
  them for noise. It comes before all damage, in 'image' and 'target' alike.

  Args:
    share: of the examples that are repainted, in [0, 1].
    smallest, largest: distance between dabs, px; drawn log-uniformly.

  Raises:
    ValueError: a share or distances that cannot be.
  """
  if not 0 <= share <= 1:
    raise ValueError(f'share must be in [0, 1], got {share}')
  if not 1 <= smallest <= largest:
    raise ValueError(
      f'1 <= smallest <= largest is needed, got {smallest} and {largest}'
    )

  def fn(example, rng):
    if rng.random() >= share:
      return example
    height, width = same_extent(example)
    distance = smallest * (largest / smallest) ** rng.random()
    length = rng.uniform(1, 3)  # of a dab, in its widths
    labels, middles = _dabs(height, width, distance, length, rng)
    # Dabs differ in hue more than in lightness: from afar they mix.
    contrast = rng.uniform(8, 40)
    shift = rng.normal(0, contrast, [len(middles), 3])
    shift += rng.normal(0, contrast / 2, [len(middles), 1])
    cover, soft = rng.uniform(0.6, 1), rng.uniform(0.4, 0.8)

    def paint(picture, key):
      if key in ('mask', 'hints'):
        return picture
      full = 255 if picture.dtype == np.uint8 else 1
      base = cv2.GaussianBlur(picture, (0, 0), 0.5 * distance)
      colours = base[middles[:, 0], middles[:, 1]] + shift * (full / 255)
      painted = cv2.GaussianBlur(
        np.float32(np.clip(colours, 0, full))[labels], (0, 0), soft
      )
      mixed = painted * cover + picture * np.float32(1 - cover)
      return (mixed + 0.5 * (full > 1)).astype(picture.dtype)

    return each(example, then=paint)

  return fn


def _dabs(height, width, distance, length, rng):
  """What dab each pixel is of, int[H, W], and its middle (row, column), int.

  The cells of Voronoi of random points, in a picture that is stretched then.
  """
  flat = max(1, round(width / length))
  count = max(1, round(height * flat / distance**2))
  points = np.full([height, flat], 255, np.uint8)
  points[rng.integers(height, size=count), rng.integers(flat, size=count)] = 0
  _, labels = cv2.distanceTransformWithLabels(
    points, cv2.DIST_L2, 3, labelType=cv2.DIST_LABEL_PIXEL
  )
  rows, columns = np.nonzero(points == 0)
  middles = np.zeros([len(rows), 2], int)
  middles[labels[rows, columns] - 1] = np.stack(
    [rows, np.minimum(columns * width // flat, width - 1)], -1
  )
  wide = cv2.resize(labels, (width, height), interpolation=cv2.INTER_NEAREST)
  return wide - 1, middles
