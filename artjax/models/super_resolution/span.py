"""SPAN, a small network whose attention has no parameters.

https://arxiv.org/abs/2311.12770, winner of the efficiency challenge of NTIRE
2024. Where it was trained with several convolutions in a row, this is the
network for inference, with these merged into one. x4 with 426,288 parameters
(48 features) or 498,208 (52); 150,688 (28) is the baseline of NTIRE 2026.
Receptive field 43 px.
"""

from collections.abc import Callable

import flax.linen as nn
import jax
import jax.numpy as jnp

from artjax.models import layers
from artjax.models import planes

_BLOCKS = 6
_MEAN = (0.4488, 0.4371, 0.4040)  # of DIV2K's pictures


def attend(x: jax.Array, y: jax.Array) -> jax.Array:
  """Parameter-free attention: x + y, weighted by a sigmoid of y alone."""
  return (x + y) * (nn.sigmoid(y) - 0.5)


def block(
  x: jax.Array,
  name: str,
  conv: Callable[[str], Callable[[jax.Array], jax.Array]],
  activation: Callable[[jax.Array], jax.Array],
) -> tuple[jax.Array, jax.Array]:
  """Three convolutions with two activations between them.

  Args:
    x: [B, H, W, C].
    name: of the block; its convolutions are called `name`_c1, _c2, _c3.
    conv: makes a convolution of a name.
    activation: elementwise.

  Returns:
    The output, and the first activation, [B, H, W, features] each.
  """
  inner = activation(conv(f'{name}_c1')(x))
  y = activation(conv(f'{name}_c2')(inner))
  return conv(f'{name}_c3')(y), inner


class SPAN(nn.Module):
  """f32[B, H, W, 3] in [0, 1] -> f32[B, H * scale, W * scale, 3]."""

  scale: int = 4
  features: int = 48
  norm: bool = True  # subtracts the mean; range 255
  reads: int = 3  # channels, see planes.py
  writes: int = 3
  dtype: jnp.dtype = jnp.float32  # of the computation

  multiple = 1  # any height and width
  halo = 3 * _BLOCKS + 3  # px of the input

  @nn.compact
  def __call__(
    self, x: jax.Array, *, train: bool = False, context: jax.Array | None = None
  ) -> jax.Array:
    """The enlarged picture; `train` and `context` have no effect."""
    del train, context
    return planes.run(self._enlarge, x, self.reads, self.writes)

  def _enlarge(self, x):
    """[B, H, W, reads] -> f32[B, H * scale, W * scale, writes]."""
    conv = lambda name, features=self.features: layers.Conv3x3(
      features, dtype=self.dtype, name=name
    )
    if self.norm:
      x = (x - jnp.asarray(_MEAN, x.dtype).reshape(1, 1, 1, 3)) * 255
    first = y = conv('conv_1')(x.astype(self.dtype))
    for i in range(1, _BLOCKS + 1):
      z, inner = block(y, f'block_{i}', conv, nn.silu)
      y = attend(y, z)
      if i == 1:
        early = y
    y = layers.Dense(self.features, dtype=self.dtype, name='conv_cat')(
      jnp.concatenate([first, conv('conv_2')(y), early, inner], -1)
    )
    y = conv('upsampler', self.writes * self.scale**2)(y)
    return layers.pixel_shuffle(y.astype(jnp.float32), self.scale)
