"""HAT: SwinIR's blocks with channel attention, and windows that overlap.

https://arxiv.org/abs/2205.04437. Beside the attention of each block are two
convolutions with channel attention. At the end of each group the windows of
16 px see the 24 x 24 px around them. x4: HAT 20,772,507 parameters, HAT-S
9,621,183, HAT-L 40,846,575. Channel attention averages over a tile.
"""

import functools
from typing import Any

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np

from artjax.models import layers
from artjax.models.attention import base
from artjax.models.attention import windows

_SHARE = 0.01  # of the convolutions in the sum with the attention


class ChannelAttention(nn.Module):
  """Two convolutions whose output channels are weighted by their means."""

  compress: int  # features between the convolutions
  squeeze: int  # features between the dense layers
  dtype: jnp.dtype = jnp.float32

  @nn.compact
  def __call__(self, x: jax.Array) -> jax.Array:
    """[B, H, W, C] -> the same shape."""
    conv = lambda features, name: layers.Conv3x3(
      features, dtype=self.dtype, name=name
    )
    dense = functools.partial(layers.Dense, dtype=self.dtype)
    y = nn.gelu(conv(self.compress, 'conv1')(x), approximate=False)
    y = conv(x.shape[-1], 'conv2')(y)
    z = y.astype(jnp.float32).mean((1, 2), keepdims=True)
    z = nn.relu(dense(self.squeeze, name='dense1')(z))
    return y * nn.sigmoid(dense(x.shape[-1], name='dense2')(z))


class Block(nn.Module):
  """Attention and convolutions side by side, then an MLP."""

  heads: int
  window: int
  hidden: int
  compress: int
  squeeze: int
  shifted: bool
  dtype: jnp.dtype = jnp.float32

  @nn.compact
  def __call__(self, x: jax.Array) -> jax.Array:
    """[B, H, W, C] -> the same shape."""
    norm = lambda name: nn.LayerNorm(base.EPSILON, dtype=self.dtype, name=name)
    y = norm('norm1')(x)
    near = ChannelAttention(
      self.compress, self.squeeze, self.dtype, name='channels'
    )(y)
    x = x + _SHARE * near
    x = x + windows.Attention(
      self.heads, self.window, self.shifted, self.dtype, name='attention'
    )(y)
    return x + windows.MLP(self.hidden, self.dtype, name='mlp')(
      norm('norm2')(x)
    )


class OverlappingAttention(nn.Module):
  """Attention of windows to larger windows around them, then an MLP."""

  heads: int
  window: int
  reach: int  # side of the larger windows, px
  hidden: int
  dtype: jnp.dtype = jnp.float32

  @nn.compact
  def __call__(self, x: jax.Array) -> jax.Array:
    """[B, H, W, C], sides multiples of `window` -> the same shape."""
    height, width, channels = x.shape[1:]
    norm = lambda name: nn.LayerNorm(base.EPSILON, dtype=self.dtype, name=name)
    dense = functools.partial(layers.Dense, dtype=self.dtype)
    y = dense(3 * channels, name='qkv')(norm('norm1')(x))
    q, k, v = jnp.split(y, 3, -1)
    sides = (self.window, self.window)
    side = self.window + self.reach - 1
    table = self.param(
      'position', nn.initializers.normal(0.02), (side**2, self.heads)
    )
    bias = table[rows_of_table(self.window, self.reach)].transpose(2, 0, 1)
    y = windows.attend(
      windows.split(q, sides), self._around(k), self._around(v), bias
    )
    x = x + dense(channels, name='proj')(windows.join(y, sides, height, width))
    return x + windows.MLP(self.hidden, self.dtype, name='mlp')(
      norm('norm2')(x)
    )

  def _around(self, x):
    """[B, H, W, C] -> [B, windows, reach ** 2, C]; zeros beyond the edges."""
    batch, height, width, channels = x.shape
    beyond = (self.reach - self.window) // 2
    x = jnp.pad(x, ((0, 0), (beyond, beyond), (beyond, beyond), (0, 0)))
    starts = lambda size: np.arange(0, size, self.window)[:, None]
    rows = starts(height) + np.arange(self.reach)
    columns = starts(width) + np.arange(self.reach)
    x = x[:, rows][:, :, :, columns].transpose(0, 1, 3, 2, 4, 5)
    return x.reshape(batch, -1, self.reach**2, channels)


def rows_of_table(window: int, reach: int) -> np.ndarray:
  """i64[window ** 2, reach ** 2]: the row of the table for each pair of pixels.

  The authors' offsets start at 2 - reach, below 0: those rows are counted from
  the end of the table.
  """
  pixels = lambda side: np.stack([*np.indices((side, side))], -1).reshape(-1, 2)
  between = pixels(reach)[None] - pixels(window)[:, None] + window - reach + 1
  side = window + reach - 1
  return (between[..., 0] * side + between[..., 1]) % side**2


class Group(nn.Module):
  """x + blocks, overlapping attention and a convolution; see trunk.py."""

  blocks: int
  heads: int
  window: int
  reach: int
  hidden: int
  compress: int
  squeeze: int
  dtype: jnp.dtype = jnp.float32

  @nn.compact
  def __call__(self, x: jax.Array, _: None) -> tuple[jax.Array, None]:
    """[B, H, W, C] -> (the same shape, None)."""
    y = x
    for i in range(self.blocks):
      y = Block(
        self.heads,
        self.window,
        self.hidden,
        self.compress,
        self.squeeze,
        i % 2 == 1,
        self.dtype,
        name=f'block{i}',
      )(y)
    y = OverlappingAttention(
      self.heads,
      self.window,
      self.reach,
      self.hidden,
      self.dtype,
      name='overlapping',
    )(y)
    return x + base.Convolutions(dtype=self.dtype, name='conv')(y), None


class HAT(base.WindowNetwork):
  """f32[B, H, W, 3] in [0, 1] -> f32[B, H * scale, W * scale, 3]."""

  window: int = 16
  reach: int = 24  # side of the overlapping windows, px
  compress: int = 60  # features between the convolutions of a block
  squeeze: int = 6  # features of the channel attention

  halo = 32  # px, as the authors' program has it
  core = 256  # px, of a tile by default: its scores take 1.4 GB

  def group(self) -> tuple[type[nn.Module], dict[str, Any]]:
    """See `WindowNetwork`."""
    return Group, {
      'blocks': self.blocks,
      'heads': self.heads,
      'window': self.window,
      'reach': self.reach,
      'hidden': self.hidden,
      'compress': self.compress,
      'squeeze': self.squeeze,
      'dtype': self.dtype,
    }

  def position_index(self) -> np.ndarray:
    """See `rows_of_table`."""
    return rows_of_table(self.window, self.reach)
