"""DRUNet, a U-Net of residual blocks that is told how much noise there is.

https://arxiv.org/abs/2008.13751: no biases, four levels. 32,640,960 parameters
of colour, 32,638,656 of grey. Any height and width, padded inside to a multiple
of 8. What it sees reaches some 180 px, hardly beyond 64.
"""

from collections.abc import Sequence
import functools

import flax.linen as nn
import jax
import jax.numpy as jnp

from artjax.models import layers
from artjax.models import planes
from artjax.models.denoising import noise


class Residual(nn.Module):
  """x + (conv, ReLU, conv), optionally scaled and shifted before the sum."""

  use_bias: bool = False
  dtype: jnp.dtype = jnp.float32

  @nn.compact
  def __call__(
    self, x: jax.Array, change: tuple[jax.Array, jax.Array] | None = None
  ) -> jax.Array:
    """[B, H, W, C], and a scale and a shift [B, 1, 1, C] -> [B, H, W, C]."""
    conv = lambda name: layers.Conv3x3(
      x.shape[-1], use_bias=self.use_bias, dtype=self.dtype, name=name
    )
    y = conv('conv2')(nn.relu(conv('conv1')(x)))
    if change is not None:
      y = change[0] * y + change[1]
    return x + y


class Down(nn.Module):
  """2x2 convolution of stride 2: a dense layer of unshuffled pixels."""

  features: int
  use_bias: bool = False
  dtype: jnp.dtype = jnp.float32

  @nn.compact
  def __call__(self, x: jax.Array) -> jax.Array:
    """[B, 2 H, 2 W, C] -> [B, H, W, features]."""
    return layers.Dense(
      self.features, use_bias=self.use_bias, dtype=self.dtype, name='dense'
    )(layers.pixel_unshuffle(x, 2))


class Up(nn.Module):
  """2x2 transposed convolution of stride 2: a dense layer, shuffled."""

  features: int
  use_bias: bool = False
  dtype: jnp.dtype = jnp.float32

  @nn.compact
  def __call__(self, x: jax.Array) -> jax.Array:
    """[B, H, W, C] -> [B, 2 H, 2 W, features]."""
    y = layers.Dense(
      4 * self.features, use_bias=False, dtype=self.dtype, name='dense'
    )(x)
    y = layers.pixel_shuffle(y, 2)
    if not self.use_bias:
      return y
    bias = self.param('bias', nn.initializers.zeros, (self.features,))
    return y + bias.astype(y.dtype).reshape(1, 1, 1, -1)


class DRUNet(nn.Module):
  """f32[B, H, W, 3] in [0, 1] -> f32[B, H, W, 3]."""

  features: Sequence[int] = (64, 128, 256, 512)  # a level
  blocks: int = 4  # a level on each way
  reads: int = 3  # channels: 1, each colour by itself, or 3
  dtype: jnp.dtype = jnp.float32  # of the computation

  halo = 64  # px; what little comes from further away is left out

  @nn.compact
  def __call__(
    self, x: jax.Array, *, train: bool = False, context: jax.Array | None = None
  ) -> jax.Array:
    """Without noise; neither `train` nor `context` matters to it."""
    del train, context
    return planes.run(self._denoise, x, self.reads, self.reads)

  def _denoise(self, x):
    """[B, H, W, reads] -> f32, the same shape."""
    conv = functools.partial(layers.Conv3x3, use_bias=False, dtype=self.dtype)
    height, width = x.shape[1:3]
    x = layers.pad_to_multiple(x, self.multiple, 'edge').astype(self.dtype)
    y = noise.append_map(x, noise.level(self))
    y = conv(self.features[0], name='head')(y)
    skips = []
    for level, features in enumerate(self.features):
      if level:
        y = Down(features, dtype=self.dtype, name=f'down{level}')(y)
      skips.append(y)
      for i in range(self.blocks):
        y = Residual(dtype=self.dtype, name=f'enc{level}_{i}')(y)
    for level in reversed(range(len(self.features) - 1)):
      features = self.features[level]
      y = Up(features, dtype=self.dtype, name=f'up{level + 1}')(
        y + skips[level + 1]
      )
      for i in range(self.blocks):
        y = Residual(dtype=self.dtype, name=f'dec{level}_{i}')(y)
    y = conv(self.reads, name='tail')(y + skips[0])
    return y.astype(jnp.float32)[:, :height, :width]

  @property
  def multiple(self) -> int:
    """What both sides are padded to a multiple of, px."""
    return 2 ** (len(self.features) - 1)
