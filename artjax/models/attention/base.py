"""What networks of groups of attention blocks share.

A convolution, groups of blocks with a skip around all of them, and an
upsampler.
"""

import functools
from typing import Any

import flax.linen as nn
import jax
import jax.numpy as jnp

from artjax.models import layers
from artjax.models import planes
from artjax.models import trunk

EPSILON = 1e-5  # of the norms
_MEAN = (0.4488, 0.4371, 0.4040)  # of DIV2K's pictures
_WIDTH = 64  # features of the upsamplers


class Convolutions(nn.Module):
  """A 3x3 convolution, or three with a bottleneck (`narrow`)."""

  narrow: bool = False
  dtype: jnp.dtype = jnp.float32

  @nn.compact
  def __call__(self, x: jax.Array) -> jax.Array:
    """[B, H, W, C] -> the same shape."""
    features = x.shape[-1]
    conv = lambda features, name: layers.Conv3x3(
      features, dtype=self.dtype, name=name
    )
    if not self.narrow:
      return conv(features, 'conv0')(x)
    y = layers.leaky_relu(conv(features // 4, 'conv0')(x))
    y = layers.Dense(features // 4, dtype=self.dtype, name='conv1')(y)
    return conv(features, 'conv2')(layers.leaky_relu(y))


class GroupNetwork(nn.Module):
  """f32[B, H, W, 3] in [0, 1] -> f32[B, H * scale, W * scale, 3].

  A subclass implements `body`, and has the attributes `multiple` and `halo`.
  """

  scale: int = 4
  features: int = 180
  groups: int = 6
  blocks: int = 6  # of each group
  heads: int = 6
  hidden: int = 360  # features within the dense layers of a block
  narrow: bool = False  # see Convolutions
  upsampler: str = 'pixelshuffle'  # 'pixelshuffledirect' | 'nearest+conv' | ''
  unshuffle: int = 1  # of the input, undone by the upsampler
  span: float = 1.0  # of the values that the network sees
  reads: int = 3  # channels, see planes.py
  remat: bool = False  # recompute groups in the backward pass: less memory
  unroll: bool = False  # the loop, for tools that cannot trace it
  dtype: jnp.dtype = jnp.float32  # of the computation

  @nn.compact
  def __call__(
    self, x: jax.Array, *, train: bool = False, context: jax.Array | None = None
  ) -> jax.Array:
    """The restored picture; `train` updates the statistics of batch norms.

    `context` has no effect.
    """
    del context
    network = functools.partial(self._restore, train=train)
    return planes.run(network, x, self.reads, self.reads)

  def body(self, x: jax.Array, train: bool) -> jax.Array:
    """The groups: [B, H, W, features] -> the same shape."""
    raise NotImplementedError

  def padded(self, x: jax.Array) -> jax.Array:
    """The picture [B, H, W, reads] in a size that the groups can take."""
    return x

  def _restore(self, x, train):
    """[B, H, W, reads] -> f32[B, H * scale, W * scale, reads]."""
    height, width = x.shape[1:3]
    norm = lambda name: nn.LayerNorm(EPSILON, dtype=self.dtype, name=name)
    mean = _MEAN if self.reads == 3 else (0.0,) * self.reads
    mean = jnp.asarray(mean, jnp.float32).reshape(1, 1, 1, -1)
    x = (self.padded(x) - mean) * self.span
    x = layers.pixel_unshuffle(x, self.unshuffle).astype(self.dtype)
    first = self._conv(self.features, 'conv_first')(x)
    y = self.body(norm('norm_first')(first), train)
    y = Convolutions(self.narrow, self.dtype, name='after')(norm('norm')(y))
    y = self._upsample(first + y, x).astype(jnp.float32)
    y = y / self.span + mean
    return y[:, : height * self.scale, : width * self.scale]

  def _conv(self, features, name):
    return layers.Conv3x3(features, dtype=self.dtype, name=name)

  def _upsample(self, y, x):
    """Features [B, h, w, C] -> [B, h * s, w * s, reads]; x is the input."""
    scale = self.scale * self.unshuffle
    if not self.upsampler:
      return x + self._conv(self.reads, 'conv_last')(y)
    if self.upsampler == 'pixelshuffledirect':
      return layers.pixel_shuffle(
        self._conv(self.reads * scale**2, 'up0')(y), scale
      )
    y = nn.leaky_relu(self._conv(_WIDTH, 'before')(y), 0.01)
    for i, factor in enumerate(factors(scale)):
      if self.upsampler == 'nearest+conv':
        y = layers.upsample_nearest(y, factor)
        y = layers.leaky_relu(self._conv(_WIDTH, f'up{i}')(y))
      else:
        y = self._conv(_WIDTH * factor**2, f'up{i}')(y)
        y = layers.pixel_shuffle(y, factor)
    if self.upsampler == 'nearest+conv':
      y = layers.leaky_relu(self._conv(_WIDTH, 'conv_hr')(y))
    return self._conv(self.reads, 'conv_last')(y)


class WindowNetwork(GroupNetwork):
  """A network whose groups take pictures of whole windows, all groups alike."""

  window: int = 8  # side, px

  def group(self) -> tuple[type[nn.Module], dict[str, Any]]:
    """Class and fields of a group, a block of trunk.py."""
    raise NotImplementedError

  @property
  def multiple(self) -> int:
    """Both sides are padded to a multiple of this, px: whole windows."""
    return self.window * self.unshuffle

  def padded(self, x: jax.Array) -> jax.Array:
    """See `GroupNetwork`."""
    return layers.pad_to_multiple(x, self.multiple)

  def body(self, x: jax.Array, train: bool) -> jax.Array:
    """See `GroupNetwork`."""
    del train
    block, fields = self.group()
    return trunk.run(
      self,
      'body',
      block,
      fields,
      x,
      self.groups,
      remat=self.remat,
      unroll=self.unroll,
    )


def factors(scale: int) -> tuple[int, ...]:
  """The steps in which an upsampler enlarges: by 3, or by 2 each.

  Raises:
    ValueError: `scale` is neither 3 nor a power of 2.
  """
  if scale == 3:
    return (3,)
  if scale < 1 or scale & (scale - 1):
    raise ValueError(f'scale={scale} is neither 3 nor a power of 2')
  return (2,) * (scale.bit_length() - 1)
