"""Damage detector: a U-Net that predicts logits of each class of damage.

https://arxiv.org/abs/1505.04597 with residual blocks and skips that are added.
Scale x1. With the default fields: 1,408,796 parameters; receptive field 654 px
(`receptive_field`); any height and width, padded inside to a multiple of 32.

The stem turns squares of 2 x 2 px into channels: this is cheaper than full
resolution, and cracks of 1 px are not lost. Large losses and stains are found
at resolutions down to 1/32, in the same pass.

Its inputs are the picture, the difference of each pixel from its surroundings
in units of their contrast, and narrow details found by morphological hats. A
crack is a local difference, dark or bright, faint in a faded picture and strong
in a fresh one; from colours alone a network needs thousands of steps to detect
any. Batch norms (https://arxiv.org/abs/1502.03167) also speed training up. At
inference they are affine, so that, unlike norms over the picture, they cause no
seams between tiles.
"""

from collections.abc import Callable, Sequence
import functools
import math

import flax.linen as nn
import jax
import jax.numpy as jnp

from artjax.models import layers

AROUND = 8  # px, side of the squares of local mean and contrast
HATS = (3, 7, 15)  # px, sides of the hats' squares
RARE = 0.03  # predicted probability of damage before training


def local_contrast(x: jax.Array) -> jax.Array:
  """(x - local mean) / local standard deviation, [B, H, W, C] -> the same.

  Both are of squares of 8 x 8 px, with bilinear interpolation between them; H
  and W are multiples of 8. 0.02 is added to the deviation, so that noise stays
  small.
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
  """Top-hat and black-hat of the luma: narrow details, light and dark.

  They find many cracks and scratches without any training.

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

  Starts as the identity (https://arxiv.org/abs/1706.02677, 5.1), so that blocks
  added to a trained network do not change it.
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
  """f32[B, H, W, 3] in [0, 1] -> f32[B, H, W, outputs], logits of each class.

  Other networks that look for damage in the same way, but say something else
  of it, inherit from it, see stain_field.py.
  """

  features: Sequence[int] = (48, 64, 80, 96, 112)  # of each level, finest first
  blocks: Sequence[int] = (1, 1, 1, 1, 2)  # residual blocks of each level
  stem: int = 2  # space-to-depth factor
  dtype: jnp.dtype = jnp.float32  # of the computation
  axis_name: str | None = 'batch'  # devices that share batch statistics
  outputs: int = 3
  # Starts near the probability of most pixels. Otherwise the first steps only
  # learn that, and training can get stuck there.
  start: float = math.log(RARE / (1 - RARE))

  @nn.compact
  def __call__(
    self, x: jax.Array, *, train: bool = False, context: jax.Array | None = None
  ) -> jax.Array:
    """The logits; with `train` by batch statistics; `context` is unused."""
    del context
    if len(self.features) != len(self.blocks):
      raise ValueError(
        f'features {self.features} and blocks {self.blocks} '
        'must have the same length'
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
      # The convolution comes before the resize: four times cheaper there.
      y = nn.Dense(features, dtype=self.dtype, name=f'up{level}')(
        layers.leaky_relu(y)
      )
      y = layers.upsample(y, 2) + skips[level]
      for i in range(self.blocks[level]):
        y = ResBlock(features, norm, self.dtype, name=f'up{level}_{i}')(y)
    y = layers.Conv3x3(
      self.outputs * self.stem**2,
      dtype=self.dtype,
      name='stem_out',
      kernel_init=nn.initializers.variance_scaling(
        0.01, 'fan_in', 'truncated_normal'
      ),
      bias_init=nn.initializers.constant(self.start),
    )(layers.leaky_relu(norm(name='bn_out')(y)))
    y = layers.pixel_shuffle(y.astype(jnp.float32), self.stem)
    return y[:, :height, :width]

  @property
  def multiple(self) -> int:
    """Both sides are padded to a multiple of this, px."""
    return math.lcm(AROUND, self.stem * 2 ** (len(self.features) - 1))

  @property
  def receptive_field(self) -> int:
    """Side of the receptive field, px, at most."""
    radius = 1 + 1  # stem_in and stem_out, in pixels of the finest level
    for level, blocks in enumerate(self.blocks):
      sides = 1 if level == len(self.blocks) - 1 else 2  # encoder and decoder
      radius += 2**level * 2 * blocks * sides
    # Downsampling and bilinear upsampling add a coarse pixel for each level.
    radius += sum(2**level for level in range(1, len(self.blocks)))
    # A hat is the extreme of extremes: its side - 1 px in each direction, which
    # is more than the local contrast needs.
    return 2 * (self.stem * radius + max(HATS) - 1) + self.stem

  @property
  def halo(self) -> int:
    """Margin around the valid area of a tile, px.

    Less than the receptive field: distant pixels have little influence.
    """
    return min(96, self.receptive_field // 2)


class CoarseToFine(nn.Module):
  """A `Detector` for tiles, and one for the whole picture at low resolution.

  f32[B, H, W, 3] in [0, 1] -> f32[B, H, W, 3], logits of the fine one; those
  of the coarse one come from `overview`, see artjax/inference/passes/coarse.py.
  The two are trained separately (configs/detect.py) and joined by
  scripts/export.py: stains are found on the shrunk picture at far less cost
  than in crops large enough to contain them. The fine network sees each tile in
  `views` orientations and its outputs are averaged, see
  artjax/inference/network.py: one orientation alone misses some faint cracks.
  """

  features: Sequence[int] = Detector.features  # of the fine network
  blocks: Sequence[int] = Detector.blocks
  coarse_features: Sequence[int] = Detector.features
  coarse_blocks: Sequence[int] = (1, 1, 2, 3, 4)
  side: int = 208  # shorter side of the picture in `overview`, px
  views: int = 4  # rotations by 90 degrees whose probabilities are averaged
  dtype: jnp.dtype = jnp.float32  # of the computation

  def setup(self) -> None:
    """Both networks; they are trained separately."""
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
    """Logits of the fine network; `train` and `context` have no effect."""
    del train, context
    if self.is_initializing():
      self.coarse(x)
    return self.fine(x)

  def overview(
    self, x: jax.Array, *, context: jax.Array | None = None
  ) -> jax.Array:
    """A whole picture f32[B, h, w, 3], see `side` -> logits of that shape."""
    del context
    return self.coarse(x)

  @property
  def multiple(self) -> int:
    """That of a `Detector`; both networks have the same number of levels."""
    return self._fine().multiple

  @property
  def halo(self) -> int:
    """That of a `Detector`."""
    return self._fine().halo
