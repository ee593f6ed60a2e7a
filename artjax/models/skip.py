"""Encoder-decoder with skips, whose structure is a prior of natural pictures.

https://arxiv.org/abs/1711.10925 (Deep Image Prior), the network of its
inpainting and denoising experiments. It is fitted to a single picture, and its
input is noise, not the picture: f32[B, H, W, input channels] ->
f32[B, H, W, out_channels] in [0, 1]. Scale x1; with the
default fields and 32 input channels 2,217,831 parameters, with out_channels=1
2,217,573. Any height and width, padded inside to a multiple of 32 and to at
least 64.

The normalization always uses the statistics of its input, like batch norm in
training with a batch of one. It cancels the bias of the convolution before it;
these biases are kept for the paper's parameter count.
"""

import functools

import flax.linen as nn
import jax
import jax.numpy as jnp

from artjax.models import layers

# As in the paper. The normalization makes the output independent of the scale
# of the kernels, but that scale sets their effective learning rate.
_KERNEL_INIT = nn.initializers.variance_scaling(1 / 3, 'fan_in', 'uniform')


class ConvNorm(nn.Module):
  """Convolution, normalization, LeakyReLU."""

  features: int
  kernel: int = 3  # side, px: 3 or 1
  strides: int = 1
  dtype: jnp.dtype = jnp.float32

  @nn.compact
  def __call__(self, x: jax.Array) -> jax.Array:
    """[B, H, W, C] -> [B, H / strides, W / strides, features]."""
    conv = (
      nn.Dense
      if self.kernel == 1
      else functools.partial(layers.ReflectConv3x3, strides=self.strides)
    )
    x = conv(
      self.features, dtype=self.dtype, kernel_init=_KERNEL_INIT, name='conv'
    )(x)
    return nn.leaky_relu(norm(self.dtype, 'norm')(x), 0.2)


def norm(dtype: jnp.dtype, name: str) -> nn.Module:
  """Zero mean and unit variance of each channel of a picture."""
  return nn.InstanceNorm(epsilon=1e-5, dtype=dtype, name=name)


class SkipNet(nn.Module):
  """f32[B, H, W, C] of noise -> f32[B, H, W, out_channels] in [0, 1]."""

  out_channels: int = 3
  features: int = 128  # channels of encoder and decoder
  skip_features: int = 4  # channels of a skip
  scales: int = 5  # number of halvings
  dtype: jnp.dtype = jnp.float32  # of the computation

  @nn.compact
  def __call__(
    self, x: jax.Array, *, train: bool = False, context: jax.Array | None = None
  ) -> jax.Array:
    """A picture; `train` and `context` have no effect."""
    del train, context
    height, width = x.shape[1:3]
    y = layers.pad_to_multiple(x.astype(self.dtype), self.multiple)
    # Reflection padding needs two pixels a side at the coarsest level.
    less = [max(0, 2 * self.multiple - side) for side in y.shape[1:3]]
    y = jnp.pad(y, ((0, 0), (0, less[0]), (0, less[1]), (0, 0)), mode='reflect')

    skips = []
    for i in range(self.scales):
      skips.append(
        ConvNorm(self.skip_features, 1, dtype=self.dtype, name=f'skip{i}')(y)
      )
      y = ConvNorm(
        self.features, strides=2, dtype=self.dtype, name=f'down{i}_1'
      )(y)
      y = ConvNorm(self.features, dtype=self.dtype, name=f'down{i}_2')(y)
    for i in reversed(range(self.scales)):
      y = jnp.concatenate([skips[i], layers.upsample(y, 2)], -1)
      y = norm(self.dtype, f'join{i}')(y)
      y = ConvNorm(self.features, dtype=self.dtype, name=f'up{i}_1')(y)
      y = ConvNorm(self.features, 1, dtype=self.dtype, name=f'up{i}_2')(y)
    y = nn.Dense(
      self.out_channels, dtype=self.dtype, kernel_init=_KERNEL_INIT, name='out'
    )(y)
    return jax.nn.sigmoid(y.astype(jnp.float32))[:, :height, :width]

  @property
  def multiple(self) -> int:
    """Both sides are padded to a multiple of this, px."""
    return 2**self.scales
