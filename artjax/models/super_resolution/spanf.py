"""SPANF and SPANV2, what later challenges made of SPAN.

https://arxiv.org/abs/2504.10686 (NTIRE 2025) and
https://github.com/Amazingren/NTIRE2026_ESR: five blocks, of which the first
makes features of the picture itself, and the picture, its pixels repeated by a
learnt convolution, goes into the last layers. x4 with 32 features: SPANF
148,288 parameters (143,928 with a narrower tail), SPANV2, whose attention is
learnt, 139,104. Receptive field 33 px.
"""

import flax.linen as nn
import jax
import jax.numpy as jnp

from artjax.models import cpu_convolutions
from artjax.models import layers
from artjax.models.super_resolution import span

_BLOCKS = 5


class Near(nn.Module):
  """Each channel to `copies` channels by 3x3 convolutions of it alone."""

  copies: int
  dtype: jnp.dtype = jnp.float32

  @nn.compact
  def __call__(self, x: jax.Array) -> jax.Array:
    """[B, H, W, C] -> [B, H, W, C * copies], a channel's copies together."""
    channels = x.shape[-1]
    # Starts as copies: its centre is 1.
    start = lambda _, shape: jnp.zeros(shape).at[1, 1].set(1)
    kernel = self.param('kernel', start, (3, 3, channels * self.copies))
    # Zeros for the other channels: XLA's grouped convolution is slow on a CPU.
    own = jnp.eye(channels).repeat(self.copies, axis=1)
    kernel = kernel[:, :, None] * own[None, None]
    return cpu_convolutions.conv3x3(
      x.astype(self.dtype), kernel.astype(self.dtype)
    )


class SPANF(nn.Module):
  """f32[B, H, W, 3] in [0, 1] -> f32[B, H * scale, W * scale, 3]."""

  scale: int = 4
  features: int = 32
  tail: int = 32  # features of the last layers
  dtype: jnp.dtype = jnp.float32  # of the computation

  multiple = 1  # any height and width
  halo = 3 * _BLOCKS + 1  # px of the input

  @nn.compact
  def __call__(
    self, x: jax.Array, *, train: bool = False, context: jax.Array | None = None
  ) -> jax.Array:
    """The enlarged picture; neither `train` nor `context` matters to it."""
    del train, context
    conv = lambda name, features=self.features: layers.Conv3x3(
      features, dtype=self.dtype, name=name
    )
    y = x = x.astype(self.dtype)
    near = Near(self.scale**2, self.dtype, name='conv_near')(x)
    for i in range(1, _BLOCKS + 1):
      z = nn.silu(conv(f'block_{i}_c1')(y))
      z = conv(f'block_{i}_c3')(nn.silu(conv(f'block_{i}_c2')(z)))
      y = z if i == 1 else span.attend(y, z)
      if i == 1:
        first = y
    y = layers.Dense(self.tail, dtype=self.dtype, name='conv_cat')(
      jnp.concatenate([near, y, first], -1)
    )
    y = conv('conv_2', 3 * self.scale**2)(y)
    return layers.pixel_shuffle(y.astype(jnp.float32), self.scale)


class SPANV2(nn.Module):
  """f32[B, H, W, 3] in [0, 1] -> f32[B, H * scale, W * scale, 3]."""

  scale: int = 4
  features: int = 32
  dtype: jnp.dtype = jnp.float32  # of the computation

  multiple = 1  # any height and width
  halo = 3 * _BLOCKS + 1  # px of the input

  @nn.compact
  def __call__(
    self, x: jax.Array, *, train: bool = False, context: jax.Array | None = None
  ) -> jax.Array:
    """The enlarged picture; neither `train` nor `context` matters to it."""
    del train, context
    conv = lambda name: layers.Conv3x3(
      self.features, use_bias=False, dtype=self.dtype, name=name
    )
    y = x = x.astype(self.dtype)
    near = Near(self.scale**2, self.dtype, name='conv_near')(x)
    for i in range(1, _BLOCKS + 1):
      z = nn.relu(conv(f'block_{i}_c1')(y))
      z = conv(f'block_{i}_c3')(nn.relu(conv(f'block_{i}_c2')(z)))
      if i == 1:
        y = nn.relu(z)
      else:
        gate = layers.Dense(
          self.features, dtype=self.dtype, name=f'block_{i}_gate'
        )
        y = (y + z) * gate(z)
    y = layers.DepthwiseConv3x3(
      use_bias=False, dtype=self.dtype, name='depthwise'
    )(jnp.concatenate([near, y], -1))
    y = layers.Dense(
      3 * self.scale**2, use_bias=False, dtype=self.dtype, name='pointwise'
    )(y)
    return layers.pixel_shuffle(y.astype(jnp.float32), self.scale)
