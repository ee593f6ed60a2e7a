"""The undamaged picture from a degraded one; super-resolution too."""

import jax

from artjax.tasks import base


class Task(base.Task):
  """See the module."""

  channels = 3
  evaluator = 'paired.Paired'

  def inputs(self, batch: base.Batch, rng: jax.Array | None) -> jax.Array:
    """The degraded picture, f32[B, H, W, 3] in [0, 1]."""
    del rng
    return base.unit(batch['image'])
