"""NAFNet, a restoration network without nonlinear activation functions.

https://arxiv.org/abs/2204.04676. Scale x1. With the default fields, the paper's
width-32 network for SIDD: 29,159,715 parameters. Any height and width, padded
inside to a multiple of `multiple`. Its channel attention averages over the
whole input, so that every output pixel depends weakly on all of it, and tiles
should be as large as memory allows.
"""

from collections.abc import Callable, Sequence
import functools
import math

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np

from artjax.models import layers

_HEAD = 16  # channels of the confidence head
_FIRST_SCALE = 0.03  # of the predicted errors before training
_AREA = 16  # px, side of the squares of local means


def simple_gate(x: jax.Array) -> jax.Array:
  """[..., 2 C] -> [..., C]: the product of both halves."""
  half = x.shape[-1] // 2  # slices: jnp.split is slower on a CPU
  return x[..., :half] * x[..., half:]


def attend(
  x: jax.Array, dense: Callable[[jax.Array], jax.Array], window: int
) -> jax.Array:
  """Channel attention: [B, H, W, C] -> the same shape.

  In training, attention sees the means of small crops. The means of a whole
  picture are distributed differently, so at inference they are taken over
  squares of the crops' size (https://arxiv.org/abs/2112.04491), a quarter of
  their side apart, and the weights of the pixels between are interpolated.

  Args:
    x: the features.
    dense: predicts the weights f32[B, h, w, C] from the means of h x w squares.
    window: side of the squares, px of x; 0 = one mean over x.
  """
  sizes = x.shape[1:3]
  if not window or max(sizes) <= window:
    return x * dense(x.mean((1, 2), keepdims=True))
  (means, weights), (means_across, weights_across) = (
    _windows(size, window) for size in sizes
  )
  small = jnp.einsum('hy,byxc->bhxc', means.astype(x.dtype), x)
  small = jnp.einsum('wx,bhxc->bhwc', means_across.astype(x.dtype), small)
  factor = dense(small)
  factor = jnp.einsum('xw,bhwc->bhxc', weights_across.astype(x.dtype), factor)
  return x * jnp.einsum('yh,bhxc->byxc', weights.astype(x.dtype), factor)


@functools.lru_cache
def _windows(size, window):
  """Matrices of one axis: f32[n, size] averages, [size, n] interpolates."""
  side = min(window, size)
  count = 1 + math.ceil(4 * (size - side) / side)
  starts = np.round(np.linspace(0, size - side, count)).astype(int)
  pixels = np.arange(size)
  inside = (pixels >= starts[:, None]) & (pixels < starts[:, None] + side)
  middles = starts + (side - 1) / 2
  weights = [np.interp(pixels, middles, one) for one in np.eye(count)]
  return inside.astype(np.float32) / side, np.stack(
    weights, -1, dtype=np.float32
  )


class Block(nn.Module):
  """Depthwise convolution with gate and channel attention, then a gated MLP."""

  window: int = 0  # px of x over which attention averages; 0 = all of x
  dtype: jnp.dtype = jnp.float32

  @nn.compact
  def __call__(self, x: jax.Array) -> jax.Array:
    """[B, H, W, C] -> the same shape."""
    channels = x.shape[-1]
    dense = lambda features, name: layers.Dense(
      features, dtype=self.dtype, name=name
    )
    norm = lambda name: layers.Affine(name=name)(channels)
    # Starts at 0: an untrained block is the identity.
    scale = lambda name: self.param(
      name, nn.initializers.zeros, (1, 1, 1, channels)
    ).reshape(-1)

    y = layers.normalize(x)
    y = dense(2 * channels, 'conv1')(y, before=norm('norm1'))
    y = layers.DepthwiseConv3x3(dtype=self.dtype, name='conv2')(y)
    y = simple_gate(y)
    y = attend(y, dense(channels, 'attention'), self.window)
    x = x + dense(channels, 'conv3')(y, after=scale('beta'))
    y = layers.normalize(x)
    y = dense(2 * channels, 'conv4')(y, before=norm('norm2'))
    return x + dense(channels, 'conv5')(simple_gate(y), after=scale('gamma'))


class Confidence(nn.Module):
  """Predicts the size of the errors of a result from a network's features.

  Its gradients do not reach the network. It takes 3 to 4 % of a training step;
  with 3x3 convolutions it took more.
  """

  features: int  # of the output
  dtype: jnp.dtype = jnp.float32

  @nn.compact
  def __call__(self, x: jax.Array) -> jax.Array:
    """[B, H, W, C] -> [B, H, W, features], a constant before training."""
    dense = lambda name: layers.Dense(_HEAD, dtype=self.dtype, name=name)
    bend = lambda x: nn.leaky_relu(x, 0.1)
    # Normalized, since training on the small features is slow.
    x = bend(dense('narrow')(layers.normalize(jax.lax.stop_gradient(x))))
    x = bend(layers.DepthwiseConv3x3(dtype=self.dtype, name='near')(x))
    x = bend(dense('mix')(x))
    return nn.Dense(
      self.features,
      dtype=self.dtype,
      name='ending',
      kernel_init=nn.initializers.zeros,
      bias_init=nn.initializers.constant(math.log(_FIRST_SCALE)),
    )(x)


