"""Detector of damage: a U-Net of its own contrast, logits out.

https://arxiv.org/abs/1505.04597 with residual blocks and skips that are added.
Scale x1. With the default fields: 1,408,796 parameters; a pixel of the output
sees 654 px a side (`receptive_field`); any height and width, padded inside to a
multiple of 32.

Cracks of 1 px are seen as they are: the stem turns squares of 2 x 2 px into
channels, which costs less than full resolution and loses nothing. Large losses
and stains are seen up to 32 times coarser, in the same pass.

Beside the picture it is given how each pixel differs from what is around it, in
units of the contrast there, and what is narrow in it, by morphological hats. A
crack is a difference, dark or bright, faint in a faded picture and strong in a
fresh one; a network of colours alone takes thousands of steps to come to see
any. Batch norms (https://arxiv.org/abs/1502.03167) speed training up as well,
and are affine afterwards: unlike norms of the picture they do not show tiles.
"""

from collections.abc import Callable, Sequence
import functools
import math

import flax.linen as nn
import jax
import jax.numpy as jnp

from artjax.models import layers

AROUND = 8  # px a side of the squares whose mean and contrast are taken
HATS = (3, 7, 15)  # sides of what is narrow, px
RARE = 0.03  # probability of damage of every pixel before training


def local_contrast(x: jax.Array) -> jax.Array:
  """[B, H, W, C] -> the same: (x - mean around) / standard deviation there.

  Means over squares of 8 x 8 px, bilinear between them: sides are multiples of
  8. 0.02 of white is added to the deviation, so that noise stays small.
  """
  mean, square = x, jnp.square(x).mean(-1, keepdims=True)
  for _ in range(int(math.log2(AROUND))):
    mean, square = layers.downsample2(mean), layers.downsample2(square)
  variance = square - jnp.square(mean).mean(-1, keepdims=True)
  deviation = 0.02 + jnp.sqrt(jnp.maximum(variance, 1e-6))
  return (x - layers.upsample(mean, AROUND)) / layers.upsample(
    deviation, AROUND
  )


def hats(x: jax.Array, sides: Sequence[int] = HATS) -> jax.Array:
  """What is narrower than a square, lighter and darker than its surroundings.

  Top-hat and black-hat of the luma: filters that find a good part of cracks and
  scratches before anything is learnt.

  Args:
    x: [B, H, W, 3].
    sides: of the squares, px.

  Returns:
    [B, H, W, 2 * len(sides)], >= 0.
  """
  grey = x @ jnp.float32([[0.299], [0.587], [0.114]])
  found = []
  for side in sides:
    found.append(grey - _highest(_lowest(grey, side), side))  # top-hat
    found.append(_lowest(_highest(grey, side), side) - grey)  # black-hat
  return jnp.concatenate(found, -1)


def _highest(x, side):
  for window in ((side, 1), (1, side)):
    x = nn.max_pool(x, window, padding='SAME')
  return x


def _lowest(x, side):
  return -_highest(-x, side)


class ResBlock(nn.Module):
  """x + two times norm, leaky ReLU and convolution, at constant width.

  Starts as the identity (https://arxiv.org/abs/1706.02677, 5.1), so that a
  trained network goes on where it was when it is given more blocks.
  """

  features: int
  norm: Callable[..., nn.Module]  # constructor, norm(name=...)
  dtype: jnp.dtype = jnp.float32

  @nn.compact
  def __call__(self, x: jax.Array) -> jax.Array:
    """[B, H, W, features] -> the same shape."""
    y = x
    for name, init in (
      ('1', nn.initializers.lecun_normal()),
      ('2', nn.initializers.zeros),
    ):
      y = layers.Conv3x3(
        self.features, dtype=self.dtype, kernel_init=init, name='conv' + name
      )(layers.leaky_relu(self.norm(name='bn' + name)(y)))
    return x + y


