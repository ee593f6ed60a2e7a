"""MI-GAN: a small generator that fills holes.

Sargsyan et al., ICCV 2023; https://github.com/Picsart-AI-Research/MI-GAN. An
encoder and a synthesis network of depthwise separable convolutions on all
levels from 512 (or 256) px down to 4 px. 5,893,158 parameters at 512 px,
5,865,505 at 256 px; files also hold the filters of the resampling, which are
fixed here: 5,983,434 and 5,953,417. It takes pictures of that size only, since
the noise that it adds is part of its weights.
"""

from collections.abc import Sequence

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np

from artjax.models import layers

_COARSEST = 4  # px
_LARGEST = 256.0  # magnitude of a feature
# Binomial filter of the resampling, along one axis.
_BLUR = np.array([1, 3, 3, 1], np.float32) / 8


def _activated(y):
  """Leaky ReLU that keeps the variance, clipped."""
  return jnp.clip(layers.leaky_relu(y) * np.sqrt(2), -_LARGEST, _LARGEST)


def _halved(x):
  """[B, 2 H, 2 W, C] -> [B, H, W, C], zeros beyond the edges."""
  for axis in (1, 2):
    size = x.shape[axis]
    pads = [(1, 1) if i == axis else (0, 0) for i in range(4)]
    y = jnp.pad(x, pads)
    x = sum(
      _BLUR[i] * jax.lax.slice_in_dim(y, i, i + size - 1, 2, axis)
      for i in range(4)
    )
  return x


def _doubled(x):
  """[B, H, W, C] -> [B, 2 H, 2 W, C], zeros beyond the edges."""
  for axis in (1, 2):
    size = x.shape[axis]
    pads = [(1, 1) if i == axis else (0, 0) for i in range(4)]
    y = jnp.pad(x, pads)
    before, after = (
      jax.lax.slice_in_dim(y, i, i + size, axis=axis) for i in (0, 2)
    )
    # Every second tap meets an inserted zero; the sum of the others is 1/2.
    near, far = 2 * _BLUR[1], 2 * _BLUR[0]
    x = jnp.stack([near * x + far * before, near * x + far * after], axis + 1)
    x = x.reshape(*y.shape[:axis], 2 * size, *y.shape[axis + 1 :])
  return x


class SeparableConv(nn.Module):
  """Depthwise 3x3, activation, resampling, 1x1, noise, activation."""

  features: int
  down: bool = False
  up: bool = False
  noise: bool = False
  dtype: jnp.dtype = jnp.float32

  @nn.compact
  def __call__(self, x: jax.Array) -> jax.Array:
    """[B, H, W, C] -> [B, h, w, features]."""
    y = layers.DepthwiseConv3x3(dtype=self.dtype, name='depthwise')(x)
    y = _activated(y)
    if self.down:
      y = _halved(y)
    y = layers.Dense(
      self.features, use_bias=False, dtype=self.dtype, name='mix'
    )(y)
    if self.up:
      y = _doubled(y)
    if self.noise:
      strength = self.param('strength', nn.initializers.zeros, ())
      noise = self.variable(
        'batch_stats',
        'noise',
        lambda: jax.random.normal(self.make_rng('params'), y.shape[1:3]),
      )
      added = (strength * noise.value)[None, :, :, None]
      y = y + added.astype(self.dtype)
    return _activated(y)


class MIGAN(nn.Module):
  """f32[B, S, S, 4], picture and hole map -> f32[B, S, S, 3]; S = `tile`.

  The picture is in [0, 1]; the hole map is 1 at missing pixels, whose values
  are ignored. Known pixels are returned unchanged.
  """

  features: Sequence[int] = (64, 128, 256, 512, 512, 512, 512, 512)
  dtype: jnp.dtype = jnp.float32  # of the computation

  @property
  def tile(self) -> int:
    """Side of the only picture that it takes, px."""
    return _COARSEST * 2 ** (len(self.features) - 1)

  @property
  def halo(self) -> int:
    """px around the valid area of a tile."""
    return self.tile // 4

  @property
  def reach(self) -> int:
    """Depth to which it fills a hole, px; then a coarser pass does."""
    return self.tile // 4

  @nn.compact
  def __call__(
    self, x: jax.Array, *, train: bool = False, context: jax.Array | None = None
  ) -> jax.Array:
    """The filled picture; `train` has no effect."""
    del train, context
    side = self.tile
    if x.shape[1:] != (side, side, 4):
      raise ValueError(
        f'MI-GAN takes [B, {side}, {side}, 4], picture and hole map, not '
        f'{list(x.shape)}'
      )
    x = x.astype(jnp.float32)
    picture, known = x[..., :3], 1 - x[..., 3:]
    y = jnp.concatenate([known - 0.5, (2 * picture - 1) * known], -1)
    y = 0.5 + 0.5 * self._network(y.astype(self.dtype)).astype(jnp.float32)
    return known * picture + (1 - known) * y

  def _network(self, x):
    """[B, S, S, 4], known and picture around 0 -> [B, S, S, 3] around 0."""
    conv = lambda features, name, **how: SeparableConv(
      features, dtype=self.dtype, name=name, **how
    )
    dense = lambda features, name: layers.Dense(
      features, dtype=self.dtype, name=name
    )
    coarsest = len(self.features) - 1
    y = _activated(dense(self.features[0], 'from_rgb')(x))
    skips = []
    for level, features in enumerate(self.features):
      y = conv(features, f'enc{level}_1')(y)
      skips.append(y)
      features = self.features[min(level + 1, coarsest)]
      y = conv(features, f'enc{level}_2', down=level < coarsest)(y)
    picture = None
    for level in reversed(range(coarsest + 1)):
      how = {'noise': level < coarsest}
      features = self.features[level]
      y = conv(features, f'dec{level}_1', up=level < coarsest, **how)(y)
      y = conv(features, f'dec{level}_2', **how)(y + skips[level])
      rgb = dense(3, f'to_rgb{level}')(y)
      picture = rgb if picture is None else _doubled(picture) + rgb
    return picture
