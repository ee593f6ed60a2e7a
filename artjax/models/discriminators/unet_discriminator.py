"""The discriminator of Real-ESRGAN: a U-Net with a logit for every pixel.

https://arxiv.org/abs/2107.10833. 4,376,897 parameters, spectral norm in all but
the first and the last convolution, no batch norm. Receptive field up to
64 px.
"""

import flax.linen as nn
import jax
import jax.numpy as jnp

from artjax.models import layers


class UNetDiscriminatorSN(nn.Module):
  """f32[B, H, W, C] in [0, 1] -> (logits, activations)."""

  features: int = 64  # channels at full resolution
  dtype: jnp.dtype = jnp.float32  # of the computation

  @nn.compact
  def __call__(
    self, x: jax.Array, *, train: bool = False
  ) -> tuple[jax.Array, tuple[jax.Array, ...]]:
    """f32[B, H, W, 1] and the activations of all convolutions, finest first.

    Raises:
      ValueError: a height or width that is not a multiple of 8 px.
    """
    if x.shape[1] % 8 or x.shape[2] % 8:
      raise ValueError(
        f'a picture of {x.shape[1]} x {x.shape[2]} px: UNetDiscriminatorSN '
        'takes multiples of 8'
      )

    def conv(name, features, y, **options):
      y = layers.SpectralConv(
        features, use_bias=False, dtype=self.dtype, name=name, **options
      )(y, train=train)
      return layers.leaky_relu(y)

    y = layers.Conv3x3(self.features, dtype=self.dtype, name='conv0')(
      x.astype(self.dtype)
    )
    down = [layers.leaky_relu(y)]
    for i in (1, 2, 3):
      down.append(
        conv(
          f'conv{i}',
          self.features * 2**i,
          down[-1],
          kernel_size=(4, 4),
          strides=2,
        )
      )
    y, up = down[3], []
    for i in (2, 1, 0):
      y = conv(f'conv{6 - i}', self.features * 2**i, layers.upsample(y, 2))
      y = y + down[i]
      up.append(y)
    for name in ('conv7', 'conv8'):
      y = conv(name, self.features, y)
      up.append(y)
    y = layers.Conv3x3(1, dtype=self.dtype, name='conv9')(y)
    seen = sorted(down + up, key=lambda y: -y.shape[1])
    return y.astype(jnp.float32), tuple(seen)
