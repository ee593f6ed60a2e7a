"""Takes stains away: what shines through them is restored, and not repainted.

The generator sees a small copy of the whole picture and predicts, for each of
its pixels and channels, a factor and what is added (`transform`). Enlarged,
they are applied to the picture itself, so that its details stay: a stain is a
filter that lies on the paint, and what it has tinted or veiled is still there.
"""

from typing import Any

import jax
import numpy as np

from artjax.tasks import base

Array = Any  # np.ndarray or jax.Array: what is given comes back

GAIN = 1.5  # log of the largest factor, and of the smallest
ADDED = 0.5  # most that is added


class Task(base.Task):
  """See the module."""

  channels = 3
  restorer = 'stain_remover.StainRemover'
  stage = 'stages.Stains'

  def inputs(self, batch: base.Batch, rng: jax.Array | None) -> jax.Array:
    """The picture, f32[B, H, W, 3] in [0, 1]."""
    del rng
    return base.unit(batch['image'])

  def to_image(self, batch: base.Batch, y: jax.Array) -> jax.Array:
    """The picture with the transform applied."""
    return transform(base.unit(batch['image']), *factors(y))


def factors(y: Array) -> tuple[Array, Array]:
  """What a network predicts -> a factor and what is added, both bounded.

  Args:
    y: f32[..., 6].

  Returns:
    f32[..., 3] and f32[..., 3]; 1 and 0 for zeros.
  """
  xp: Any = np if isinstance(y, np.ndarray) else jax.numpy
  return (xp.exp(GAIN * xp.tanh(y[..., :3])), ADDED * xp.tanh(y[..., 3:]))


def transform(picture: Array, factor: Array, added: Array) -> Array:
  """f32[..., 3] in [0, 1] -> f32[..., 3] of the same shape, not clipped."""
  return picture * factor + added