class Detector(nn.Module):
  """f32[B, H, W, 3] in [0, 1] -> f32[B, H, W, 3], logits of each damage."""

  features: Sequence[int] = (48, 64, 80, 96, 112)  # a level, finest first
  blocks: Sequence[int] = (1, 1, 1, 1, 2)  # residual blocks a level
  stem: int = 2  # space-to-depth factor
  dtype: jnp.dtype = jnp.float32  # of the computation
  axis_name: str | None = 'batch'  # devices that share their statistics

  @nn.compact
  def __call__(
    self, x: jax.Array, *, train: bool = False, context: jax.Array | None = None
  ) -> jax.Array:
    """The logits; `train` takes the statistics of the batch; no `context`."""
    del context
    if len(self.features) != len(self.blocks):
      raise ValueError(
        f'features {self.features} and blocks {self.blocks} '
        'must name as many levels'
      )
    height, width = x.shape[1:3]
    x = layers.pad_to_multiple(x.astype(jnp.float32), self.multiple)
    y = jnp.concatenate([2 * x - 1, local_contrast(x), 10 * hats(x)], -1)
    y = y.astype(self.dtype)
    y = layers.pixel_unshuffle(y, self.stem)
    y = layers.Conv3x3(self.features[0], dtype=self.dtype, name='stem_in')(y)
    norm = functools.partial(
      layers.BatchNorm,
      use_running_average=not train,
      axis_name=self.axis_name,
      dtype=self.dtype,
    )
    skips = []
    for level, features in enumerate(self.features):
      if level:
        y = nn.Dense(features, dtype=self.dtype, name=f'down{level}')(
          layers.pixel_unshuffle(layers.leaky_relu(y), 2)
        )
      for i in range(self.blocks[level]):
        y = ResBlock(features, norm, self.dtype, name=f'down{level}_{i}')(y)
      skips.append(y)
    for level in reversed(range(len(self.features) - 1)):
      features = self.features[level]
      # The convolution goes before the resize, where it is four times cheaper.
      y = nn.Dense(features, dtype=self.dtype, name=f'up{level}')(
        layers.leaky_relu(y)
      )
      y = layers.upsample(y, 2) + skips[level]
      for i in range(self.blocks[level]):
        y = ResBlock(features, norm, self.dtype, name=f'up{level}_{i}')(y)
    # Starts near what is true of most pixels: all of the first steps would go
    # into that, and they can end in a network that says nothing else.
    y = layers.Conv3x3(
      3 * self.stem**2,
      dtype=self.dtype,
      name='stem_out',
      kernel_init=nn.initializers.variance_scaling(
        0.01, 'fan_in', 'truncated_normal'
      ),
      bias_init=nn.initializers.constant(math.log(RARE / (1 - RARE))),
    )(layers.leaky_relu(norm(name='bn_out')(y)))
    y = layers.pixel_shuffle(y.astype(jnp.float32), self.stem)
    return y[:, :height, :width]

  @property
  def multiple(self) -> int:
    """What both sides are padded to a multiple of, px."""
    return math.lcm(AROUND, self.stem * 2 ** (len(self.features) - 1))

  @property
  def receptive_field(self) -> int:
    """Side of the square of input that an output pixel sees, px, at most."""
    radius = 1 + 1  # stem_in and stem_out, in pixels of the finest level
    for level, blocks in enumerate(self.blocks):
      sides = 1 if level == len(self.blocks) - 1 else 2  # way down and way up
      radius += 2**level * 2 * blocks * sides
    # Squares on the way down and bilinear steps up add a coarse pixel a level.
    radius += sum(2**level for level in range(1, len(self.blocks)))
    # A hat is the extreme of extremes: a square less a pixel to each side.
    # (The contrast is of squares, and bilinear between them: not as far.)
    return 2 * (self.stem * radius + max(HATS) - 1) + self.stem

  @property
  def halo(self) -> int:
    """What tiles need around what they are to get right, px.

    Less than is seen: what is that far away hardly matters.
    """
    return min(96, self.receptive_field // 2)


class CoarseToFine(nn.Module):
  """A `Detector` of tiles and one of the whole picture, shrunk.

  f32[B, H, W, 3] in [0, 1] -> f32[B, H, W, 3], logits of the fine one; those
  of the coarse one come from `overview`, see artjax/inference/passes/coarse.py.
  The two are trained separately (configs/detect.py) and joined by
  scripts/export.py: stains are found on the shrunk picture at far less cost
  than in crops large enough to contain them. The fine network sees each tile in
  `views` orientations and its outputs are averaged, see
  artjax/inference/network.py: one orientation alone misses some faint cracks.
  """

  features: Sequence[int] = Detector.features  # of the fine one
  blocks: Sequence[int] = Detector.blocks
  coarse_features: Sequence[int] = Detector.features
  coarse_blocks: Sequence[int] = (1, 1, 2, 3, 4)
  side: int = 208  # shorter side of the picture that `overview` is shown, px
  views: int = 4  # quarter turns of a tile whose probabilities are averaged
  dtype: jnp.dtype = jnp.float32  # of the computation

  def setup(self) -> None:
    """Both networks; neither is trained as a part of this one."""
    self.fine = self._fine()
    self.coarse = Detector(
      self.coarse_features, self.coarse_blocks, dtype=self.dtype
    )

  @nn.nowrap
  def _fine(self):
    return Detector(self.features, self.blocks, dtype=self.dtype)

  def __call__(
    self, x: jax.Array, *, train: bool = False, context: jax.Array | None = None
  ) -> jax.Array:
    """The logits of the fine one; no `train`, no `context`."""
    del train, context
    if self.is_initializing():
      self.coarse(x)
    return self.fine(x)

  def overview(
    self, x: jax.Array, *, context: jax.Array | None = None
  ) -> jax.Array:
    """f32[B, h, w, 3], a whole picture of `side` px -> logits of its pixels."""
    del context
    return self.coarse(x)

  @property
  def multiple(self) -> int:
    """As of a `Detector`; the coarse one must have as many levels."""
    return self._fine().multiple

  @property
  def halo(self) -> int:
    """As of a `Detector`."""
    return self._fine().halo
