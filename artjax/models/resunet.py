"""U-Net whose encoder is a ResNet-18 or ResNet-34 of basic blocks.

https://arxiv.org/abs/1505.04597 and https://arxiv.org/abs/1512.03385. Scale x1,
any height and width, padded inside to a multiple of 32; the receptive field is
some 400 px. At width 64 the encoder is torchvision's (see
artjax/interop/torchvision.py for its ImageNet weights): 11,176,512 parameters
(18) or 21,284,672 (34) for 3 channels, 6,272 fewer for 1; the whole network
for 1 channel has 13,016,140 and 23,124,300, and 1,836,132 with depth 18, width
24 and coordinates.

The finest level of the decoder has half the resolution, as the encoder's stem;
the picture itself is concatenated there after a pixel unshuffle.
"""

import functools
import math

import flax.linen as nn
import jax
import jax.numpy as jnp

from artjax.models import layers

BLOCKS = {
  18: (2, 2, 2, 2),
  34: (3, 4, 6, 3),
}  # basic blocks of each stage, by depth
NORMS = ('batch', 'group')
# ImageNet's, over all channels: encoders for grey pictures expect these.
_MEAN, _DEVIATION = 0.449, 0.226


def _norm(kind, train, axis_name, dtype):
  """A constructor of norm layers: norm(name=...)."""
  if kind == 'batch':
    return functools.partial(
      layers.BatchNorm,
      use_running_average=not train,
      axis_name=axis_name,
      dtype=dtype,
    )
  return lambda name: (
    lambda x: nn.GroupNorm(
      num_groups=None,
      group_size=math.gcd(8, x.shape[-1]),
      dtype=dtype,
      name=name,
    )(x)
  )


def _conv(features, size, strides, dtype, name):
  """Convolution without bias, for the norm has one; padded as in PyTorch."""
  return nn.Conv(
    features,
    (size, size),
    strides,
    padding=size // 2,
    use_bias=False,
    dtype=dtype,
    name=name,
    kernel_init=nn.initializers.he_normal(),
  )


def max_pool(x: jax.Array) -> jax.Array:
  """3 x 3 max pooling, stride 2, padding 1, of values >= 0 and even sides.

  By maxima of slices: the gradient of XLA's pooling is far slower on a CPU.

  Args:
    x: [B, H, W, C].

  Returns:
    [B, H / 2, W / 2, C].
  """
  x = jnp.pad(x, ((0, 0), (1, 0), (1, 0), (0, 0)))  # 0 is never above a value
  rows = jnp.maximum(jnp.maximum(x[:, :-1:2], x[:, 1::2]), x[:, 2::2])
  return jnp.maximum(
    jnp.maximum(rows[:, :, :-1:2], rows[:, :, 1::2]), rows[:, :, 2::2]
  )


class BasicBlock(nn.Module):
  """relu(x + norm(conv(relu(norm(conv(x))))))."""

  features: int
  strides: int
  norm: str
  axis_name: str | None
  dtype: jnp.dtype = jnp.float32

  @nn.compact
  def __call__(self, x: jax.Array, *, train: bool = False) -> jax.Array:
    """[B, H, W, C] -> [B, H / strides, W / strides, features]."""
    norm = _norm(self.norm, train, self.axis_name, self.dtype)
    y = _conv(self.features, 3, self.strides, self.dtype, 'conv1')(x)
    y = nn.relu(norm(name='norm1')(y))
    y = _conv(self.features, 3, 1, self.dtype, 'conv2')(y)
    y = norm(name='norm2')(y)
    if x.shape != y.shape:
      x = _conv(self.features, 1, self.strides, self.dtype, 'down_conv')(x)
      x = norm(name='down_norm')(x)
    return nn.relu(x + y)


