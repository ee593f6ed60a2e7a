"""Generator that fills holes: a smooth fill, and a gated network's detail.

`push_pull` first fills every hole from its rim, however large it is, without
any parameters; `GatedUNet` predicts what is to be added to that. So a network
that has learnt nothing is a diffusion, and a hole that is larger than what the
network sees is filled from coarse to fine by the pyramid. Scale x1.

The convolutions are gated (https://arxiv.org/abs/1806.03589), the gate being a
1x1 convolution (https://arxiv.org/abs/2005.09704), with dilated ones at an
eighth of the resolution. With the default fields: 1,529,676 parameters, a
residual that sees 426 px a side (`receptive_field`), any height and width,
padded inside to a multiple of 8.
"""

from collections.abc import Sequence
import functools

import flax.linen as nn
import jax
import jax.numpy as jnp

from artjax.models import layers

GREY = 0.5  # of a picture of which nothing is known
_TINY = 1e-8
_DEPTHS = 6  # halvings after which every hole counts as equally deep


def push_pull(
  colour: jax.Array,
  known: jax.Array,
  fallback: float | jax.Array = GREY,
  *,
  sweeps: int = 4,
) -> tuple[jax.Array, jax.Array]:
  """Fills what is unknown smoothly from what surrounds it.

  The known pixels are averaged down a pyramid until every cell has some, and
  brought back up, coarse cells where finer ones know nothing
  (Gortler et al. 1996, https://doi.org/10.1145/237170.237200). Sweeps of
  relaxation at each level bring it near the solution of Laplace's equation,
  which nested iteration reaches in a few.

  Args:
    colour: f32[B, H, W, C]; unknown pixels may hold any finite value.
    known: f32[B, H, W, 1] in [0, 1], how far to trust each pixel.
    fallback: of a picture without any known pixel: a number or
      f32[B, 1, 1, C].
    sweeps: of relaxation at each level.

  Returns:
    (f32[B, H, W, C], the fill, which is `colour` where `known` is 1;
    f32[B, H, W, 1] in [0, 1], how deep in a hole each pixel lies, on a
    logarithmic scale: 0 where it is known, 1 where only cells of 32 px and
    more know anything).
  """
  height, width = known.shape[1:3]
  if height == width == 1:
    fill = known * colour + (1 - known) * fallback
    return fill, (1 - known) / _DEPTHS
  # What is beyond an odd edge is unknown, which no reflection could do better.
  pads = ((0, 0), (0, height % 2), (0, width % 2), (0, 0))
  c, w = jnp.pad(colour, pads), jnp.pad(known, pads)
  share = layers.downsample2(w)
  mean = layers.downsample2(c * w) / jnp.maximum(share, _TINY)
  # A cell of which a quarter is known is as good as known.
  coarse, depth = push_pull(
    mean, jnp.minimum(4 * share, 1), fallback, sweeps=sweeps
  )
  crop = lambda x: x[:, :height, :width]
  below = known * colour
  fill = below + (1 - known) * crop(layers.upsample(coarse, 2))
  # Not unrolled, which takes XLA minutes to fuse.
  fill = jax.lax.fori_loop(
    0, sweeps, lambda _, x: below + (1 - known) * _neighbours(x), fill
  )
  deeper = crop(layers.upsample(depth, 2))
  depth = (1 - known) * jnp.minimum(1 / _DEPTHS + deeper, 1)
  return fill, depth


def _neighbours(x):
  """[B, H, W, C] -> the mean of the eight around each pixel, edges repeated."""
  y = x
  for axis in (1, 2):
    size = x.shape[axis]
    take = functools.partial(jax.lax.slice_in_dim, y, axis=axis)
    before = jnp.concatenate([take(0, 1), take(0, size - 1)], axis)
    after = jnp.concatenate([take(1, size), take(size - 1, size)], axis)
    y = 0.25 * before + 0.5 * y + 0.25 * after
  return (4 * y - x) / 3


class GatedBlock(nn.Module):
  """x + mix(lrelu(conv(x)) * sigmoid(gate(x))), at constant width."""

  features: int
  dilation: int = 1
  dtype: jnp.dtype = jnp.float32

  @nn.compact
  def __call__(self, x: jax.Array) -> jax.Array:
    """[B, H, W, features] -> the same shape."""
    y = layers.leaky_relu(
      layers.Conv3x3(
        self.features,
        kernel_dilation=self.dilation,
        dtype=self.dtype,
        name='conv',
      )(x)
    )
    gate = nn.sigmoid(nn.Dense(self.features, dtype=self.dtype, name='gate')(x))
    # A tenth of the usual start keeps deep stacks of blocks near the identity.
    y = nn.Dense(
      self.features,
      dtype=self.dtype,
      name='mix',
      kernel_init=nn.initializers.variance_scaling(
        0.1, 'fan_in', 'truncated_normal'
      ),
    )(y * gate)
    return x + y


