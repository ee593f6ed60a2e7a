"""How to undo the stains of a picture, pixel by pixel, from a small copy of it.

The network of `detector.Detector`, which knows what a stain looks like, with
other outputs: for each pixel and channel, the logarithm of a factor and what is
added, see tasks/stains.py. Scale x1, any height and width. Zeros leave a
picture as it is; an untrained network predicts nearly that. With the default
fields 2,764,136 parameters.

Pictures without colour get the same for all channels, so that grey stays grey.
"""

from collections.abc import Sequence

import flax.linen as nn
import jax

from artjax.models import detector
from artjax.models.transforms import tone_curves


class StainField(detector.Detector):
  """f32[B, H, W, 3] in [0, 1] -> f32[B, H, W, 6], see `stains.factors`."""

  blocks: Sequence[int] = (1, 1, 2, 3, 4)  # residual blocks of each level
  outputs: int = 6
  start: float = 0.0
  side: int = 192  # shorter side of the copy of the picture, px

  @nn.compact
  def __call__(
    self, x: jax.Array, *, train: bool = False, context: jax.Array | None = None
  ) -> jax.Array:
    """See the class; with `train` by batch statistics; no `context`."""
    y = super().__call__(x, train=train, context=context)
    y = y.reshape(*y.shape[:-1], 2, 3)
    shared = y.mean(-1, keepdims=True)
    colourful = tone_curves.colourfulness(x)[:, None, None, None, None]
    return (shared + colourful * (y - shared)).reshape(*y.shape[:-2], 6)
