"""U-Net (https://arxiv.org/abs/1505.04597) that restores a picture. WIP"""
from collections.abc import Sequence

import flax.linen as nn
import jax
import jax.numpy as jnp

from artjax.models import layers


def leaky_relu(x):
  return nn.leaky_relu(x, 0.2)


class ResBlock(nn.Module):
  """x + conv(act(film(norm(conv(x))))), at constant width."""
  features: int
  norm: str = 'none'
  dtype: jnp.dtype = jnp.float32

  @nn.compact
  def __call__(self, x, g=None):
    y = layers.Conv3x3(self.features, dtype=self.dtype)(x)
    if self.norm == 'group':
      y = nn.GroupNorm(num_groups=None, group_size=8, dtype=self.dtype)(y)
    if g is not None:
      film = nn.Dense(2 * self.features, dtype=self.dtype,
                      kernel_init=nn.initializers.zeros)(g)
      scale, shift = jnp.split(film[:, None, None, :], 2, axis=-1)
      y = y * (1 + scale) + shift
    y = leaky_relu(y)
    y = layers.Conv3x3(
        self.features, dtype=self.dtype,
        kernel_init=nn.initializers.variance_scaling(
            0.1, 'fan_in', 'truncated_normal'))(y)
    return x + y


class ContextEncoder(nn.Module):
  size: int = 64
  features: int = 128
  dtype: jnp.dtype = jnp.float32

  @nn.compact
  def __call__(self, context):
    batch = context.shape[0]
    y = jax.image.resize(
        context.astype(jnp.float32), (batch, self.size, self.size, 3), 'linear')
    y = y.astype(self.dtype) - 0.5
    stats = []
    for features in (32, 64, 128):
      y = leaky_relu(layers.Conv3x3(features, strides=2, dtype=self.dtype)(y))
      stats += [y.mean((1, 2)), y.max((1, 2))]
    g = jnp.concatenate(stats, -1)
    g = leaky_relu(nn.Dense(self.features, dtype=self.dtype)(g))
    return leaky_relu(nn.Dense(self.features, dtype=self.dtype)(g))


def colour_transform(x, c):
  """c: [B, 10, 3]."""
  r, g, b = (x[..., i:i + 1] for i in range(3))
  basis = jnp.concatenate(
      [jnp.ones_like(r), x, x * x, r * g, g * b, r * b], -1)
  return jnp.einsum('bhwk,bkc->bhwc', basis, c)


class UNet(nn.Module):
  features: Sequence[int] = (32, 64, 128, 256)
  blocks: Sequence[int] = (1, 1, 1, 1)
  norm: str = 'none'
  down: str = 'bilinear'
  stem: int = 2
  context_size: int = 64
  dtype: jnp.dtype = jnp.float32

  @nn.compact
  def __call__(self, x, *, train=False, context=None):
    del train
    height, width = x.shape[1:3]
    x = x.astype(jnp.float32)
    base, body, g = x, x, None
    if self.context_size:
      g = ContextEncoder(self.context_size, dtype=self.dtype)(
          x if context is None else context)
      c = nn.Dense(30, kernel_init=nn.initializers.zeros)(g)
      c = c.reshape(-1, 10, 3) + jnp.eye(10, 3, -1)
      base = colour_transform(x, c)
      body = jnp.concatenate([x, base], -1)
    multiple = self.stem * 2**(len(self.features) - 1)
    y = layers.pad_to_multiple(body, multiple).astype(self.dtype)
    y = layers.pixel_unshuffle(y, self.stem)
    y = layers.Conv3x3(self.features[0], dtype=self.dtype)(y)
    skips = []
    for level, f in enumerate(self.features):
      if level:
        if self.down == 'bilinear':
          y = nn.Dense(f, dtype=self.dtype)(layers.downsample2(y))
        elif self.down == 'conv':
          y = layers.Conv3x3(f, dtype=self.dtype)(layers.downsample2(y))
        else:
          y = nn.Dense(f, dtype=self.dtype)(layers.pixel_unshuffle(y, 2))
      last = level == len(self.features) - 1
      for _ in range(self.blocks[level]):
        y = ResBlock(f, self.norm, self.dtype)(y, g if last else None)
      skips.append(y)
    skips.pop()
    for level in reversed(range(len(self.features) - 1)):
      f = self.features[level]
      y = layers.upsample2(nn.Dense(f, dtype=self.dtype)(y)) + skips[level]
      for _ in range(self.blocks[level]):
        y = ResBlock(f, self.norm, self.dtype)(y, g)
    y = layers.Conv3x3(3 * self.stem**2, dtype=self.dtype,
                       kernel_init=nn.initializers.zeros)(leaky_relu(y))
    y = layers.pixel_shuffle(y.astype(jnp.float32), self.stem)
    return base + y[:, :height, :width]
