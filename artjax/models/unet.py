"""U-Net for restoration, conditioned on a thumbnail of the whole picture.

https://arxiv.org/abs/1505.04597, with residual blocks
(`x + conv(lrelu(conv))`), skips that are added, a space-to-depth stem and a
global residual. Scale x1. With the default fields: 4,755,306 parameters; the
residual has a receptive field of 402 px (`receptive_field`), the colour
transform depends on the whole context; any height and width, padded inside to a
multiple of 16.

With the stem (pixel unshuffle at the input, shuffle at the output) the finest
level has half the resolution: XLA's convolutions are slow on a CPU with few
channels at full resolution, where a plain U-Net spends most of its time.

Whether a picture is faded, tinted or varnished shows in the statistics of the
whole, not in a tile. So `context`, a thumbnail of the whole, is encoded as a
vector, which sets a polynomial colour transform of the picture and modulates
the features (FiLM, https://arxiv.org/abs/1709.07871).
"""

from collections.abc import Sequence
import math

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np

from artjax.models import layers

COLOUR_TERMS = 10  # 1, r, g, b, r², g², b², rg, gb, br
NORMS = ('none', 'group')
DOWNS = ('bilinear', 'stride')


class ResBlock(nn.Module):
  """x + conv(lrelu(film(norm(conv(x))))), at constant width."""

  features: int
  norm: str = 'none'
  dtype: jnp.dtype = jnp.float32

  @nn.compact
  def __call__(
    self, x: jax.Array, context: jax.Array | None = None
  ) -> jax.Array:
    """[B, H, W, features], modulated by [B, C] -> the same shape."""
    y = layers.Conv3x3(self.features, dtype=self.dtype, name='conv1')(x)
    if self.norm == 'group':
      y = nn.GroupNorm(
        num_groups=None,
        group_size=math.gcd(8, self.features),
        dtype=self.dtype,
        name='norm',
      )(y)
    if context is not None:
      film = nn.Dense(
        2 * self.features,
        dtype=self.dtype,
        name='film',
        kernel_init=nn.initializers.zeros,
      )(context)
      scale, shift = jnp.split(film[:, None, None, :], 2, axis=-1)
      y = y * (1 + scale) + shift
    # A tenth of the usual scale keeps deep stacks of blocks near the identity.
    y = layers.Conv3x3(
      self.features,
      dtype=self.dtype,
      name='conv2',
      kernel_init=nn.initializers.variance_scaling(
        0.1, 'fan_in', 'truncated_normal'
      ),
    )(layers.leaky_relu(y))
    return x + y


class ContextEncoder(nn.Module):
  """The whole picture, f32[B, h, w, 3] of any size -> a vector [B, features].

  From a `size` px thumbnail: quantiles of its colours, where the darkest and
  the lightest show how far it has faded, and means and maxima of three strided
  convolutions, which show its content.
  """

  size: int = 64
  features: int = 256
  quantiles: int = 17
  dtype: jnp.dtype = jnp.float32

  @nn.compact
  def __call__(self, picture: jax.Array) -> jax.Array:
    """f32[B, H, W, C], of any size -> [B, features]."""
    shape = (picture.shape[0], self.size, self.size, picture.shape[3])
    x = jax.image.resize(picture.astype(jnp.float32), shape, 'linear') - 0.5
    # From 2x2 means: a quarter of the values is sorted twelve times as fast.
    statistics = [self._quantiles(layers.downsample2(x))]
    y = x.astype(self.dtype)
    for i, features in enumerate((32, 64, 128)):
      y = layers.leaky_relu(
        layers.Conv3x3(features, strides=2, dtype=self.dtype, name=f'conv{i}')(
          y
        )
      )
      statistics += [y.mean((1, 2)), y.max((1, 2))]
    y = jnp.concatenate(statistics, -1).astype(self.dtype)
    y = layers.leaky_relu(
      nn.Dense(self.features, dtype=self.dtype, name='dense1')(y)
    )
    return layers.leaky_relu(
      nn.Dense(self.features, dtype=self.dtype, name='dense2')(y)
    )

  def _quantiles(self, x):
    """[B, H, W, 3] -> [B, 6 quantiles] of r, g, b, luma, r - g and b - g."""
    r, g, b = x[..., 0], x[..., 1], x[..., 2]
    values = jnp.stack([r, g, b, (r + 2 * g + b) / 4, r - g, b - g], 1)
    values = jax.lax.stop_gradient(values.reshape(*values.shape[:2], -1))
    # Not the extremes, which often come from damage.
    count = values.shape[-1]
    places = np.linspace(0.005, 0.995, self.quantiles) * (count - 1)
    ordered = jnp.sort(values, axis=-1)[..., np.rint(places).astype(int)]
    return 2 * ordered.reshape(x.shape[0], -1)


def colour_transform(x: jax.Array, change: jax.Array) -> jax.Array:
  """x + a polynomial of second degree in r, g, b for each picture.

  Args:
    x: f32[B, H, W, 3] in [0, 1].
    change: f32[B, COLOUR_TERMS, 3], coefficients; the terms are centred at
      mid grey, where they are least correlated.

  Returns:
    f32[B, H, W, 3].
  """
  u = x - 0.5
  r, g, b = (u[..., i : i + 1] for i in range(3))
  basis = jnp.concatenate([jnp.ones_like(r), u, u * u, r * g, g * b, b * r], -1)
  return x + jnp.einsum('bhwk,bkc->bhwc', basis, change)


