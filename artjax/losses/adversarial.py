"""Adversarial losses of the generator and the discriminator.

A loss is (real, fake, mean) -> (discriminator loss f32[], generator loss
f32[]). `real` and `fake` are logits f32[B, ...] of clean and of generated
pictures; `mean` averages an array over all its axes and all devices. Every
public function here is a loss that config.adversary.loss can name.
"""

from collections.abc import Callable, Sequence

import jax
import jax.numpy as jnp

Mean = Callable[[jax.Array], jax.Array]


def vanilla(
  real: jax.Array, fake: jax.Array, mean: Mean
) -> tuple[jax.Array, jax.Array]:
  """Cross-entropy, non-saturating: https://arxiv.org/abs/1406.2661"""
  return (
    mean(jax.nn.softplus(-real)) + mean(jax.nn.softplus(fake)),
    mean(jax.nn.softplus(-fake)),
  )


def least_squares(
  real: jax.Array, fake: jax.Array, mean: Mean
) -> tuple[jax.Array, jax.Array]:
  """Distance of logits from 1 and 0: https://arxiv.org/abs/1611.04076"""
  return (
    0.5 * (mean((real - 1) ** 2) + mean(fake**2)),
    0.5 * mean((fake - 1) ** 2),
  )


def hinge(
  real: jax.Array, fake: jax.Array, mean: Mean
) -> tuple[jax.Array, jax.Array]:
  """Margins of 1 for the discriminator: https://arxiv.org/abs/1705.02894"""
  return (
    mean(jax.nn.relu(1 - real)) + mean(jax.nn.relu(1 + fake)),
    -mean(fake),
  )


def relativistic(
  real: jax.Array, fake: jax.Array, mean: Mean
) -> tuple[jax.Array, jax.Array]:
  """Relativistic average: compares logits with the mean of the other kind.

  https://arxiv.org/abs/1807.00734, halved as in ESRGAN.
  """
  real, fake = real - mean(fake), fake - mean(real)
  halves = lambda more, less: (
    0.5 * (mean(jax.nn.softplus(-more)) + mean(jax.nn.softplus(less)))
  )
  return halves(real, fake), halves(fake, real)


LOSSES = {
  loss.__name__: loss for loss in (vanilla, least_squares, hinge, relativistic)
}


def get(name: str) -> Callable[..., tuple[jax.Array, jax.Array]]:
  """The loss called `name`; ValueError with the known names otherwise."""
  if name not in LOSSES:
    raise ValueError(
      f'adversary.loss={name!r} is not one of {", ".join(LOSSES)}'
    )
  return LOSSES[name]


def threshold(name: str) -> float:
  """The logit above which this loss considers a picture real."""
  return 0.5 if name == 'least_squares' else 0.0


def feature_matching(
  real: Sequence[jax.Array], fake: Sequence[jax.Array]
) -> jax.Array:
  """Mean absolute difference of features, mean over the layers: f32[].

  Args:
    real: the discriminator's features of clean pictures, a sequence of arrays.
    fake: those of the generated ones; gradients reach only these.

  https://arxiv.org/abs/1711.11585
  """
  distances = [
    jnp.abs(ours.astype(jnp.float32) - jax.lax.stop_gradient(theirs)).mean()
    for ours, theirs in zip(fake, real)
  ]
  return sum(distances[1:], start=distances[0]) / len(distances)


def r1_penalty(
  logits: Callable[[jax.Array], jax.Array], pictures: jax.Array
) -> jax.Array:
  """Squared gradient of the logits by real pictures, mean over them: f32[].

  Args:
    logits: pictures f32[B, H, W, C] -> logits f32[B, ...].
    pictures: where the gradient is taken.

  https://arxiv.org/abs/1801.04406. The gradient is that of a picture's mean
  logit, so that it does not depend on the number of logits.
  """

  def total(x):
    y = logits(x)
    return y.mean(axis=tuple(range(1, y.ndim))).sum()

  gradient = jax.grad(total)(pictures)
  return jnp.sum(gradient**2, axis=(1, 2, 3)).mean()
