"""Losses between two pictures, computed from pixels and windows."""

import jax
import jax.numpy as jnp
import numpy as np

from artjax import colour
from artjax.losses import contract

_WINDOW, _SIGMA = 11, 1.5  # of the SSIM's Gaussian, px
_C1, _C2 = 0.01**2, 0.03**2


def l1(pred: jax.Array, target: jax.Array) -> jax.Array:
  """Mean absolute error."""
  pred, target = contract.checked(pred, target)
  return contract.mean(contract.magnitude(pred - target))


def mse(pred: jax.Array, target: jax.Array) -> jax.Array:
  """Mean squared error."""
  pred, target = contract.checked(pred, target)
  return contract.mean((pred - target) ** 2)


def charbonnier(
  pred: jax.Array, target: jax.Array, *, eps: float = 1e-3
) -> jax.Array:
  """Mean of sqrt(difference^2 + eps^2), a smooth l1; eps for equal pictures.

  https://doi.org/10.1109/ICIP.1994.413553
  """
  pred, target = contract.checked(pred, target)
  return contract.mean(jnp.sqrt((pred - target) ** 2 + eps**2))


def psnr(pred: jax.Array, target: jax.Array, *, eps: float = 1e-4) -> jax.Array:
  """How far the PSNR is below that of a mean squared error eps, in dB; >= 0.

  It measures relative errors, unlike the others, so that pictures in good
  condition count as much as heavily damaged ones. It is the loss of NAFNet
  (https://arxiv.org/abs/2204.04676), bounded at eps (40 dB by default).
  """
  pred, target = contract.checked(pred, target)
  return 10 * jnp.log10(1 + contract.mean((pred - target) ** 2) / eps)


def ssim(pred: jax.Array, target: jax.Array) -> jax.Array:
  """1 - SSIM, in [0, 2]: the mean over channels, as `metrics.ssim_rgb`.

  Pictures must be 11 px a side or more.
  Wang et al. 2004, https://doi.org/10.1109/TIP.2003.819861
  """
  pred, target = contract.checked(pred, target)
  if min(pred.shape[1:3]) < _WINDOW:
    raise ValueError(
      f'ssim needs at least {_WINDOW} px a side, '
      f'got {pred.shape[1]}x{pred.shape[2]}'
    )
  mean_x, mean_y = _gaussian(pred), _gaussian(target)
  product = mean_x * mean_y
  squares = mean_x**2 + mean_y**2
  covariance = _gaussian(pred * target) - product
  variances = _gaussian(pred**2 + target**2) - squares  # of both, summed
  similarity = (
    (2 * product + _C1)
    * (2 * covariance + _C2)
    / ((squares + _C1) * (variances + _C2))
  )
  return 1.0 - contract.mean(similarity)


def detail(
  pred: jax.Array, target: jax.Array, *, block: int = 16, eps: float = 1e-3
) -> jax.Array:
  """Charbonnier loss of the error minus its mean over each block.

  Where a colour is wrong, l1 sees only that: its gradient has the same sign
  over noise, scratches and brush strokes. Here an error that is constant over a
  `block` x `block` px square costs nothing, so detail is learnt even if the
  colour cannot be known. Sides must be at least `block`; incomplete blocks at
  the right and the bottom are left out.
  """
  pred, target = contract.checked(pred, target)
  batch, height, width, channels = pred.shape
  rows, columns = height // block, width // block
  if not rows or not columns:
    raise ValueError(
      f'{width} x {height} px is smaller than a block of the '
      f'loss detail, {block} px'
    )
  error = (pred - target)[:, : rows * block, : columns * block]
  error = error.reshape(batch, rows, block, columns, block, channels)
  error = error - error.mean(axis=(2, 4), keepdims=True)
  return contract.mean(jnp.sqrt(error**2 + eps**2))


