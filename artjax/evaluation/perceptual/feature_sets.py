"""Distances of two sets of pictures: the formulas of FID and KID, on crops.

The features are those of VGG16, which come with a package, in the place of
Inception's, which do not. So figures compare with one another and not with
those of papers.

FID: https://arxiv.org/abs/1706.08500   KID: https://arxiv.org/abs/1801.01401
"""

from collections.abc import Sequence
import functools

import jax
import numpy as np

from artjax.evaluation import digit_scores
from artjax.models import encoders

SIDE = 128  # of a crop, px
MOST = 8  # crops in each direction, spread evenly
_LAYER = 'relu5_3'
_ROWS = 1000  # of the kernel that are computed together


def features(picture: np.ndarray) -> np.ndarray:
  """What VGG16 sees in the crops of a picture.

  Args:
    picture: u8[H, W, 3], at least 16 px a side. A side below 128 px is one
      crop.

  Returns:
    f32[crops, 512], means over each crop.
  """
  height, width = (min(side, SIDE) for side in picture.shape[:2])
  rows, columns = (_starts(side) for side in picture.shape[:2])
  crops = (
    picture[row : row + height, column : column + width]
    for row in rows
    for column in columns
  )
  return np.stack([np.asarray(_seen(_vgg(), crop)) for crop in crops])


def _starts(side):
  """Where crops begin in a direction."""
  count = min(max(side // SIDE, 1), MOST)
  return np.linspace(0, max(side - SIDE, 0), count).astype(int)


@jax.jit
def _seen(params, crop):
  unit = crop[None].astype('float32') / 255
  found = encoders.features(params, unit, [_LAYER], precision='highest')
  return found[_LAYER].mean((0, 1, 2))


@functools.cache
def _vgg():
  return jax.device_put(encoders.load('vgg16'))


def frechet(a: np.ndarray, b: np.ndarray) -> float:
  """FID's distance of two sets of features, f[N, C] and f[M, C].

  It falls with the number of elements: compare sets of equal sizes. nan where a
  set has one element.
  """
  return digit_scores.frechet(a, b, 1) if min(len(a), len(b)) > 1 else np.nan


def kernel(a: np.ndarray, b: np.ndarray) -> float:
  """KID's distance of two sets of features, f[N, C] and f[M, C].

  The maximum mean discrepancy of the kernel (x y / C + 1)^3, squared, without
  bias: about 0 for samples of one distribution, and also below it. nan where a
  set has one element.
  """
  a, b = a.astype(np.float64), b.astype(np.float64)
  if min(len(a), len(b)) < 2:
    return np.nan
  within = (
    (_total(x, x) - np.sum((np.sum(x**2, 1) / x.shape[1] + 1) ** 3))
    / (len(x) * (len(x) - 1))
    for x in (a, b)
  )
  return float(sum(within) - 2 * _total(a, b) / (len(a) * len(b)))


def _total(a, b):
  """The kernel's sum over all pairs."""
  return sum(
    np.sum((a[i : i + _ROWS] @ b.T / a.shape[1] + 1) ** 3)
    for i in range(0, len(a), _ROWS)
  )


DISTANCES = {'fid_vgg16': frechet, 'kid_vgg16': kernel}


def distances(
  names: Sequence[str],
  sets: Sequence[np.ndarray],
  targets: Sequence[np.ndarray],
) -> dict[str, float]:
  """{name of `DISTANCES`: number} of all crops of pictures and of targets.

  Args:
    names: which; others are passed over.
    sets: `features` of each picture.
    targets: those of each target.
  """
  return {
    name: DISTANCES[name](np.concatenate(sets), np.concatenate(targets))
    for name in names
    if name in DISTANCES
  }
