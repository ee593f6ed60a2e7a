"""Metrics of restored pictures, one function each; names state the protocol.

All compare pictures as a user gets them, rounded: (pred u8[B, H, W, 3], target
u8[B, H, W, 3], *, crop=0) -> float64[B], one number per picture. RGB order.
`crop` first removes that many px at each side (x4 benchmarks crop 4). All raise
ValueError for unequal shapes, other dtypes, or a crop that leaves nothing. With
a `mask`, bool[B, H, W] of the same crop, a metric is the mean over the pixels
where it is True; windows may include their surroundings.

PSNR and SSIM follow BasicSR's definitions: *_rgb over the three channels,
*_y on the luma of BT.601 (16..235), in floating point and **not rounded**;
MATLAB's rounded luma gives about 0.01 dB less.
"""

import functools
from typing import Any

import cv2
import jax
import numpy as np

from artjax import colour
from artjax.evaluation import pairs
from artjax.evaluation.perceptual import dists as dists_lib
from artjax.evaluation.perceptual import niqe as niqe_lib
from artjax.models import encoders

Array = np.ndarray
# Metrics of which the smallest value is the best; of all others the largest is.
LOWER_IS_BETTER = (
  'mae',
  'ciede2000',
  'lpips',
  'dists',
  'niqe',
  'lightness_shift',
  'chroma_gain',
)
_WINDOW, _SIGMA = 11, 1.5  # of the SSIM's Gaussian, px
_C1, _C2 = (0.01 * 255) ** 2, (0.03 * 255) ** 2
_GMS = 170.0  # of squared 8-bit levels, as published


def psnr_rgb(
  pred: Array, target: Array, *, crop: int = 0, mask: Array | None = None
) -> Array:
  """Peak signal-to-noise ratio in dB over R, G, B; inf for equal pictures."""
  pred, target = pairs.prepare(pred, target, crop)
  return _psnr(pred.astype(np.float64), target.astype(np.float64), mask)


def psnr_damaged(
  pred: Array, target: Array, *, crop: int = 0, mask: Array
) -> Array:
  """`psnr_rgb` of the pixels that were damaged; nan if none was."""
  return psnr_rgb(pred, target, crop=crop, mask=mask)


def psnr_y(pred: Array, target: Array, *, crop: int = 0) -> Array:
  """Peak signal-to-noise ratio in dB of the luma; inf for equal pictures."""
  pred, target = pairs.prepare(pred, target, crop)
  return _psnr(pairs.luma(pred), pairs.luma(target))


def _psnr(pred, target, mask=None):
  squares = np.square(pred - target)
  if mask is None:
    mse = squares.mean(axis=(1, 2, 3))
  else:
    mse = np.array(
      [s[m].mean() if m.any() else np.nan for s, m in zip(squares, mask)]
    )
  with np.errstate(divide='ignore'):  # equal pictures: inf, as in BasicSR
    return 10 * np.log10(255**2 / mse)


def ssim_rgb(
  pred: Array, target: Array, *, crop: int = 0, mask: Array | None = None
) -> Array:
  """Structural similarity in [-1, 1], mean of R, G, B; 1 for equal pictures.

  11x11 Gaussian windows of sigma 1.5 px that lie inside the picture; nan if
  none of them is centred in the mask.
  Wang et al. 2004, https://doi.org/10.1109/TIP.2003.819861
  """
  pred, target = pairs.prepare(pred, target, crop)
  return _ssim(pred.astype(np.float64), target.astype(np.float64), mask)


def ssim_y(pred: Array, target: Array, *, crop: int = 0) -> Array:
  """Structural similarity of the luma, see `ssim_rgb`."""
  pred, target = pairs.prepare(pred, target, crop)
  return _ssim(pairs.luma(pred), pairs.luma(target))


def _ssim(pred, target, mask=None):
  if min(pred.shape[1:3]) < _WINDOW:
    raise ValueError(
      f'SSIM needs at least {_WINDOW} px a side after the crop, '
      f'got {pred.shape[1]}x{pred.shape[2]}'
    )
  half = _WINDOW // 2
  within = np.ones(pred.shape[:3], bool) if mask is None else mask
  maps = (
    (_ssim_map(x, y), m[half:-half, half:-half])
    for x, y, m in zip(pred, target, within)
  )
  return np.array(
    [found[m].mean() if m.any() else np.nan for found, m in maps], np.float64
  )


def _ssim_map(x, y):
  """SSIM of each window of float64[H, W, C], 8-bit levels."""
  mean_x, mean_y = _gaussian(x), _gaussian(y)
  product = mean_x * mean_y
  squares = mean_x**2 + mean_y**2
  covariance = _gaussian(x * y) - product
  variances = _gaussian(x**2 + y**2) - squares  # of both, summed
  return (
    (2 * product + _C1)
    * (2 * covariance + _C2)
    / ((squares + _C1) * (variances + _C2))
  )


def _gaussian(x):
  """Gaussian window means, [H, W, C] -> [H - 10, W - 10, C]."""
  taps = cv2.getGaussianKernel(_WINDOW, _SIGMA)
  half = _WINDOW // 2
  return cv2.sepFilter2D(x, -1, taps, taps)[half:-half, half:-half]


