"""Baselines without training, to compare trained networks with.

`FILLS` maps names to functions that fill holes: fill(image u8[H, W, 3], mask
bool or u8[H, W]) -> u8[H, W, 3]. Pixels where the mask is not 0 are missing;
all others are returned unchanged. A mask of another size, or one that covers
everything, raises ValueError; an empty one gives a copy of the picture. `Sepia`
colours pictures, `line_filter` finds cracks and specks.
"""

from collections.abc import Callable, Iterable

import cv2
import numpy as np

from artjax import colour

RADIUS = 5  # px, of the neighbourhood that OpenCV's methods look at
# Unknowns of one solution of the biharmonic equation. Its time grows faster
# than their number: a large hole is solved for on a coarser grid.
MAX_UNKNOWNS = 6_000
_MARGIN = 6  # px of known picture around what is solved for


def telea(image: np.ndarray, mask: np.ndarray) -> np.ndarray:
  """Fast marching from the rim inwards, OpenCV's `INPAINT_TELEA`.

  Telea 2004, https://doi.org/10.1080/10867651.2004.10487596
  """
  return _opencv(image, mask, cv2.INPAINT_TELEA)


def navier_stokes(image: np.ndarray, mask: np.ndarray) -> np.ndarray:
  """Isophotes continued like a flow, OpenCV's `INPAINT_NS`.

  Bertalmio et al. 2001, https://doi.org/10.1109/CVPR.2001.990497
  """
  return _opencv(image, mask, cv2.INPAINT_NS)


def biharmonic(image: np.ndarray, mask: np.ndarray) -> np.ndarray:
  """The smoothest surface through the rim, of scikit-image.

  Damelin and Hoang 2018, https://doi.org/10.1155/2018/3950312. It solves a
  linear system over the pixels of a hole, which takes minutes for some ten
  thousand pixels. So each connected hole is cut out with its surroundings and
  solved separately, and one of more than `MAX_UNKNOWNS` px on a coarser grid.
  Little is lost by that, since the surface is smooth (a test compares both).
  Values are clipped to the range around each hole; the range of the whole
  picture would allow the surface to overshoot.
  """
  from skimage import restoration  # Seconds, and for this alone.

  image, hole = _checked(image, mask)
  result = image.copy()
  # Holes whose rims touch depend on each other: they are one.
  near = cv2.dilate(hole.astype(np.uint8), np.ones((5, 5), np.uint8))
  count, parts, boxes, _ = cv2.connectedComponentsWithStats(near)
  for part in range(1, count):
    left, top, width, height = boxes[part, :4]
    box = np.s_[
      max(0, top - _MARGIN) : top + height + _MARGIN,
      max(0, left - _MARGIN) : left + width + _MARGIN,
    ]
    ours = hole[box] & (parts[box] == part)
    known = ~hole[box]  # other holes in the box are no surroundings
    rgb, solve = image[box] / np.float32(255), ours | ~known
    factor = int(np.ceil(np.sqrt(solve.sum() / MAX_UNKNOWNS)))
    if factor > 1:
      small, missing = _shrunk(rgb, known, factor)
      fill = restoration.inpaint_biharmonic(small, missing, channel_axis=-1)
      fill = cv2.resize(
        fill.astype(np.float32), rgb.shape[1::-1], interpolation=cv2.INTER_CUBIC
      )
    else:
      fill = restoration.inpaint_biharmonic(rgb, solve, channel_axis=-1)
    fill = np.rint(np.clip(fill, 0, 1) * 255).astype(np.uint8)
    result[box][ours] = fill[ours]
  return result


def mean_fill(image: np.ndarray, mask: np.ndarray) -> np.ndarray:
  """The mean of the known pixels, which every other method should beat."""
  image, hole = _checked(image, mask)
  result = image.copy()
  if hole.any():
    result[hole] = np.rint(image[~hole].mean(0)).astype(np.uint8)
  return result


def deep_image_prior(image: np.ndarray, mask: np.ndarray) -> np.ndarray:
  """A network fitted to this picture alone in 3000 steps; takes minutes.

  See artjax/inference/deep_image_prior.py. https://arxiv.org/abs/1711.10925
  """
  from artjax.inference import deep_image_prior as prior  # Compiles a network.

  image, hole = _checked(image, mask)
  if not hole.any():
    return image.copy()
  fill = prior.restore(image / np.float32(255), mask=hole).picture
  return np.where(hole[..., None], np.rint(fill * 255).astype(np.uint8), image)


