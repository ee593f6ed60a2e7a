"""Restormer: a U-Net of attention between channels.

https://arxiv.org/abs/2111.09881. Removes noise, rain or blur. Each block has
attention between the channels of the whole picture and an MLP with a gate, both
with depthwise convolutions. 26,126,644 parameters for rain and blur; for noise
26,111,668 (colour) and 26,109,076 (grey), as their norms do not centre. Any
height and width, padded inside to a multiple of 8. The attention is that of a
tile.
"""

from collections.abc import Sequence
import functools
from typing import Any

import flax.linen as nn
import jax
import jax.numpy as jnp

from artjax.models import layers
from artjax.models import trunk
from artjax.models.attention import base
from artjax.models.attention import channels
from artjax.models.denoising import blocks


class ScaleNorm(nn.Module):
  """Divides by the standard deviation over the channels; does not centre."""

  dtype: jnp.dtype = jnp.float32

  @nn.compact
  def __call__(self, x: jax.Array) -> jax.Array:
    """[..., C] -> the same shape."""
    scale = self.param('scale', nn.initializers.ones, x.shape[-1:])
    y = x.astype(jnp.float32)
    y = y * jax.lax.rsqrt(y.var(-1, keepdims=True) + base.EPSILON)
    return (y * scale.reshape((1,) * (x.ndim - 1) + (-1,))).astype(self.dtype)


class Attention(nn.Module):
  """Attention between channels, after a depthwise convolution."""

  heads: int
  dtype: jnp.dtype = jnp.float32

  @nn.compact
  def __call__(self, x: jax.Array) -> jax.Array:
    """[B, H, W, C] -> the same shape."""
    rest: dict[str, Any] = {'use_bias': False, 'dtype': self.dtype}
    qkv = layers.Dense(3 * x.shape[-1], **rest, name='qkv')(x)
    qkv = layers.DepthwiseConv3x3(**rest, name='conv')(qkv)
    y = channels.Attention(self.heads, name='channels')(*jnp.split(qkv, 3, -1))
    return layers.Dense(x.shape[-1], **rest, name='out')(y)


class GatedMLP(nn.Module):
  """An MLP; one half of what is within it weights the other half."""

  hidden: int
  dtype: jnp.dtype = jnp.float32

  @nn.compact
  def __call__(self, x: jax.Array) -> jax.Array:
    """[B, H, W, C] -> the same shape."""
    rest: dict[str, Any] = {'use_bias': False, 'dtype': self.dtype}
    y = layers.Dense(2 * self.hidden, **rest, name='fc1')(x)
    y = layers.DepthwiseConv3x3(**rest, name='conv')(y)
    gate, y = jnp.split(y, 2, -1)
    y = nn.gelu(gate, approximate=False) * y
    return layers.Dense(x.shape[-1], **rest, name='fc2')(y)


class Block(nn.Module):
  """Attention and MLP, each after a norm and beside a skip; see trunk.py."""

  heads: int
  expansion: float
  centred: bool
  dtype: jnp.dtype = jnp.float32

  @nn.compact
  def __call__(self, x: jax.Array, _: None) -> tuple[jax.Array, None]:
    """[B, H, W, C] -> (the same shape, None)."""

    def norm(name):
      if self.centred:
        return nn.LayerNorm(base.EPSILON, dtype=self.dtype, name=name)
      return ScaleNorm(self.dtype, name=name)

    attention = Attention(self.heads, self.dtype, name='attention')
    x = x + attention(norm('norm1')(x))
    hidden = int(x.shape[-1] * self.expansion)
    mlp = GatedMLP(hidden, self.dtype, name='mlp')
    return x + mlp(norm('norm2')(x)), None


class Restormer(blocks.Denoiser):
  """f32[B, H, W, 3] in [0, 1] -> f32[B, H, W, 3]."""

  features: int = 48  # at full resolution, doubled at each level
  blocks: Sequence[int] = (4, 6, 6, 8)  # of each level; decoders have as many
  refinement: int = 4  # blocks after the decoder
  heads: Sequence[int] = (1, 2, 4, 8)  # of each level
  expansion: float = 2.66  # features within an MLP, over those outside
  centred: bool = True  # norms, with a bias
  remat: bool = False  # recompute blocks in the backward pass: less memory
  unroll: bool = False  # the loops, for tools that cannot trace them

  halo = 64  # px; attention apart, little comes from further away

  @property
  def multiple(self) -> int:
    """Both sides are padded to a multiple of this, px."""
    return 2 ** (len(self.blocks) - 1)

  @nn.compact
  def denoise(self, x: jax.Array) -> jax.Array:
    """See `Denoiser`."""
    conv = functools.partial(layers.Conv3x3, use_bias=False, dtype=self.dtype)
    height, width = x.shape[1:3]
    x = layers.pad_to_multiple(x, self.multiple)
    y = conv(self.features, name='first')(x.astype(self.dtype))
    skips = []
    for level, count in enumerate(self.blocks):
      if level:
        y = conv(y.shape[-1] // 2, name=f'down{level}')(y)
        y = layers.pixel_unshuffle(y, 2)
      y = self._stage(y, level, count, f'enc{level}')
      skips.append(y)
    for level in reversed(range(len(self.blocks) - 1)):
      y = conv(2 * y.shape[-1], name=f'up{level + 1}')(y)
      y = jnp.concatenate([layers.pixel_shuffle(y, 2), skips[level]], -1)
      if level:  # the finest keeps the channels of both
        mix = layers.Dense(
          y.shape[-1] // 2, use_bias=False, dtype=self.dtype, name=f'mix{level}'
        )
        y = mix(y)
      y = self._stage(y, level, self.blocks[level], f'dec{level}')
    y = self._stage(y, 0, self.refinement, 'refinement')
    y = x + conv(self.reads, name='last')(y).astype(jnp.float32)
    return y[:, :height, :width]

  def _stage(self, x, level, count, name):
    """Blocks at a level; none where `count` is 0."""
    if not count:
      return x
    fields = {
      'heads': self.heads[level],
      'expansion': self.expansion,
      'centred': self.centred,
      'dtype': self.dtype,
    }
    return trunk.run(
      self, name, Block, fields, x, count, remat=self.remat, unroll=self.unroll
    )