class UNet(nn.Module):
  """f32[B, H, W, 3] in [0, 1] -> f32[B, H, W, 3], restored, not clipped.

  Starts as the identity. `context` f32[B, h, w, 3] is the whole picture that
  `x` is a tile of, of any size; without one it is `x` itself.
  """

  features: Sequence[int] = (32, 64, 128, 256)  # of each level, finest
  # first; () = only the colour transform, which trains a hundred times faster
  blocks: Sequence[int] = (1, 2, 2, 2)  # residual blocks of each level
  norm: str = 'none'  # 'none' | 'group'
  down: str = 'bilinear'  # 'bilinear' (2x2 means) | 'stride' (learned)
  stem: int = 2  # space-to-depth factor, 1 = full resolution
  context_size: int = 64  # thumbnail's side, px; 0 = no context
  residual: bool = True  # whether the picture is added to the output
  dtype: jnp.dtype = jnp.float32  # of the computation

  @nn.compact
  def __call__(
    self, x: jax.Array, *, train: bool = False, context: jax.Array | None = None
  ) -> jax.Array:
    """The restored picture; `train` has no effect."""
    del train
    self._check()
    height, width = x.shape[1:3]
    x = x.astype(jnp.float32)
    base, body, vector = x, x, None
    if self.context_size:
      # From the unpadded picture: padding must not affect the statistics.
      vector = ContextEncoder(
        self.context_size, dtype=self.dtype, name='context'
      )(x if context is None else context)
      change = nn.Dense(
        COLOUR_TERMS * 3, name='colour', kernel_init=nn.initializers.zeros
      )(vector)
      base = colour_transform(x, change.reshape(-1, COLOUR_TERMS, 3))
      body = jnp.concatenate([x, base], -1)
    if not self.features:
      return base

    y = layers.pad_to_multiple(body, self.multiple).astype(self.dtype)
    y = layers.pixel_unshuffle(y, self.stem)
    y = layers.Conv3x3(self.features[0], dtype=self.dtype, name='stem_in')(y)
    skips = []
    coarsest = len(self.features) - 1
    for level, features in enumerate(self.features):
      if level:
        y = self._down(y, features, f'down{level}')
      for i in range(self.blocks[level]):
        y = ResBlock(features, self.norm, self.dtype, name=f'down{level}_{i}')(
          y, vector if level == coarsest else None
        )
      skips.append(y)
    for level in reversed(range(coarsest)):
      features = self.features[level]
      # The convolution comes before the resize: four times cheaper there.
      y = nn.Dense(features, dtype=self.dtype, name=f'up{level}')(y)
      y = layers.upsample(y, 2) + skips[level]
      for i in range(self.blocks[level]):
        y = ResBlock(features, self.norm, self.dtype, name=f'up{level}_{i}')(
          y, vector
        )
    y = layers.Conv3x3(
      3 * self.stem**2,
      dtype=self.dtype,
      name='stem_out',
      kernel_init=nn.initializers.zeros,
    )(layers.leaky_relu(y))
    y = layers.pixel_shuffle(y.astype(jnp.float32), self.stem)
    y = y[:, :height, :width]
    return base + y if self.residual else y

  @property
  def multiple(self) -> int:
    """Both sides are padded to a multiple of this, px."""
    return self.stem * 2 ** max(0, len(self.features) - 1)

  @property
  def receptive_field(self) -> int:
    """Side of the receptive field of a pixel's residual, px."""
    radius = 1 + 1  # stem_in and stem_out, in pixels of the finest level
    for level, blocks in enumerate(self.blocks):
      sides = 1 if level == len(self.blocks) - 1 else 2  # encoder and decoder
      radius += 2**level * 2 * blocks * sides
    # Downsampling and bilinear upsampling add a coarse pixel for each level.
    radius += sum(2**level for level in range(1, len(self.blocks)))
    return 2 * self.stem * radius + self.stem

  @property
  def halo(self) -> int:
    """Margin around the valid area of a tile, px.

    Less than half of the receptive field, since distant pixels have little
    influence: with the shipped weights, tiled and whole results agree within
    1/255 (`scripts/benchmark.py tiles`).
    """
    return min(64, self.receptive_field // 2)

  def _down(self, y, features, name):
    y = (
      layers.downsample2(y)
      if self.down == 'bilinear'
      else layers.pixel_unshuffle(y, 2)
    )
    return nn.Dense(features, dtype=self.dtype, name=name)(y)

  def _check(self):
    if len(self.features) != len(self.blocks):
      raise ValueError(
        f'features {self.features} and blocks {self.blocks} '
        'must have the same length'
      )
    if self.norm not in NORMS:
      raise ValueError(f'norm={self.norm!r} is not one of {", ".join(NORMS)}')
    if self.down not in DOWNS:
      raise ValueError(f'down={self.down!r} is not one of {", ".join(DOWNS)}')
