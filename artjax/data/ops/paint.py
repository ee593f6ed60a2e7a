"""Styles of painting that are easily mistaken for damage."""

import cv2
import numpy as np

from artjax.data.examples import each
from artjax.data.examples import Op
from artjax.data.examples import op
from artjax.data.examples import same_extent


@op
def dabs(share: float = 0.1, smallest: float = 2.0, largest: float = 9.0) -> Op:
  """Repaints some pictures in dabs of pure colour, as pointillists do.

  Few paintings are made of dots, and a network that has not seen any mistakes
  them for noise. Use it before all damage, so that it affects both 'image' and
  'target'.

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


@op
def contours(share: float = 0.1) -> Op:
  """Draws outlines into some pictures, like those of murals and prints.

  Drawn lines are easily mistaken for cracks. Use it before all damage, so that
  it affects both 'image' and 'target'. Lines are drawn where the difference of
  two Gaussians is darkest: https://doi.org/10.1016/j.cag.2012.03.004.

  Args:
    share: of the examples that are outlined, in [0, 1].

  Raises:
    ValueError: a share that cannot be.
  """
  if not 0 <= share <= 1:
    raise ValueError(f'share must be in [0, 1], got {share}')

  def fn(example, rng):
    if rng.random() >= share:
      return example
    height, width = same_extent(example)
    breadth = 0.8 * 4 ** rng.random()  # standard deviation, px
    covered, opacity = rng.uniform(0.02, 0.1), rng.uniform(0.5, 1)
    hue = rng.uniform(0, 1, 3) * (rng.random() < 0.5)  # or black
    ink = np.float32(rng.uniform(0, 0.3) * hue + rng.uniform(0, 0.12))
    if rng.random() < 0.15:  # gold and white lines
      ink = 1 - ink

    def paint(picture, key):
      if key in ('mask', 'hints'):
        return picture
      full = 255 if picture.dtype == np.uint8 else 1
      grey = np.float32(picture @ np.float32([0.299, 0.587, 0.114]) / full)
      edges = cv2.GaussianBlur(grey, (0, 0), breadth)
      edges -= cv2.GaussianBlur(grey, (0, 0), 1.6 * breadth)
      # Of the picture's own values, so that flat ones have lines as well.
      some = edges[::2, ::2]
      contrast = max(1e-3, some.std())
      threshold = min(np.quantile(some, covered), -0.6 * contrast)
      slope = 0.1 * contrast
      cover = opacity / 2 * (1 - np.tanh((edges - threshold) / (2 * slope)))
      cover = np.float32(cover)[..., None]
      mixed = picture * (1 - cover) + ink * full * cover
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