FILLS: dict[str, Callable[[np.ndarray, np.ndarray], np.ndarray]] = {
  fill.__name__: fill
  for fill in (telea, navier_stokes, biharmonic, mean_fill, deep_image_prior)
}


def line_filter(picture: np.ndarray) -> np.ndarray:
  """Finds lines and specks without learning; u8[H, W, 3].

  The sum of black and white top-hat transforms of two sizes: how much a pixel
  differs from the picture with thin dark or bright details removed. All classes
  get the same probability. Larger sizes do worse, since they find brush
  strokes. Serra 1982, Image Analysis and Mathematical Morphology.
  """
  grey = cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY)
  total = np.zeros(grey.shape, np.float32)
  for side in (3, 5):
    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (side, side))
    total += np.maximum(
      cv2.morphologyEx(grey, cv2.MORPH_BLACKHAT, disc),
      cv2.morphologyEx(grey, cv2.MORPH_TOPHAT, disc),
    )
  found = np.minimum(total, 255).astype(np.uint8)
  return cv2.cvtColor(found, cv2.COLOR_GRAY2RGB)


class Sepia:
  """Colours all pixels with the a and b that fit some pictures best.

  Attributes:
    ab: (a, b) with the smallest mean CIEDE2000 on them, in steps of 1.
  """

  def __init__(self, targets: Iterable[np.ndarray]):
    """Fits a few hundred pixels of each of the colour pictures, u8[H, W, 3]."""
    labs = []
    for target in targets:
      pixels = target.reshape(-1, 3)
      labs.append(
        colour.srgb_to_lab(
          pixels[:: max(1, len(pixels) // 500)][:500] / np.float32(255)
        )
      )

    def cost(ab):
      return np.mean(
        [
          colour.ciede2000(
            np.concatenate(
              [lab[:, :1], np.broadcast_to(np.float32(ab), lab[:, 1:].shape)],
              -1,
            ),
            lab,
          ).mean()
          for lab in labs
        ]
      )

    candidates = [(a, b) for a in range(-3, 10) for b in range(-4, 20)]
    self.ab = min(candidates, key=cost)

  def __call__(self, picture: np.ndarray) -> np.ndarray:
    """u8[H, W, 3] -> the same in sepia."""
    lab = colour.srgb_to_lab(picture / np.float32(255))
    lab[..., 1:] = self.ab
    rgb = colour.lab_to_srgb(colour.clamp_chroma(lab))
    return np.rint(np.clip(rgb, 0, 1) * 255).astype(np.uint8)


def _opencv(image, mask, method):
  image, hole = _checked(image, mask)
  # OpenCV's gradients at the rim reach under the mask: nothing may be there.
  known = np.where(hole[..., None], np.uint8(0), image)
  filled = cv2.inpaint(known, hole.astype(np.uint8), RADIUS, method)
  return np.where(hole[..., None], filled, image)


def _shrunk(colour, known, factor):
  """(f32[h, w, 3], bool[h, w] missing): means of what is known in a cell."""
  height, width = known.shape
  size = -(-width // factor), -(-height // factor)
  area = lambda x: cv2.resize(x, size, interpolation=cv2.INTER_AREA)
  weight = known.astype(np.float32)
  share = area(weight)
  small = area(colour * weight[..., None]) / np.maximum(share, 1e-6)[..., None]
  # Hardly known cells are as good as missing, unless there are no others.
  missing = share < 0.25
  return small, missing if not missing.all() else share == 0


def _checked(image, mask):
  """(u8[H, W, 3], bool[H, W]); ValueError for what cannot be filled."""
  image, mask = np.asarray(image), np.asarray(mask)
  if image.dtype != np.uint8 or image.ndim != 3 or image.shape[2] != 3:
    raise ValueError(
      f'the picture must be u8 [H, W, 3], got {image.dtype} {list(image.shape)}'
    )
  if mask.shape != image.shape[:2]:
    raise ValueError(
      f'the mask is {list(mask.shape)}, but the picture '
      f'{list(image.shape[:2])}, height and width'
    )
  hole = mask != 0
  if hole.all():
    raise ValueError('the mask covers everything: nothing is known')
  return image, hole
