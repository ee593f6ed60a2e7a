"""Inpainting: a smooth fill by diffusion, and details by a gated U-Net.

`push_pull`, which has no parameters, fills every hole, however large, from its
boundary; `GatedUNet` predicts what to add. So the untrained network is a
diffusion, and a hole larger than the receptive field is filled from coarse to
fine by the pyramid. Scale x1.

The convolutions are gated (https://arxiv.org/abs/1806.03589), the gate being a
1x1 convolution (https://arxiv.org/abs/2005.09704), with dilated ones at an
eighth of the resolution. With the default fields: 1,529,676 parameters, a
receptive field of 426 px (`receptive_field`), any height and width, padded
inside to a multiple of 8.
"""

from collections.abc import Sequence
import functools

import flax.linen as nn
import jax
import jax.numpy as jnp

from artjax.models import layers

GREY = 0.5  # fill where no pixel is known
_TINY = 1e-8
_DEPTHS = 6  # levels of the pyramid after which the depth saturates


def push_pull(
  colour: jax.Array,
  known: jax.Array,
  fallback: float | jax.Array = GREY,
  *,
  sweeps: int = 4,
) -> tuple[jax.Array, jax.Array]:
  """Fills unknown pixels smoothly from their surroundings.

  The known pixels are averaged in a pyramid until every cell contains some; on
  the way back, unknown cells are filled from the coarser level (Gortler et al.
  1996, https://doi.org/10.1145/237170.237200). A few sweeps of relaxation at
  each level bring the fill near the solution of Laplace's equation.

  Args:
    colour: f32[B, H, W, C]; unknown pixels may hold any finite value.
    known: f32[B, H, W, 1] in [0, 1], the weight of each pixel.
    fallback: colour of a picture without known pixels: a number or
      f32[B, 1, 1, C].
    sweeps: of relaxation at each level.

  Returns:
    (f32[B, H, W, C], the fill, which is `colour` where `known` is 1;
    f32[B, H, W, 1] in [0, 1], the depth of each pixel in its hole on a
    logarithmic scale: 0 where it is known, 1 where only cells of 32 px or more
    contain known pixels).
  """
  height, width = known.shape[1:3]
  if height == width == 1:
    fill = known * colour + (1 - known) * fallback
    return fill, (1 - known) / _DEPTHS
  # Pixels beyond an odd edge are unknown.
  pads = ((0, 0), (0, height % 2), (0, width % 2), (0, 0))
  c, w = jnp.pad(colour, pads), jnp.pad(known, pads)
  share = layers.downsample2(w)
  mean = layers.downsample2(c * w) / jnp.maximum(share, _TINY)
  # A cell counts as known if a quarter of it is.
  coarse, depth = push_pull(
    mean, jnp.minimum(4 * share, 1), fallback, sweeps=sweeps
  )
  crop = lambda x: x[:, :height, :width]
  below = known * colour
  fill = below + (1 - known) * crop(layers.upsample(coarse, 2))
  # A loop: unrolled, it takes XLA minutes to compile.
  fill = jax.lax.fori_loop(
    0, sweeps, lambda _, x: below + (1 - known) * _neighbours(x), fill
  )
  deeper = crop(layers.upsample(depth, 2))
  depth = (1 - known) * jnp.minimum(1 / _DEPTHS + deeper, 1)
  return fill, depth


def _neighbours(x):
  """[B, H, W, C] -> the mean of the eight neighbours, edges repeated."""
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
    # A tenth of the usual scale keeps deep stacks of blocks near the identity.
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

  The picture is in [0, 1]; the hole map is 1 at missing pixels, whose values
  are ignored. Equals `push_pull` before training.

  `context` f32[B, h, w, 3] is the whole picture of which `x` is a tile: tiles
  without known pixels get its mean colour, or grey without `context`.
  """

  features: Sequence[int] = (32, 64, 128)  # of each level, finest first
  blocks: Sequence[int] = (
    1,
    2,
  )  # of each level of the encoder and of the decoder
  dilations: Sequence[int] = (
    1,
    2,
    4,
    8,
    4,
    2,
    1,
  )  # of the blocks of the coarsest level
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
    """The filled picture; `train` has no effect."""
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

    # An input of every level: the fill, the hole and its depth.
    inputs = jnp.concatenate([base - GREY, hole, depth], -1)
    y = layers.pixel_unshuffle(inputs, self.stem).astype(self.dtype)
    y = layers.Conv3x3(self.features[0], dtype=self.dtype, name='stem_in')(y)
    for _ in range(self.stem.bit_length() - 1):
      inputs = layers.downsample2(inputs)
    skips = []
    coarsest = len(self.features) - 1
    for level, features in enumerate(self.features):
      if level:
        inputs = layers.downsample2(inputs)
        y = jnp.concatenate(
          [layers.pixel_unshuffle(y, 2), inputs.astype(self.dtype)], -1
        )
        y = nn.Dense(features, dtype=self.dtype, name=f'down{level}')(y)
      if level < coarsest:
        for i in range(self.blocks[level]):
          y = self._block(features, f'down{level}_{i}')(y)
        skips.append(y)
    for i, dilation in enumerate(self.dilations):
      y = self._block(self.features[-1], f'middle{i}', dilation)(y)
    for level in reversed(range(coarsest)):
      # The convolution comes before the resize: four times cheaper there.
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
    """Both sides are padded to a multiple of this, px."""
    return self.stem * 2 ** (len(self.features) - 1)

  @property
  def receptive_field(self) -> int:
    """Side of the receptive field of a pixel's residual, px.

    The smooth fill itself depends on pixels at any distance.
    """
    radius = 1 + 1  # stem_in and stem_out, in pixels of the finest level
    for level, blocks in enumerate(self.blocks):
      radius += 2**level * 2 * blocks  # encoder and decoder
    radius += 2 ** len(self.blocks) * sum(self.dilations)
    # Bilinear upsampling adds a coarse pixel for each level.
    radius += sum(2**level for level in range(1, len(self.features)))
    return 2 * self.stem * radius + self.stem

  @property
  def halo(self) -> int:
    """Margin around the valid area of a tile, px.

    Wider than for restoration: where a hole extends beyond the halo,
    neighbouring tiles fill it from different surroundings.
    """
    return min(128, self.receptive_field // 2)

  @property
  def edge(self) -> int:
    """Mirror image that it must see beyond the edges of a picture, px.

    Less than the halo, as crops in training had none of it.
    """
    return 32

  def _check(self, x):
    if len(self.features) != len(self.blocks) + 1:
      raise ValueError(
        f'features {self.features} must have one entry more than blocks '
        f'{self.blocks}, for the level of `dilations`'
      )
    if self.stem < 1 or self.stem & (self.stem - 1):
      raise ValueError(f'stem={self.stem} is not a power of two')
    if x.shape[-1] != 4:
      raise ValueError(
        'inpainting takes [B, H, W, 4], picture and hole map, not '
        f'{list(x.shape)}'
      )
