"""Finds damage: predicts a damage map of cracks, losses and stains."""

import jax
import jax.numpy as jnp

from artjax.tasks import base


class Task(base.Task):
  """See the module."""

  channels = 3
  evaluator = 'damage.Damage'
  finds = True
  stage = 'stages.Detect'

  def inputs(self, batch: base.Batch, rng: jax.Array | None) -> jax.Array:
    """The damaged picture, f32[B, H, W, 3] in [0, 1]."""
    del rng
    return base.unit(batch['image'])

  def to_image(self, batch: base.Batch, y: jax.Array) -> jax.Array:
    """Logits -> probabilities of crack, loss and stain, f32[B, H, W, 3]."""
    del batch
    return jax.nn.sigmoid(y.astype(jnp.float32))
