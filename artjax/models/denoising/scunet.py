"""SCUNet, a blind denoiser: half of its channels convolved, half attended to.

https://arxiv.org/abs/2203.13278: a U-Net of blocks in which one half of the
channels goes through convolutions and the other through attention in windows
of 8 x 8 px of its level, every other time shifted by half a window. 17,946,072
parameters of colour. Any height and width, padded inside to a multiple of 64,
so that windows are whole on all four levels.
"""

from collections.abc import Sequence
import functools

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np

from artjax.models import layers
from artjax.models import planes
from artjax.models.denoising import drunet

_WINDOW = 8  # px of a level
_HEAD = 32  # channels of a head
_EPSILON = 1e-5  # of the norms


class WindowAttention(nn.Module):
  """Attention of the pixels of a window to each other."""

  shifted: bool  # by half a window, around the edges of the picture
  dtype: jnp.dtype = jnp.float32

  @nn.compact
  def __call__(self, x: jax.Array) -> jax.Array:
    """[B, H, W, C] of multiples of 8 -> the same shape."""
    batch, height, width, channels = x.shape
    rows, columns = height // _WINDOW, width // _WINDOW
    heads, pixels = channels // _HEAD, _WINDOW**2
    dense = functools.partial(layers.Dense, dtype=self.dtype)
    half = _WINDOW // 2
    if self.shifted:
      x = jnp.roll(x, (-half, -half), (1, 2))
    x = x.reshape(batch, rows, _WINDOW, columns, _WINDOW, channels)
    x = x.transpose(0, 1, 3, 2, 4, 5)
    x = x.reshape(batch, rows * columns, pixels, channels)
    x = dense(3 * channels, name='embedding')(x)
    x = x.reshape(batch, rows * columns, pixels, 3, heads, _HEAD)
    q, k, v = (x[:, :, :, i] for i in range(3))
    table = self.param(
      'position',
      nn.initializers.normal(0.02),
      (heads, 2 * _WINDOW - 1, 2 * _WINDOW - 1),
    )
    near = jnp.einsum('bwphc,bwqhc->bwhpq', q, k) * _HEAD**-0.5
    near = near.astype(jnp.float32) + table[:, *_offsets()][None, None]
    if self.shifted:
      # Across the picture's edge pixels are no neighbours.
      near = jnp.where(_wrapped(rows, columns)[None, :, None], -1e30, near)
    share = nn.softmax(near).astype(self.dtype)
    y = jnp.einsum('bwhpq,bwqhc->bwphc', share, v)
    y = dense(channels, name='out')(
      y.reshape(batch, rows * columns, pixels, channels)
    )
    y = y.reshape(batch, rows, columns, _WINDOW, _WINDOW, channels)
    y = y.transpose(0, 1, 3, 2, 4, 5).reshape(batch, height, width, channels)
    return jnp.roll(y, (half, half), (1, 2)) if self.shifted else y


@functools.lru_cache
def _offsets():
  """Row and column, i64[64, 64], in the table of each pair of pixels."""
  at = np.stack(np.indices((_WINDOW, _WINDOW)), -1).reshape(-1, 2)
  between = at[:, None] - at[None] + _WINDOW - 1
  return between[..., 0], between[..., 1]


@functools.lru_cache
def _wrapped(rows, columns):
  """bool[windows, 64, 64]: pairs of pixels that shifting brought together."""
  part = np.arange(_WINDOW) < _WINDOW // 2
  other = part[:, None] != part[None]
  found = np.zeros((rows, columns, *[_WINDOW] * 4), bool)
  found[-1] |= other[None, :, None, :, None]
  found[:, -1] |= other[None, None, :, None, :]
  return found.reshape(rows * columns, _WINDOW**2, _WINDOW**2)


class Block(nn.Module):
  """One half of the channels convolved, one attended to, then mixed."""

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


class SCUNet(nn.Module):
  """f32[B, H, W, 3] in [0, 1] -> f32[B, H, W, 3]."""

  features: int = 64  # at full resolution, doubled a level
  blocks: Sequence[int] = (4, 4, 4, 4, 4, 4, 4)  # down, middle, up
  reads: int = 3  # channels: 1, each colour by itself, or 3
  padding: str = 'reflect'  # 'edge' in the authors' own code
  dtype: jnp.dtype = jnp.float32  # of the computation; f16 overflows

  multiple = 64  # px, padded to inside: whole windows on all levels
  halo = 64  # px; attention carries little from further away

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
    x = layers.pad_to_multiple(x, self.multiple, self.padding)
    y = conv(self.features, name='head')(x.astype(self.dtype))
    levels = len(self.blocks) // 2

    def stage(y, number, name):
      for i in range(self.blocks[number]):
        y = Block(i % 2 == 1, self.dtype, name=f'{name}_{i}')(y)
      return y

    skips = [y]
    for level in range(levels):
      y = stage(y, level, f'enc{level}')
      features = self.features * 2 ** (level + 1)
      y = drunet.Down(features, dtype=self.dtype, name=f'down{level + 1}')(y)
      skips.append(y)
    y = stage(y, levels, 'middle')
    for level in reversed(range(levels)):
      features = self.features * 2**level
      y = drunet.Up(features, dtype=self.dtype, name=f'up{level + 1}')(
        y + skips[level + 1]
      )
      y = stage(y, 2 * levels - level, f'dec{level}')
    y = conv(self.reads, name='tail')(y + skips[0])
    return y.astype(jnp.float32)[:, :height, :width]