class NAFNet(nn.Module):
  """f32[B, H, W, 3] in [0, 1] -> f32[B, H, W, 3], restored, not clipped.

  With `confidence` a fourth channel follows: the natural logarithm of the scale
  of a Laplace distribution of each pixel's largest channel error, in the units
  of the picture; see the loss `confidence`.
  """

  width: int = 32  # channels at full resolution, doubled a level
  enc_blocks: Sequence[int] = (2, 2, 4, 8)  # a level on the way down
  middle_blocks: int = 12
  dec_blocks: Sequence[int] = (2, 2, 2, 2)  # a level on the way up
  padding: str = 'reflect'  # to a multiple; 'constant' = zeros, as published
  stem: int = 1  # pixel-unshuffle before everything: 2 is 4 times as fast
  zero_init: bool = False  # the last convolution starts at 0: the identity
  confidence: bool = False  # a fourth channel, how wrong it is likely to be
  # px over which attention averages at inference, the side of the training
  # crops; 0 = the whole input.
  window: int = 0
  bound: float = 0.0  # largest change of local means; 0 = unlimited
  dtype: jnp.dtype = jnp.float32  # of the computation

  @nn.compact
  def __call__(
    self, x: jax.Array, *, train: bool = False, context: jax.Array | None = None
  ) -> jax.Array:
    """The restored picture, within `bound` unless `train`; no `context`."""
    del context
    if len(self.enc_blocks) != len(self.dec_blocks):
      raise ValueError(
        f'enc_blocks {self.enc_blocks} and dec_blocks '
        f'{self.dec_blocks} must have the same length'
      )

    def block(level, name):
      window = 0 if train else self.window // (self.stem * 2**level)
      return Block(window, self.dtype, name=name)

    height, width = x.shape[1:3]
    x = x.astype(jnp.float32)
    y = layers.pad_to_multiple(x, self.multiple, self.padding)
    y = y.astype(self.dtype)
    if self.stem > 1:
      y = layers.pixel_unshuffle(y, self.stem)
    y = layers.Conv3x3(self.width, dtype=self.dtype, name='intro')(y)
    features, skips = self.width, []
    for level, blocks in enumerate(self.enc_blocks):
      for i in range(blocks):
        y = block(level, f'enc{level}_{i}')(y)
      skips.append(y)
      features *= 2
      # A 2x2 convolution of stride 2 is a dense layer after an unshuffle.
      y = layers.Dense(features, dtype=self.dtype, name=f'down{level}')(
        layers.pixel_unshuffle(y, 2)
      )
    for i in range(self.middle_blocks):
      y = block(len(self.enc_blocks), f'middle_{i}')(y)
    for level in reversed(range(len(self.dec_blocks))):
      y = layers.Dense(
        2 * features, use_bias=False, dtype=self.dtype, name=f'up{level}'
      )(y)
      features //= 2
      y = layers.pixel_shuffle(y, 2) + skips[level]
      for i in range(self.dec_blocks[level]):
        y = block(level, f'dec{level}_{i}')(y)
    last = y
    y = layers.Conv3x3(
      3 * self.stem**2,
      dtype=self.dtype,
      name='ending',
      kernel_init=nn.initializers.zeros
      if self.zero_init
      else nn.initializers.lecun_normal(),
    )(y)
    if self.confidence:
      head = Confidence(self.stem**2, self.dtype, name='confidence')
      y = jnp.concatenate([y, head(last)], -1)
    if self.stem > 1:
      y = layers.pixel_shuffle(y, self.stem)
    y = y.astype(jnp.float32)[:, :height, :width]
    if self.bound and not train:
      change = y[..., :3] * _share(y[..., :3], self.bound)
      y = jnp.concatenate([change, y[..., 3:]], -1)
    if not self.confidence:
      return x + y
    return jnp.concatenate([x + y[..., :3], y[..., 3:]], -1)

  @property
  def multiple(self) -> int:
    """Both sides are padded to a multiple of this, px."""
    return self.stem * 2 ** len(self.enc_blocks)

  @property
  def halo(self) -> int:
    """Margin around the valid area of a tile, px; attention has no limit."""
    return 64

  @property
  def edge(self) -> int:
    """Mirror image that it must see beyond the edges of a picture, px.

    Less than the halo, as crops in training had none of it.
    """
    return 16


def _share(change: jax.Array, bound: float) -> jax.Array:
  """Factor of a change that keeps local means, f32[B, H, W, 1] in [0, 1].

  1 where the local mean of the change is below `bound`, as for noise, lines and
  blur, and smaller where it is larger, so that a bright wall mistaken for
  damage is kept.
  """
  height, width = change.shape[1:3]
  small = layers.pad_to_multiple(change, _AREA)
  rows, columns = small.shape[1] // _AREA, small.shape[2] // _AREA
  small = small.reshape(-1, rows, _AREA, columns, _AREA, 3).mean((2, 4))
  moved = jnp.abs(small).max(-1, keepdims=True)
  share = bound / jnp.maximum(moved, bound)
  share = -nn.max_pool(-share, (3, 3), padding='SAME')  # the least nearby
  size = share.shape[0], rows * _AREA, columns * _AREA, 1
  return jax.image.resize(share, size, 'linear')[:, :height, :width]
