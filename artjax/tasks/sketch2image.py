"""Makes a photograph or a painting from a drawing."""

import jax
import jax.numpy as jnp

from artjax.tasks import base


class Task(base.Task):
  """See the module."""

  channels = 1
  evaluator = 'paired.Paired'
  stage = 'generative.Draw'
  conjecture = 'all but the drawn shapes: nothing of it was ever seen'

  def inputs(self, batch: base.Batch, rng: jax.Array | None) -> jax.Array:
    """The drawing's luma (BT.601); only its paper has a colour."""
    del rng
    weights = jnp.array([[0.299], [0.587], [0.114]])
    return jnp.matmul(base.unit(batch['image']), weights, precision='highest')