class GatedUNet(nn.Module):
  """f32[B, H, W, 4], picture and hole map -> f32[B, H, W, 3], not clipped.

  The picture is in [0, 1], the hole map 1 where it is missing; what the picture
  holds there is ignored. Starts as `push_pull`.

  `context` f32[B, h, w, 3] is the whole picture that `x` is a tile of: a tile
  of which nothing is known gets its mean colour. Without one that is grey.
  """

  features: Sequence[int] = (32, 64, 128)  # a level, finest first
  blocks: Sequence[int] = (1, 2)  # gated blocks a level, down and up again
  dilations: Sequence[int] = (1, 2, 4, 8, 4, 2, 1)  # a block each, coarsest
  stem: int = 2  # space-to-depth factor, 1 = full resolution
  # Depth to which it fills a hole, px; what lies deeper comes from a coarser
  # pass, see artjax/inference/passes/hole_pyramid.py. Its receptive field is
  # larger, but deep inside it predicts a blurred mean, no better than the
  # coarse pass; 60 or so for a network that generates texture.
  reach: int = 20
  dtype: jnp.dtype = jnp.float32  # of the computation

  @nn.compact
  def __call__(
    self, x: jax.Array, *, train: bool = False, context: jax.Array | None = None
  ) -> jax.Array:
    """The filled picture; `train` makes no difference to this network."""
    del train
    self._check(x)
    height, width = x.shape[1:3]
    x = x.astype(jnp.float32)
    colour = (
      GREY
      if context is None
      else context.astype(jnp.float32).mean((1, 2), keepdims=True)
    )
    x = layers.pad_to_multiple(x, self.multiple)
    hole = x[..., 3:]
    base, depth = push_pull(x[..., :3] * (1 - hole), 1 - hole, colour)

    # What every level is told: the fill about grey, where and how deep it is.
    told = jnp.concatenate([base - GREY, hole, depth], -1)
    y = layers.pixel_unshuffle(told, self.stem).astype(self.dtype)
    y = layers.Conv3x3(self.features[0], dtype=self.dtype, name='stem_in')(y)
    for _ in range(self.stem.bit_length() - 1):
      told = layers.downsample2(told)
    skips = []
    coarsest = len(self.features) - 1
    for level, features in enumerate(self.features):
      if level:
        told = layers.downsample2(told)
        y = jnp.concatenate(
          [layers.pixel_unshuffle(y, 2), told.astype(self.dtype)], -1
        )
        y = nn.Dense(features, dtype=self.dtype, name=f'down{level}')(y)
      if level < coarsest:
        for i in range(self.blocks[level]):
          y = self._block(features, f'down{level}_{i}')(y)
        skips.append(y)
    for i, dilation in enumerate(self.dilations):
      y = self._block(self.features[-1], f'middle{i}', dilation)(y)
    for level in reversed(range(coarsest)):
      # The convolution goes before the resize, where it is four times cheaper.
      y = nn.Dense(self.features[level], dtype=self.dtype, name=f'up{level}')(y)
      y = layers.upsample(y, 2) + skips[level]
      for i in range(self.blocks[level]):
        y = self._block(self.features[level], f'up{level}_{i}')(y)
    y = layers.Conv3x3(
      3 * self.stem**2,
      dtype=self.dtype,
      name='stem_out',
      kernel_init=nn.initializers.zeros,
    )(layers.leaky_relu(y))
    y = layers.pixel_shuffle(y.astype(jnp.float32), self.stem)
    return (base + y)[:, :height, :width]

  def _block(self, features, name, dilation=1):
    return GatedBlock(features, dilation, self.dtype, name=name)

  @property
  def multiple(self) -> int:
    """What both sides are padded to a multiple of, px."""
    return self.stem * 2 ** (len(self.features) - 1)

  @property
  def receptive_field(self) -> int:
    """Side of the square that an output pixel's residual sees, px.

    Of the smooth fill, that is; the fill itself comes from any distance.
    """
    radius = 1 + 1  # stem_in and stem_out, in pixels of the finest level
    for level, blocks in enumerate(self.blocks):
      radius += 2**level * 2 * blocks  # way down and way up
    radius += 2 ** len(self.blocks) * sum(self.dilations)
    # Bilinear steps up add a coarse pixel a level.
    radius += sum(2**level for level in range(1, len(self.features)))
    return 2 * self.stem * radius + self.stem

  @property
  def halo(self) -> int:
    """What tiles need around what they are to get right, px.

    Holes that reach farther beyond a tile are filled from other surroundings in
    each of two neighbours, so it is wider than a restorer's.
    """
    return min(128, self.receptive_field // 2)

  def _check(self, x):
    if len(self.features) != len(self.blocks) + 1:
      raise ValueError(
        f'features {self.features} must name one level more '
        f'than blocks {self.blocks}: the one of dilations'
      )
    if self.stem < 1 or self.stem & (self.stem - 1):
      raise ValueError(f'stem={self.stem} is no power of two')
    if x.shape[-1] != 4:
      raise ValueError(
        'a filler wants [B, H, W, 4], picture and hole map, got '
        f'{list(x.shape)}'
      )