def gms_y(pred: Array, target: Array, *, crop: int = 0) -> Array:
  """Similarity of gradient magnitudes of the luma, mean; in (0, 1], 1 = equal.

  Measures whether edges are in the same places and equally strong, whatever the
  colours and, in faces, the identity. It is the map of GMSD (Xue et al. 2014,
  https://doi.org/10.1109/TIP.2013.2293423), averaged: luma of 2 x 2 px means,
  Prewitt filters, constant 170 for 255 levels.
  """
  pred, target = pairs.prepare(pred, target, crop)
  if min(pred.shape[1:3]) < 6:
    raise ValueError(
      'gms_y needs at least 6 px a side after the crop, got '
      f'{pred.shape[1]}x{pred.shape[2]}'
    )
  return np.array(
    [_gms_picture(x, y) for x, y in zip(pairs.luma(pred), pairs.luma(target))],
    np.float64,
  )


def _gms_picture(x, y):
  one, other = _gradient(x), _gradient(y)
  return np.mean((2 * one * other + _GMS) / (one**2 + other**2 + _GMS))


def _gradient(luma):
  """Prewitt's gradient magnitude of 2 x 2 px means, inside the picture."""
  height, width = (side // 2 * 2 for side in luma.shape[:2])
  luma = luma[:height, :width, 0].reshape(height // 2, 2, width // 2, 2)
  luma = luma.mean((1, 3))
  filters = np.ones([3, 1]) / 3, np.array([[1.0], [0.0], [-1.0]])
  dx = cv2.sepFilter2D(luma, -1, filters[1], filters[0])
  dy = cv2.sepFilter2D(luma, -1, filters[0], filters[1])
  return np.hypot(dx, dy)[1:-1, 1:-1]


def mae(pred: Array, target: Array, *, crop: int = 0) -> Array:
  """Mean absolute error over R, G, B in units of the full range, [0, 1]."""
  pred, target = pairs.prepare(pred, target, crop)
  error = np.abs(pred.astype(np.int16) - target)
  return error.mean(axis=(1, 2, 3)) / 255


def accuracy(pred: Array, target: Array, *, crop: int = 0) -> Array:
  """Share of pixels whose largest channel is the same in both, in [0, 1].

  This is what Keras prints as `accuracy` when a network regresses RGB (its
  categorical accuracy over the last axis); of equal channels the first counts.
  """
  pred, target = pairs.prepare(pred, target, crop)
  return np.mean(pred.argmax(-1) == target.argmax(-1), axis=(1, 2))


def average_precision(pred: Array, target: Array, *, crop: int = 0) -> Array:
  """Average precision of finding damage of any kind, in [0, 1].

  The largest channel of a mask counts. pred holds probabilities, 255 = 1, and
  target is damaged from 128 on. The result is the mean of the precision over
  the steps of the recall, without interpolation. For pictures without damage it
  is 1 if pred is 0 everywhere, else 0.
  """
  pred, target = pairs.prepare(pred, target, crop)
  return np.array(
    [
      _average_precision(p.max(-1), t.max(-1) >= 128)
      for p, t in zip(pred, target)
    ]
  )


def _average_precision(pred, damaged):
  if not damaged.any():
    return float(not pred.any())
  return precision_recall(
    np.bincount(pred[damaged], minlength=256),
    np.bincount(pred[~damaged], minlength=256),
  )[2]


def precision_recall(
  damaged: Array, sound: Array
) -> tuple[Array, Array, float]:
  """(precision, recall, average precision) for each level as the threshold.

  Args:
    damaged: [256], how many damaged pixels have each level of probability.
    sound: [256], how many others.

  Returns:
    f64[256] each, by level: nan if nothing is marked, or nothing is damaged;
    and the average precision, nan without damage.
  """
  # From the surest level down: what is marked when all from there on is.
  hits, marks = (
    np.cumsum(counts[::-1], dtype=np.float64)
    for counts in (damaged, damaged + sound)
  )
  with np.errstate(invalid='ignore'):  # 0 / 0
    precision, recall = hits / marks, hits / hits[-1]
  gained = np.diff(recall, prepend=0.0)
  average = np.sum(np.where(gained == 0, 0, gained * precision))
  return precision[::-1], recall[::-1], float(average)


def mask_iou(pred: Array, target: Array, *, crop: int = 0) -> Array:
  """Intersection over union of damage of any kind, in [0, 1].

  A pixel is damaged if any channel is 128 or more; 1 if neither has damage.
  """
  pred, target = pairs.prepare(pred, target, crop)
  found, damaged = (x.max(-1) >= 128 for x in (pred, target))
  both = (found & damaged).sum((1, 2))
  either = (found | damaged).sum((1, 2))
  return np.where(either, both / np.maximum(either, 1), 1.0)


def _lab(image):
  return colour.srgb_to_lab(image.astype(np.float32) / 255)


def ciede2000(pred: Array, target: Array, *, crop: int = 0) -> Array:
  """Mean colour difference CIEDE2000: 0 = equal pictures, 1 = just visible."""
  pred, target = pairs.prepare(pred, target, crop)
  return np.array(
    [
      colour.ciede2000(_lab(x), _lab(y)).mean(dtype=np.float64)
      for x, y in zip(pred, target)
    ]
  )


def lightness_shift(pred: Array, target: Array, *, crop: int = 0) -> Array:
  """Absolute change of the mean lightness L*, in [0, 100]."""
  pred, target = pairs.prepare(pred, target, crop)
  return np.array(
    [
      abs(float((_lab(x) - _lab(y))[..., 0].mean(dtype=np.float64)))
      for x, y in zip(pred, target)
    ]
  )


def chroma_gain(pred: Array, target: Array, *, crop: int = 0) -> Array:
  """Mean gain in CIE Lab chroma; pixels that lost chroma count as 0.

  For a grey picture it measures the colour that was added.
  """
  pred, target = pairs.prepare(pred, target, crop)
  chroma = lambda x: np.linalg.norm(_lab(x)[..., 1:], axis=-1)
  return np.array(
    [
      np.maximum(chroma(x) - chroma(y), 0).mean(dtype=np.float64)
      for x, y in zip(pred, target)
    ]
  )


def psnr_ab(pred: Array, target: Array, *, crop: int = 0) -> Array:
  """PSNR in dB of a and b of CIE Lab over a range of 255; inf for equal ones.

  Lightness does not count, since colorizing does not predict it.
  """
  pred, target = pairs.prepare(pred, target, crop)
  error = np.array(
    [
      np.square((_lab(x) - _lab(y))[..., 1:], dtype=np.float64).mean()
      for x, y in zip(pred, target)
    ]
  )
  with np.errstate(divide='ignore'):
    return 10 * np.log10(255**2 / error)


def colourfulness(pred: Array, target: Array, *, crop: int = 0) -> Array:
  """Colourfulness relative to the target: 1 = as colourful, 0 = grey.

  D. Hasler, S. Suesstrunk, https://doi.org/10.1117/12.477378, on 8-bit levels.
  For a grey target a colourfulness of 1 is used, which is just visible.
  """
  pred, target = pairs.prepare(pred, target, crop)
  return np.array(
    [
      _colourfulness(x) / max(_colourfulness(y), 1.0)
      for x, y in zip(pred, target)
    ]
  )


def _colourfulness(image):
  """M of Hasler and Suesstrunk, u8[H, W, 3] -> 0 (grey) to about 110."""
  r, g, b = np.moveaxis(image.astype(np.float64), -1, 0)
  opponents = r - g, (r + g) / 2 - b
  spread = np.hypot(*(x.std() for x in opponents))
  return float(spread + 0.3 * np.hypot(*(x.mean() for x in opponents)))


def lpips(
  pred: Array,
  target: Array,
  *,
  crop: int = 0,
  frozen: Any = None,
  mask: Array | None = None,
) -> Array:
  """LPIPS 0.1 of AlexNet with linear heads, 0 for equal pictures, >= 0.

  This is the variant papers quote. Computed in float32, compiled once for
  each shape. Pictures must be 31 px a side or more after the crop.

  `frozen` is `encoders.load('alexnet')`; by default it is loaded at the
  first call and kept on the device. https://arxiv.org/abs/1801.03924
  """
  pred, target = pairs.prepare(pred, target, crop)
  params = _alexnet() if frozen is None else frozen
  # One picture at a time: the shape to compile for and the memory needed do
  # not depend on the batch.
  masks = (
    [None] * len(pred)
    if mask is None
    else [m.astype(np.float32)[None, ..., None] for m in mask]
  )
  return np.array(
    [
      np.asarray(_lpips(params, x[None], y[None], m))[0]
      for x, y, m in zip(pred, target, masks)
    ],
    np.float64,
  )


@functools.cache
def _alexnet():
  return jax.device_put(encoders.load('alexnet'))


@jax.jit
def _lpips(params, pred, target, weight):
  pred, target = (x.astype('float32') / 255 for x in (pred, target))
  # Full float32, so that a GPU's TF32 does not change the figure.
  return encoders.lpips(
    params, pred, target, net='alexnet', precision='highest', weight=weight
  )


def dists(pred: Array, target: Array, *, crop: int = 0) -> Array:
  """DISTS, 0 for equal pictures, at most about 1; see `dists_lib`.

  Textures that are alike without being the same count little. Pictures must be
  16 px a side or more after the crop, and are seen at their size.
  """
  pred, target = pairs.prepare(pred, target, crop)
  return np.array([dists_lib.of_pair(x, y) for x, y in zip(pred, target)])


def niqe(pred: Array, target: Array, *, crop: int = 0) -> Array:
  """NIQE, of `pred` alone: about 2 to 20, lower is more natural.

  On rounded luma, as MATLAB does. Pictures must be 96 x 192 px or more after
  the crop; nan where one is of one colour all over. See `niqe_lib`.
  """
  pred, _ = pairs.prepare(pred, target, crop)
  return np.array(
    [niqe_lib.of_luma(pairs.luma(x)[..., 0].round()) for x in pred]
  )