def tone(pred: jax.Array, target: jax.Array, *, block: int = 16) -> jax.Array:
  """Mean absolute error of the means of `block` x `block` px squares.

  The part of the error that `detail` leaves out: lightness and colour must stay
  where noise and grain are averaged away. Sides must be at least `block`.
  """
  pred, target = contract.checked(pred, target)
  batch, height, width, channels = pred.shape
  rows, columns = height // block, width // block
  if not rows or not columns:
    raise ValueError(
      f'{width} x {height} px is smaller than a block of the '
      f'loss tone, {block} px'
    )
  error = (pred - target)[:, : rows * block, : columns * block]
  error = error.reshape(batch, rows, block, columns, block, channels)
  return contract.mean(contract.magnitude(error.mean(axis=(2, 4))))


def lab(pred: jax.Array, target: jax.Array) -> jax.Array:
  """Mean distance in CIE Lab, over 100; RGB only.

  100 is the distance of black and white; equal colours have no gradient.
  """
  pred, target = contract.checked(pred, target)
  off = colour.srgb_to_lab(pred) - colour.srgb_to_lab(target)
  # The root of 0 has no gradient: a thousandth of what can be seen is added.
  return contract.mean(jnp.sqrt((off**2).sum(-1) + 1e-6)) / 100


def harm(
  pred: jax.Array, target: jax.Array, degraded: jax.Array, *, eps: float = 1e-4
) -> jax.Array:
  """How much worse `pred` is than the input, in dB as `psnr`; 0 if better.

  Args:
    pred, target: [B, H, W, C] in [0, 1].
    degraded: the input, of the same shape.
    eps: as in `psnr`: differences far below its root do not count.
  """
  pred, degraded = contract.checked(pred, degraded)
  return jnp.maximum(
    psnr(pred, target, eps=eps) - psnr(degraded, target, eps=eps), 0
  )


def ab(
  pred: jax.Array,
  target: jax.Array,
  *,
  rare: float = 0.5,
  chroma: float = 12.0,
  delta: float = 5.0,
) -> jax.Array:
  """Huber distance of a and b of CIE Lab, rare colours weighted up; RGB only.

  Most of a picture is nearly grey, so a plain mean over its pixels teaches a
  network to paint grey. Colours are weighted by 1 / ((1 - rare) p + rare) as in
  https://arxiv.org/abs/1603.08511, but p is exp(-C / chroma), a model of how
  the chroma C is distributed in paintings, instead of a histogram of a training
  set.

  Args:
    pred, target: f32[B, H, W, 3].
    rare: in (0, 1]: 1 weights all colours alike, 0.5 vivid colours twice.
    chroma: mean CIE Lab chroma of the training pictures.
    delta: error at which squared turns into absolute, in units of CIE Lab.

  Returns:
    f32[B], in units of CIE Lab.
  """
  pred, target = contract.checked(pred, target)
  theirs = colour.srgb_to_lab(target)[..., 1:]
  square = ((colour.srgb_to_lab(pred)[..., 1:] - theirs) ** 2).sum(-1)
  # A root that starts flat: pseudo-Huber.
  distance = delta * (jnp.sqrt(1 + square / delta**2) - 1)
  density = jnp.exp(-jnp.sqrt((theirs**2).sum(-1)) / chroma)
  return contract.mean(distance / ((1 - rare) * density + rare))


def _gaussian(x):
  """Gaussian window means, [B, H, W, C] -> [B, H - 10, W - 10, C]."""
  # Products with band matrices: on a CPU the gradient takes 0.03 s for
  # 8x128x128x3, where shifted additions take 1.1 s and a convolution 0.5 s.
  # Full precision, for a variance taken as a difference does not survive
  # TF32.
  x = jnp.einsum('hk,bkwc->bhwc', _band(x.shape[1]), x, precision='highest')
  return jnp.einsum('wk,bhkc->bhwc', _band(x.shape[2]), x, precision='highest')


def _band(size):
  """Gaussian windows that lie inside `size` px, f32[size - 10, size]."""
  offset = np.arange(_WINDOW) - _WINDOW // 2
  taps = np.exp(-0.5 * (offset / _SIGMA) ** 2)
  first = np.arange(size - _WINDOW + 1)[:, None]
  matrix = np.zeros((len(first), size), np.float32)
  matrix[first, first + np.arange(_WINDOW)] = taps / taps.sum()
  return matrix
