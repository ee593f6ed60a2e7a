"""SwinIR: groups of attention blocks in windows that shift.

https://arxiv.org/abs/2108.10257. Each block has attention in windows of 8 px,
every second one shifted by half a window, and an MLP. Classical and real x4
(SwinIR-M) 11,900,199 and 11,715,559 parameters, lightweight 929,628, real x4
large (SwinIR-L) 28,013,059, denoising of colour 11,504,163, JPEG artefacts
(windows of 7 px, values up to 255) 11,492,067.

A halo of 32 px, as much as the tiles of the authors' program overlap, is far
less than the 288 px that a pixel could reach through 36 blocks.
"""

from typing import Any

import flax.linen as nn
import jax
import jax.numpy as jnp

from artjax.models.attention import base
from artjax.models.attention import windows


class Block(nn.Module):
  """Attention and MLP, each after a norm and beside a skip."""

  heads: int
  window: int
  hidden: int
  shifted: bool
  dtype: jnp.dtype = jnp.float32

  @nn.compact
  def __call__(self, x: jax.Array) -> jax.Array:
    """[B, H, W, C] -> the same shape."""
    norm = lambda name: nn.LayerNorm(base.EPSILON, dtype=self.dtype, name=name)
    x = x + windows.Attention(
      self.heads, self.window, self.shifted, self.dtype, name='attention'
    )(norm('norm1')(x))
    return x + windows.MLP(self.hidden, self.dtype, name='mlp')(
      norm('norm2')(x)
    )


class Group(nn.Module):
  """x + blocks and a convolution; see trunk.py."""

  blocks: int
  heads: int
  window: int
  hidden: int
  narrow: bool
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
        i % 2 == 1,
        self.dtype,
        name=f'block{i}',
      )(y)
    return x + base.Convolutions(self.narrow, self.dtype, name='conv')(y), None


class SwinIR(base.WindowNetwork):
  """f32[B, H, W, 3] in [0, 1] -> f32[B, H * scale, W * scale, 3]."""

  halo = 32  # px

  def group(self) -> tuple[type[nn.Module], dict[str, Any]]:
    """See `WindowNetwork`."""
    return Group, {
      'blocks': self.blocks,
      'heads': self.heads,
      'window': self.window,
      'hidden': self.hidden,
      'narrow': self.narrow,
      'dtype': self.dtype,
    }
