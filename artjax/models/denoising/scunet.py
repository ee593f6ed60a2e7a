"""SCUNet, a blind denoiser: convolutions and window attention side by side.

https://arxiv.org/abs/2203.13278: a U-Net of blocks in which one half of the
channels goes through convolutions and the other through attention in windows
of 8 x 8 px of its level, in every second block shifted by half a window.
17,946,072 parameters for colour. Any height and width, padded inside to a
multiple of 64, so that windows are complete on all four levels.
"""

from collections.abc import Sequence
import functools

import flax.linen as nn
import jax
import jax.numpy as jnp

from artjax.models import layers
from artjax.models.attention import windows
from artjax.models.denoising import blocks

_WINDOW = 8  # px of a level
_SIDES = (_WINDOW, _WINDOW)
_HEAD = 32  # channels of a head
_EPSILON = 1e-5  # of the norms


class WindowAttention(nn.Module):
  """Self-attention within windows of 8 x 8 px."""

  shifted: bool  # by half a window, cyclically
  dtype: jnp.dtype = jnp.float32

  @nn.compact
  def __call__(self, x: jax.Array) -> jax.Array:
    """[B, H, W, C], sides multiples of 8 -> the same shape."""
    height, width, channels = x.shape[1:]
    dense = functools.partial(layers.Dense, dtype=self.dtype)
    half, apart = _WINDOW // 2, None
    if self.shifted:
      x = jnp.roll(x, (-half, -half), (1, 2))
      apart = windows.opposite(height // _WINDOW, width // _WINDOW, _SIDES)
    y = dense(3 * channels, name='embedding')(windows.split(x, _SIDES))
    q, k, v = jnp.split(y, 3, -1)
    table = self.param(
      'position',
      nn.initializers.normal(0.02),
      (channels // _HEAD, 2 * _WINDOW - 1, 2 * _WINDOW - 1),
    )
    bias = table[:, *windows.offsets(_SIDES)]
    y = dense(channels, name='out')(windows.attend(q, k, v, bias, apart))
    y = windows.join(y, _SIDES, height, width)
    return jnp.roll(y, (half, half), (1, 2)) if self.shifted else y


class Block(nn.Module):
  """Convolutions on one half of the channels, attention on the other."""

  shifted: bool
  dtype: jnp.dtype = jnp.float32

  @nn.compact
  def __call__(self, x: jax.Array) -> jax.Array:
    """[B, H, W, C] -> the same shape."""
    channels = x.shape[-1]
    dense = functools.partial(layers.Dense, dtype=self.dtype)
    conv = functools.partial(
      layers.Conv3x3, channels // 2, use_bias=False, dtype=self.dtype
    )
    norm = lambda name: nn.LayerNorm(_EPSILON, dtype=self.dtype, name=name)
    y = dense(channels, name='split')(x)
    near, far = y[..., : channels // 2], y[..., channels // 2 :]
    near = near + conv(name='conv2')(nn.relu(conv(name='conv1')(near)))
    attention = WindowAttention(self.shifted, self.dtype, name='attention')
    far = far + attention(norm('norm1')(far))
    z = dense(2 * channels, name='mlp1')(norm('norm2')(far))
    far = far + dense(channels // 2, name='mlp2')(nn.gelu(z, approximate=False))
    return x + dense(channels, name='mix')(jnp.concatenate([near, far], -1))


class SCUNet(blocks.Denoiser):
  """f32[B, H, W, 3] in [0, 1] -> f32[B, H, W, 3]; in f16 it overflows."""

  features: int = 64  # at full resolution, doubled at each level
  blocks: Sequence[int] = (4, 4, 4, 4, 4, 4, 4)  # encoder, middle, decoder
  padding: str = 'reflect'  # 'edge' in the authors' own code

  multiple = 64  # px, padded inside: complete windows on all levels
  halo = 64  # px; attention carries little from further away

  @nn.compact
  def denoise(self, x: jax.Array) -> jax.Array:
    """See `Denoiser`."""
    conv = functools.partial(layers.Conv3x3, use_bias=False, dtype=self.dtype)
    height, width = x.shape[1:3]
    x = layers.pad_to_multiple(x, self.multiple, self.padding)
    y = conv(self.features, name='head')(x.astype(self.dtype))
    coarsest = len(self.blocks) // 2

    def stage(y, number, name):
      for i in range(self.blocks[number]):
        y = Block(i % 2 == 1, self.dtype, name=f'{name}_{i}')(y)
      return y

    y, skips = blocks.encode(
      y,
      [self.features * 2**level for level in range(coarsest + 1)],
      lambda y, level: stage(
        y, level, 'middle' if level == coarsest else f'enc{level}'
      ),
      dtype=self.dtype,
    )
    y = blocks.decode(
      y,
      skips,
      lambda y, level: stage(y, 2 * coarsest - level, f'dec{level}'),
      dtype=self.dtype,
    )
    y = conv(self.reads, name='tail')(y)
    return y.astype(jnp.float32)[:, :height, :width]
