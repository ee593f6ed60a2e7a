"""Fills the missing region of a picture from its surroundings."""

import jax
import jax.numpy as jnp

from artjax.tasks import base


class Task(base.Task):
  """See the module."""

  channels = 4
  reads = ('image', 'mask')
  evaluator = 'inpainting.Inpainting'
  stage = 'stages.Fill'

  def inputs(self, batch: base.Batch, rng: jax.Array | None) -> jax.Array:
    """The picture, black in its holes, and the holes: f32[B, H, W, 4]."""
    del rng
    hole = base.missing(batch)
    return jnp.concatenate([base.unit(batch['image']) * (1 - hole), hole], -1)
