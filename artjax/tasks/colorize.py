"""Predicts the colours of a grey picture, from 'hints' too if there are any."""

import jax
import jax.numpy as jnp

from artjax import colour
from artjax.tasks import base

AB = 110.0  # a and b of CIE Lab are over this where a network sees them


class Task(base.Task):
  """See the module."""

  channels = 4
  may_read = ('hints',)
  evaluator = 'paired.Colorized'
  restorer = 'colorizer.Colorizer'
  stage = 'generative.Colorize'
  conjecture = 'all colours: plausible ones, not what was there'

  def inputs(self, batch: base.Batch, rng: jax.Array | None) -> jax.Array:
    """Lightness, a and b of the hints, and where they are; else zeros."""
    del rng
    grey = luma(batch) / 100 - 0.5
    if 'hints' not in batch:
      return jnp.concatenate([grey] + 3 * [jnp.zeros_like(grey)], -1)
    hints = base.unit(batch['hints'])
    there = hints[..., 3:]
    ab = colour.srgb_to_lab(hints[..., :3])[..., 1:] / AB
    return jnp.concatenate([grey, ab * there, there], -1)

  def to_image(self, batch: base.Batch, y: jax.Array) -> jax.Array:
    """The given lightness with the predicted colours."""
    return colour.lab_to_srgb(jnp.concatenate([luma(batch), AB * y], -1))


def luma(batch: base.Batch) -> jax.Array:
  """f32[B, H, W, 1]: the lightness of 'image', CIE Lab's L in [0, 100]."""
  return colour.srgb_to_lab(base.unit(batch['image']))[..., :1]
