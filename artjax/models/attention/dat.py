"""DAT: attention to pixels and to channels in turn, beside convolutions.

https://arxiv.org/abs/2308.03364. Blocks see the pixels of windows of 8 x 32 px
with one half of the channels, and of 32 x 8 px with the other, or the channels
of the whole picture. A depthwise convolution runs beside each attention; each
of the two decides how much of the other is used. x4: DAT 14,802,051
parameters, DAT-2 and DAT-S (windows of 8 x 16 px) 11,212,131, DAT-light
572,766. Channel attention and the means that weight channels are those of a
tile.
"""

from collections.abc import Callable, Sequence
import functools
from typing import Any

import flax.linen as nn
import jax
import jax.numpy as jnp

from artjax.models import layers
from artjax.models import trunk
from artjax.models.attention import base
from artjax.models.attention import channels
from artjax.models.attention import windows

Norm = Callable[..., nn.Module]  # called with a name: a batch norm
_gelu = functools.partial(nn.gelu, approximate=False)


class PositionBias(nn.Module):
  """What attention adds to the score of two pixels, from their offset."""

  heads: int
  features: int

  @nn.compact
  def __call__(self, sides: windows.Sides) -> jax.Array:
    """The sides of a window of P pixels -> f32[heads, P, P]."""
    height, width = sides
    x = jnp.stack(
      jnp.meshgrid(
        jnp.arange(1.0 - height, height),
        jnp.arange(1.0 - width, width),
        indexing='ij',
      ),
      -1,
    ).reshape(-1, 2)
    x = layers.Dense(self.features, name='dense0')(x)
    for i, features in enumerate((self.features, self.features, self.heads)):
      x = nn.relu(nn.LayerNorm(base.EPSILON, name=f'norm{i + 1}')(x))
      x = layers.Dense(features, name=f'dense{i + 1}')(x)
    down, across = windows.offsets(sides)
    return x[down * (2 * width - 1) + across].transpose(2, 0, 1)


