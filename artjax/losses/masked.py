"""Losses that use a mask of missing pixels."""

import jax
import jax.numpy as jnp

from artjax.losses import contract


def hole_l1(
  pred: jax.Array, target: jax.Array, mask: jax.Array, *, known: float = 0.1
) -> jax.Array:
  """Mean absolute error of missing pixels, plus `known` times that of the rest.

  Each is a mean over its own pixels, so that a small hole counts as much as a
  large one, and known pixels do not dominate.

  Args:
    pred, target: [B, H, W, C] in [0, 1].
    mask: f32[B, H, W, 1] in [0, 1], 1 where it is missing.
    known: weight of the known pixels.
  """
  pred, target = contract.checked(pred, target)
  _check_mask('hole_l1', mask)
  error = contract.magnitude(pred - target)
  return _mean_over(error, mask) + known * _mean_over(error, 1 - mask)


def hole_psnr(
  pred: jax.Array, target: jax.Array, mask: jax.Array, *, eps: float = 1e-4
) -> jax.Array:
  """As `psnr`, but only over missing pixels, as in evaluation.

  Args:
    pred, target: [B, H, W, C] in [0, 1].
    mask: f32[B, H, W, 1] in [0, 1], 1 where it is missing.
    eps: mean squared error that costs 3 dB; errors far below it cost nothing.
  """
  pred, target = contract.checked(pred, target)
  _check_mask('hole_psnr', mask)
  return 10 * jnp.log10(1 + _mean_over((pred - target) ** 2, mask) / eps)


def bce(
  pred: jax.Array,
  target: jax.Array,
  *,
  gamma: float = 0.0,
  positive: float = 1.0,
) -> jax.Array:
  """Mean binary cross-entropy of probabilities, in nats.

  Args:
    pred: probabilities [B, H, W, C] in [0, 1], the output of a sigmoid.
    target: masks of the same shape, 0 or 1.
    gamma: above 0 it is the focal loss (https://arxiv.org/abs/1708.02002):
      pixels that are already right count little.
    positive: weight of the pixels that are 1, for when they are rare.

    Returns:
      f32[B], finite. Missed pixels have their full gradient down to values of
      1e-37, which float32 can represent. With a bound of, say, 1e-6, a network
      that once predicts 0 everywhere would do so for ever.
  """
  pred, target = contract.checked(pred, target)
  # 1 - pred is a multiple of 2^-24: nothing is closer to 1.
  there = -positive * target * jnp.log(jnp.maximum(pred, 1e-37))
  absent = -(1 - target) * jnp.log(jnp.maximum(1 - pred, 2.0**-25))
  if gamma:
    there, absent = there * (1 - pred) ** gamma, absent * pred**gamma
  return contract.mean(there + absent)


def dice(
  pred: jax.Array, target: jax.Array, *, slack: float = 0.01
) -> jax.Array:
  """1 - soft Dice overlap of masks, the mean over channels, in [0, 1].

  Unlike `bce` it weighs a picture with a single crack as much as one covered by
  cracks. `slack`, a share of the picture, is added to both overlap and areas:
  if there is nothing to find and a share p is marked, the loss is p / (p +
  slack). https://arxiv.org/abs/1606.04797
  """
  pred, target = contract.checked(pred, target)
  both = 2 * (pred * target).mean((1, 2)) + slack
  return (1 - both / (pred.mean((1, 2)) + target.mean((1, 2)) + slack)).mean(-1)


def _check_mask(name, mask):
  if mask is None:
    raise ValueError(
      f'the loss {name} needs a mask, and the batch has none: '
      'end data.ops in keep("image", "target", "mask")'
    )


def _mean_over(x, mask):
  """f32[B], the mean of [B, H, W, C] within the mask."""
  # Less than a pixel: there is nothing to take a mean of.
  least = 0.5 / (mask.shape[1] * mask.shape[2])
  return contract.mean(x.mean(-1, keepdims=True) * mask) / jnp.maximum(
    contract.mean(mask), least
  )
