"""SRVGGNetCompact, the small generator of Real-ESRGAN.

https://github.com/xinntao/Real-ESRGAN: a stack of convolutions at low
resolution and a pixel shuffle, added to the input enlarged by nearest
neighbour. x4 with 621,424 parameters (16 convolutions) or 1,213,296 (32);
receptive field 37 or 69 px.
"""

import flax.linen as nn
import jax
import jax.numpy as jnp

from artjax.models import layers


class SRVGGNetCompact(nn.Module):
  """f32[B, H, W, 3] in [0, 1] -> f32[B, H * scale, W * scale, 3]."""

  scale: int = 4
  features: int = 64
  convs: int = 16  # between the first and the last
  dtype: jnp.dtype = jnp.float32  # of the computation

  multiple = 1  # any height and width

  @nn.compact
  def __call__(
    self, x: jax.Array, *, train: bool = False, context: jax.Array | None = None
  ) -> jax.Array:
    """The enlarged picture; `train` and `context` have no effect."""
    del train, context
    y = x.astype(self.dtype)
    for i in range(self.convs + 1):
      y = layers.Conv3x3(self.features, dtype=self.dtype, name=f'conv{i}')(y)
      y = layers.PReLU(name=f'prelu{i}')(y)
    y = layers.Conv3x3(
      3 * self.scale**2,
      dtype=self.dtype,
      name='conv_last',
      kernel_init=nn.initializers.variance_scaling(
        0.01, 'fan_in', 'truncated_normal'
      ),
    )(y)
    y = layers.pixel_shuffle(y.astype(jnp.float32), self.scale)
    return y + layers.upsample_nearest(x.astype(jnp.float32), self.scale)

  @property
  def halo(self) -> int:
    """Margin around the valid area of a tile, px of the input."""
    return self.convs + 2