class Encoder(nn.Module):
  """A ResNet without its classifier."""

  depth: int
  width: int
  norm: str
  axis_name: str | None
  dtype: jnp.dtype = jnp.float32

  @nn.compact
  def __call__(self, x: jax.Array, *, train: bool = False) -> list[jax.Array]:
    """[B, H, W, C], normalized -> five levels, from H / 2 to H / 32."""
    norm = _norm(self.norm, train, self.axis_name, self.dtype)
    y = _conv(self.width, 7, 2, self.dtype, 'conv1')(x)
    y = nn.relu(norm(name='norm1')(y))
    levels = [y]
    y = max_pool(y)
    for stage, blocks in enumerate(BLOCKS[self.depth]):
      for i in range(blocks):
        strides = 2 if stage and not i else 1
        y = BasicBlock(
          self.width * 2**stage,
          strides,
          self.norm,
          self.axis_name,
          self.dtype,
          name=f'layer{stage + 1}_{i}',
        )(y, train=train)
      levels.append(y)
    return levels


class ResUNet(nn.Module):
  """f32[B, H, W, C] in [0, 1] -> f32[B, H, W, 3], nominally in [0, 1]."""

  depth: int = 18  # 18 | 34
  width: int = 64  # channels at half the resolution, ResNet's 64
  norm: str = 'group'  # 'group' | 'batch', as ImageNet's weights need
  coordinates: bool = False  # coordinates as input channels, for aligned
  # pictures that are processed whole (https://arxiv.org/abs/1807.03247)
  halo: int = 64  # margin around the valid area of a tile, px
  axis_name: str | None = 'batch'  # devices that share batch statistics
  dtype: jnp.dtype = jnp.float32  # of the computation

  multiple = 32  # both sides are padded to a multiple of this, px

  @nn.compact
  def __call__(
    self, x: jax.Array, *, train: bool = False, context: jax.Array | None = None
  ) -> jax.Array:
    """The picture; ValueError for an unknown depth or norm."""
    del context
    if self.depth not in BLOCKS:
      raise ValueError(
        f'depth={self.depth} is not one of {", ".join(map(str, BLOCKS))}'
      )
    if self.norm not in NORMS:
      raise ValueError(f'norm={self.norm!r} is not one of {", ".join(NORMS)}')
    norm = _norm(self.norm, train, self.axis_name, self.dtype)
    height, width = x.shape[1:3]
    x = layers.pad_to_multiple(x.astype(jnp.float32), self.multiple)
    x = ((x - _MEAN) / _DEVIATION).astype(self.dtype)
    levels = Encoder(
      self.depth,
      self.width,
      self.norm,
      self.axis_name,
      self.dtype,
      name='encoder',
    )(x, train=train)

    def block(y, features, name):
      y = _conv(features, 3, 1, self.dtype, f'{name}_conv')(y)
      return nn.relu(norm(name=f'{name}_norm')(y))

    y = levels.pop()
    if self.coordinates:
      y = jnp.concatenate([y, _coordinates(y)], -1)
    for i, features in enumerate((4, 2, 1, 1)):
      features *= self.width
      # The dense layer comes before the resize: four times cheaper there.
      y = nn.Dense(features, dtype=self.dtype, name=f'up{i}')(y)
      y = layers.upsample(y, 2)
      y = block(jnp.concatenate([y, levels.pop()], -1), features, f'up{i}')
    y = jnp.concatenate([y, layers.pixel_unshuffle(x, 2)], -1)
    y = block(y, self.width, 'end')
    y = layers.Conv3x3(12, dtype=self.dtype, name='last')(y)
    y = 0.5 + layers.pixel_shuffle(y.astype(jnp.float32), 2)
    return y[:, :height, :width]


def _coordinates(y):
  """Rows and columns from -1 to 1, [B, H, W, 2]."""
  batch, height, width = y.shape[:3]
  rows, columns = (
    jnp.linspace(-1, 1, side, dtype=y.dtype) for side in (height, width)
  )
  grid = jnp.stack(jnp.meshgrid(rows, columns, indexing='ij'), -1)
  return jnp.broadcast_to(grid, (batch, *grid.shape))
