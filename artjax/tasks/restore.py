"""Restores a degraded picture; also super-resolution."""

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

  def to_image(self, batch: base.Batch, y: jax.Array) -> jax.Array:
    """The first three channels; a fourth predicts their errors."""
    del batch
    return y[..., :3]

  def log_scale(self, y: jax.Array) -> jax.Array | None:
    """The fourth channel, of networks that have one."""
    return y[..., 3:] if y.shape[-1] == 4 else None
