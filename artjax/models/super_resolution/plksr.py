"""PLKSR and RealPLKSR: large kernels on a part of the channels.

https://arxiv.org/abs/2404.11848: each block has a 17 x 17 convolution of a
quarter of its channels. RealPLKSR is the form that community models have, by
https://github.com/muslll/neosr: a norm in each block, and optionally DySample
for the pixel shuffle at the end. x4 with 7,389,680 parameters, 7,402,243 with
DySample; PLKSR, without norms, 7,386,096. Receptive field 621 px.
"""

from collections.abc import Callable
import functools

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np

from artjax.models import cpu_convolutions
from artjax.models import layers
from artjax.models import trunk
from artjax.models.super_resolution import dysample

_GROUPS = 4  # of the group norm
_gelu = functools.partial(nn.gelu, approximate=False)
_SMALL = nn.initializers.truncated_normal(0.02)


class LargeConv(nn.Module):
  """A convolution of the first channels; the others stay as they are."""

  part: int  # channels
  side: int  # of the kernel, px
  dtype: jnp.dtype = jnp.float32

  @nn.compact
  def __call__(self, x: jax.Array) -> jax.Array:
    """[B, H, W, C] -> the same shape."""
    part = self.part
    kernel = self.param('kernel', _SMALL, (self.side, self.side, part, part))
    bias = self.param('bias', nn.initializers.zeros, (part,))
    y = cpu_convolutions.large_conv(
      x[..., :part].astype(self.dtype), kernel.astype(self.dtype)
    )
    y = y + bias.astype(self.dtype).reshape(1, 1, 1, part)
    return jnp.concatenate([y, x[..., part:]], -1)


class Block(nn.Module):
  """x + mixed channels, large kernel, attention; see trunk.py."""

  part: int
  kernel: int
  mixer: tuple[int, int]
  norm: str
  attention: bool
  activation: Callable[[jax.Array], jax.Array]
  dtype: jnp.dtype = jnp.float32

  @nn.compact
  def __call__(self, x: jax.Array, _: None) -> tuple[jax.Array, None]:
    """[B, H, W, C] -> (the same shape, None)."""
    features = x.shape[-1]
    y = x
    if self.norm == 'layer':
      y = nn.LayerNorm(1e-6, dtype=self.dtype, name='layer_norm')(y)
    y = self._conv(2 * features, self.mixer[0], 'mixer1')(y)
    y = self._conv(features, self.mixer[1], 'mixer2')(self.activation(y))
    y = LargeConv(self.part, self.kernel, self.dtype, name='large')(y)
    if self.attention:
      y = y * nn.sigmoid(self._conv(features, 3, 'attention')(y))
    y = self._conv(features, 1, 'refine')(y)
    if self.norm == 'group':
      y = nn.GroupNorm(
        _GROUPS,
        epsilon=1e-5,
        use_fast_variance=False,
        dtype=self.dtype,
        name='group_norm',
      )(y)
    return x + y, None

  def _conv(self, features, side, name):
    if side == 1:
      return layers.Dense(features, dtype=self.dtype, name=name)
    return layers.Conv3x3(features, dtype=self.dtype, name=name)


class _Network(nn.Module):
  """What both networks share: f32[B, H, W, 3] -> f32[B, s H, s W, 3]."""

  scale: int = 4
  features: int = 64
  blocks: int = 28
  part: int = 16  # channels of the large kernels
  kernel: int = 17  # of the large kernels, px
  attention: bool = True
  remat: bool = False  # recompute the trunk in the backward pass: less memory
  unroll: bool = False  # the loop, for tools that cannot trace it
  dtype: jnp.dtype = jnp.float32  # of the computation

  multiple = 1  # any height and width
  halo = 64  # px; the receptive field is larger, but its far parts are weak

  @nn.compact
  def __call__(
    self, x: jax.Array, *, train: bool = False, context: jax.Array | None = None
  ) -> jax.Array:
    """The enlarged picture; `train` and `context` have no effect."""
    del train, context
    conv = lambda features, name: layers.Conv3x3(
      features, dtype=self.dtype, name=name
    )
    x = x.astype(self.dtype)
    y = trunk.run(
      self,
      'body',
      Block,
      {
        'part': self.part,
        'kernel': self.kernel,
        'attention': self.attention,
        'dtype': self.dtype,
        **self._block(),
      },
      conv(self.features, 'conv_first')(x),
      self.blocks,
      remat=self.remat,
      unroll=self.unroll,
    )
    y = conv(3 * self.scale**2, 'conv_last')(y)
    # What a pixel shuffle makes of it is the picture with each pixel repeated.
    y = y + x.repeat(self.scale**2, -1)
    return self._upsample(y).astype(jnp.float32)

  def _block(self):
    """Fields of a block."""
    raise NotImplementedError

  def _upsample(self, y):
    """[B, H, W, 3 s s] -> [B, s H, s W, 3]."""
    return layers.pixel_shuffle(y, self.scale)


class PLKSR(_Network):
  """f32[B, H, W, 3] in [0, 1] -> f32[B, H * scale, W * scale, 3]."""

  mixer: tuple[int, int] = (3, 1)  # sides of the kernels: CCM; DCCM is (3, 3)

  def _block(self):
    return {'mixer': self.mixer, 'norm': '', 'activation': _gelu}


class RealPLKSR(_Network):
  """f32[B, H, W, 3] in [0, 1] -> f32[B, H * scale, W * scale, 3].

  With group norms the result depends on the tiles, as statistics are those of
  a tile; community models are used so.
  """

  norm: str = 'layer'  # in each block: 'layer' or 'group'
  dysample: bool = False  # in place of the pixel shuffle

  def _block(self):
    return {'mixer': (3, 3), 'norm': self.norm, 'activation': jax.nn.mish}

  def _upsample(self, y):
    if not self.dysample:
      return super()._upsample(y)
    outputs = 3 if self.end_conv else 0
    return dysample.DySample(
      self.scale, self._groups, outputs, self.dtype, name='to_img'
    )(y)

  @property
  def _groups(self):
    return 3 if self.scale % 2 else 4

  @property
  def end_conv(self) -> bool:
    """Whether a convolution follows DySample."""
    return self.scale > 1

  def positions(self) -> np.ndarray:
    """Where DySample starts from, see `dysample.positions`."""
    return dysample.positions(self.scale, self._groups)
