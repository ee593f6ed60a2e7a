"""SPANF and SPANV2, successors of SPAN in later challenges.

https://arxiv.org/abs/2504.10686 (NTIRE 2025) and
https://github.com/Amazingren/NTIRE2026_ESR: five blocks, the first of which
reads the picture itself. The last layers also get the picture, enlarged by a
learnt depthwise convolution that starts as a copy. x4 with 32 features: SPANF
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
  """Depthwise 3x3 convolution with `copies` outputs for each channel."""

  copies: int
  dtype: jnp.dtype = jnp.float32

  @nn.compact
  def __call__(self, x: jax.Array) -> jax.Array:
    """[B, H, W, C] -> [B, H, W, C * copies], grouped by input channel."""
    channels = x.shape[-1]
    # Starts as a copy: its centre is 1.
    start = lambda _, shape: jnp.zeros(shape).at[1, 1].set(1)
    kernel = self.param('kernel', start, (3, 3, channels * self.copies))
    # A dense kernel with zeros: XLA's grouped convolution is slow on a CPU.
    own = jnp.eye(channels).repeat(self.copies, axis=1)
    kernel = kernel[:, :, None] * own[None, None]
    return cpu_convolutions.conv3x3(
      x.astype(self.dtype), kernel.astype(self.dtype)
    )


class _Network(nn.Module):
  """What both networks share: f32[B, H, W, 3] -> f32[B, s H, s W, 3]."""

  scale: int = 4
  features: int = 32
  dtype: jnp.dtype = jnp.float32  # of the computation

  multiple = 1  # any height and width
  halo = 3 * _BLOCKS + 1  # px of the input

  @nn.compact
  def __call__(
    self, x: jax.Array, *, train: bool = False, context: jax.Array | None = None
  ) -> jax.Array:
    """The enlarged picture; `train` and `context` have no effect."""
    del train, context
    x = x.astype(self.dtype)
    near = Near(self.scale**2, self.dtype, name='conv_near')(x)
    y = self._enlarge(x, near).astype(jnp.float32)
    return layers.pixel_shuffle(y, self.scale)

  def _enlarge(self, x, near):
    """[B, H, W, 3], [B, H, W, 3 s s] -> [B, H, W, 3 s s]."""
    raise NotImplementedError


class SPANF(_Network):
  """f32[B, H, W, 3] in [0, 1] -> f32[B, H * scale, W * scale, 3]."""

  tail: int = 32  # features of the last layers

  def _enlarge(self, x, near):
    conv = lambda name, features=self.features: layers.Conv3x3(
      features, dtype=self.dtype, name=name
    )
    first = y = span.block(x, 'block_1', conv, nn.silu)[0]
    for i in range(2, _BLOCKS + 1):
      y = span.attend(y, span.block(y, f'block_{i}', conv, nn.silu)[0])
    y = layers.Dense(self.tail, dtype=self.dtype, name='conv_cat')(
      jnp.concatenate([near, y, first], -1)
    )
    return conv('conv_2', 3 * self.scale**2)(y)


class SPANV2(_Network):
  """f32[B, H, W, 3] in [0, 1] -> f32[B, H * scale, W * scale, 3]."""

  def _enlarge(self, x, near):
    conv = lambda name: layers.Conv3x3(
      self.features, use_bias=False, dtype=self.dtype, name=name
    )
    y = nn.relu(span.block(x, 'block_1', conv, nn.relu)[0])
    for i in range(2, _BLOCKS + 1):
      z, _ = span.block(y, f'block_{i}', conv, nn.relu)
      gate = layers.Dense(
        self.features, dtype=self.dtype, name=f'block_{i}_gate'
      )
      y = (y + z) * gate(z)
    y = layers.DepthwiseConv3x3(
      use_bias=False, dtype=self.dtype, name='depthwise'
    )(jnp.concatenate([near, y], -1))
    return layers.Dense(
      3 * self.scale**2, use_bias=False, dtype=self.dtype, name='pointwise'
    )(y)