class Weighted(nn.Module):
  """Attention plus a depthwise convolution, each weighted by the other.

  The means of one weight the channels of the other, which weights its pixels.
  """

  of_channels: bool  # the attention; its means then weight the convolution
  norm: Norm
  dtype: jnp.dtype = jnp.float32

  @nn.compact
  def __call__(self, attended: jax.Array, v: jax.Array) -> jax.Array:
    """Result and values of the attention, [B, H, W, C] -> the same shape."""
    near = layers.DepthwiseConv3x3(dtype=self.dtype, name='conv')(v)
    near = _gelu(self.norm(name='norm')(near))
    y, z = (attended, near) if self.of_channels else (near, attended)
    size = y.shape[-1]
    mean = y.astype(jnp.float32).mean((1, 2), keepdims=True)
    by_channel = self._gate(mean.astype(self.dtype), size // 8, size, 'channel')
    by_pixel = self._gate(z, size // 16, 1, 'pixel')
    return z * by_channel + y * by_pixel

  def _gate(self, x, hidden, outputs, name):
    """[B, h, w, C] -> [B, h, w, outputs], in (0, 1)."""
    dense = functools.partial(layers.Dense, dtype=self.dtype)
    x = self.norm(name=f'{name}_norm')(dense(hidden, name=f'{name}1')(x))
    return nn.sigmoid(dense(outputs, name=f'{name}2')(_gelu(x)))


class PixelAttention(nn.Module):
  """Attention within windows that lie down, and within others that stand."""

  heads: int
  window: windows.Sides  # of those for the first half of the channels
  shifted: bool
  norm: Norm
  dtype: jnp.dtype = jnp.float32

  @nn.compact
  def __call__(self, x: jax.Array) -> jax.Array:
    """[B, H, W, C] -> the same shape."""
    height, width, size = x.shape[1:]
    dense = functools.partial(layers.Dense, dtype=self.dtype)
    qkv = dense(3 * size, name='qkv')(x)
    # Not the picture: what windows see beyond its edges is zero.
    filled = layers.pad_to_multiple(qkv, max(self.window), 'constant')
    halves = jnp.split(filled, 6, -1)  # two of q, of k and of v
    y = jnp.concatenate(
      [
        self._attend(halves[i::2], sides, f'position{i}')
        for i, sides in enumerate((self.window, self.window[::-1]))
      ],
      -1,
    )
    joined = Weighted(False, self.norm, self.dtype, name='weighted')(
      y[:, :height, :width], qkv[..., 2 * size :]
    )
    return dense(size, name='proj')(joined)

  def _attend(self, qkv, sides, name):
    """Three of [B, H, W, C], sides whole windows -> [B, H, W, C]."""
    height, width, size = qkv[0].shape[1:]
    shift, apart = (sides[0] // 2, sides[1] // 2), None
    if self.shifted:
      qkv = [jnp.roll(x, (-shift[0], -shift[1]), (1, 2)) for x in qkv]
      apart = windows.opposite(height // sides[0], width // sides[1], sides)
    bias = PositionBias(self.heads // 2, size // 16, name=name)(sides)
    y = windows.attend(*(windows.split(x, sides) for x in qkv), bias, apart)
    y = windows.join(y, sides, height, width)
    return jnp.roll(y, shift, (1, 2)) if self.shifted else y


class ChannelAttention(nn.Module):
  """Attention between the channels of the whole picture."""

  heads: int
  norm: Norm
  dtype: jnp.dtype = jnp.float32

  @nn.compact
  def __call__(self, x: jax.Array) -> jax.Array:
    """[B, H, W, C] -> the same shape."""
    dense = functools.partial(layers.Dense, dtype=self.dtype)
    q, k, v = jnp.split(dense(3 * x.shape[-1], name='qkv')(x), 3, -1)
    y = channels.Attention(self.heads, name='channels')(q, k, v)
    joined = Weighted(True, self.norm, self.dtype, name='weighted')(y, v)
    return dense(x.shape[-1], name='proj')(joined)


class GatedMLP(nn.Module):
  """An MLP; half of what is within it, convolved, weights the other half."""

  hidden: int
  dtype: jnp.dtype = jnp.float32

  @nn.compact
  def __call__(self, x: jax.Array) -> jax.Array:
    """[B, H, W, C] -> the same shape."""
    dense = functools.partial(layers.Dense, dtype=self.dtype)
    y = _gelu(dense(self.hidden, name='fc1')(x))
    y, gate = jnp.split(y, 2, -1)
    gate = nn.LayerNorm(base.EPSILON, dtype=self.dtype, name='norm')(gate)
    gate = layers.DepthwiseConv3x3(dtype=self.dtype, name='conv')(gate)
    return dense(x.shape[-1], name='fc2')(y * gate)


class Block(nn.Module):
  """Attention and MLP, each after a norm and beside a skip."""

  heads: int
  window: windows.Sides
  hidden: int
  of_channels: bool
  shifted: bool
  norm: Norm
  dtype: jnp.dtype = jnp.float32

  @nn.compact
  def __call__(self, x: jax.Array) -> jax.Array:
    """[B, H, W, C] -> the same shape."""
    norm = lambda name: nn.LayerNorm(base.EPSILON, dtype=self.dtype, name=name)
    y = norm('norm1')(x)
    if self.of_channels:
      attention = ChannelAttention(
        self.heads, self.norm, self.dtype, name='attention'
      )
      x = x + attention(y)
    else:
      x = x + PixelAttention(
        self.heads,
        self.window,
        self.shifted,
        self.norm,
        self.dtype,
        name='attention',
      )(y)
    return x + GatedMLP(self.hidden, self.dtype, name='mlp')(norm('norm2')(x))


class Groups(nn.Module):
  """Groups in a row, each x + blocks and a convolution; see trunk.py.

  The first of them has an even number in the network: even and odd ones differ
  in which blocks are shifted.
  """

  groups: int
  blocks: int
  heads: int
  window: windows.Sides
  hidden: int
  narrow: bool
  norm: Norm
  dtype: jnp.dtype = jnp.float32

  @nn.compact
  def __call__(self, x: jax.Array, _: None) -> tuple[jax.Array, None]:
    """[B, H, W, C] -> (the same shape, None)."""
    for i in range(self.groups):
      y = x
      for j in range(self.blocks):
        y = Block(
          self.heads,
          self.window,
          self.hidden,
          of_channels=j % 2 == 1,
          shifted=_shifts(i, j),
          norm=self.norm,
          dtype=self.dtype,
          name=f'block{i}_{j}',
        )(y)
      conv = base.Convolutions(self.narrow, self.dtype, name=f'conv{i}')
      x = x + conv(y)
    return x, None


def _shifts(group, block):
  """Whether the windows of a block of a group are shifted."""
  return block % 4 == (0 if group % 2 else 2)


class DAT(base.GroupNetwork):
  """f32[B, H, W, 3] in [0, 1] -> f32[B, H * scale, W * scale, 3]."""

  window: Sequence[int] = (8, 32)  # sides, px
  axis_name: str | None = 'batch'  # devices that share batch statistics

  halo = 32  # px, twice what the authors' program has
  core = 384  # px, of a tile by default: its scores take 0.6 GB

  @property
  def multiple(self) -> int:
    """Tiles are whole windows of either direction, px."""
    return max(self.window)

  def shifts(self, group: int, block: int) -> bool:
    """Whether the windows of a block of a group are shifted."""
    return _shifts(group, block)

  def body(self, x: jax.Array, train: bool) -> jax.Array:
    """See `GroupNetwork`."""
    fields: dict[str, Any] = {
      'blocks': self.blocks,
      'heads': self.heads,
      'window': tuple(self.window),
      'hidden': self.hidden,
      'narrow': self.narrow,
      'norm': functools.partial(
        layers.BatchNorm,
        use_running_average=not train,
        axis_name=self.axis_name,
        dtype=self.dtype,
      ),
      'dtype': self.dtype,
    }
    # A loop over pairs of groups, since every second group is alike.
    pairs, single = divmod(self.groups, 2)
    if pairs:
      x = trunk.run(
        self,
        'body',
        Groups,
        fields | {'groups': 2},
        x,
        pairs,
        remat=self.remat,
        unroll=self.unroll,
      )
    if single:
      x, _ = Groups(1, **fields, name='last')(x, None)
    return x
