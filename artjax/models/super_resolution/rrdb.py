"""RRDBNet, the generator of ESRGAN and Real-ESRGAN.

https://arxiv.org/abs/1809.00219 and https://arxiv.org/abs/2107.10833: residual
in residual dense blocks, no batch norm. x4 with 16,697,987 parameters (x2
16,703,171, x1 16,723,907; with 6 blocks 4,467,779). Real-ESRGAN's x2 and x1
unshuffle the input by 2 and 4 and enlarge by 4 as well, so their trunk works at
a lower resolution. ESRGAN's have one upsampling convolution for each doubling
instead (`upsamplings`): x1 has none and 16,624,131 parameters, x2 16,661,059,
x8 16,734,915.

ESRGAN+ (https://arxiv.org/abs/2001.08073) adds a residual path to each dense
block; the noise of its training is left out.

The trunk is a loop, see trunk.py.
"""

import flax.linen as nn
import jax
import jax.numpy as jnp

from artjax.models import layers
from artjax.models import planes
from artjax.models import trunk

# A tenth of Kaiming's scale keeps deep stacks of blocks stable.
_SMALL = nn.initializers.variance_scaling(0.02, 'fan_in', 'normal')


class DenseBlock(nn.Module):
  """x + 0.2 * five convolutions, each of all features before it."""

  growth: int
  plus: bool = False  # the residual path of ESRGAN+
  dtype: jnp.dtype = jnp.float32

  @nn.compact
  def __call__(self, x: jax.Array) -> jax.Array:
    """[B, H, W, C] -> the same shape."""
    seen = x
    if self.plus:
      added = layers.Dense(
        self.growth, use_bias=False, dtype=self.dtype, name='conv1x1'
      )(x)
    for i in range(1, 5):
      y = layers.Conv3x3(
        self.growth, dtype=self.dtype, kernel_init=_SMALL, name=f'conv{i}'
      )(seen)
      y = layers.leaky_relu(y)
      if self.plus and i % 2 == 0:
        added = y = y + added
      seen = jnp.concatenate([seen, y], -1)
    y = layers.Conv3x3(
      x.shape[-1], dtype=self.dtype, kernel_init=_SMALL, name='conv5'
    )(seen)
    return x + 0.2 * y


class RRDB(nn.Module):
  """x + 0.2 * three dense blocks; called as the body of a scan."""

  growth: int
  plus: bool = False
  dtype: jnp.dtype = jnp.float32

  @nn.compact
  def __call__(self, x: jax.Array, _: None) -> tuple[jax.Array, None]:
    """[B, H, W, C] -> (the same shape, None)."""
    y = x
    for i in range(1, 4):
      y = DenseBlock(self.growth, self.plus, self.dtype, name=f'rdb{i}')(y)
    return x + 0.2 * y, None


class RRDBNet(nn.Module):
  """f32[B, H, W, 3] in [0, 1] -> f32[B, H * scale, W * scale, 3]."""

  scale: int = 4  # 1 | 2 | 4 | 8 | 16, up to 2 ** upsamplings
  upsamplings: int = 2  # doublings at the end, which also undo the unshuffle
  features: int = 64
  growth: int = 32
  blocks: int = 23
  plus: bool = False  # ESRGAN+
  reads: int = 3  # channels, see planes.py
  writes: int = 3
  remat: bool = False  # recompute the trunk in the backward pass: less memory
  unroll: bool = False  # the loop, for tools that cannot trace it
  dtype: jnp.dtype = jnp.float32  # of the computation

  @nn.compact
  def __call__(
    self, x: jax.Array, *, train: bool = False, context: jax.Array | None = None
  ) -> jax.Array:
    """The enlarged picture; `train` and `context` have no effect."""
    del train, context
    if self.scale not in [2**i for i in range(self.upsamplings + 1)]:
      raise ValueError(
        f'scale={self.scale} is not 1, 2, 4 ... {2**self.upsamplings}'
      )
    return planes.run(self._enlarge, x, self.reads, self.writes)

  def _enlarge(self, x):
    """[B, H, W, reads] -> f32[B, H * scale, W * scale, writes]."""
    height, width = x.shape[1:3]
    conv = lambda name, features=self.features: layers.Conv3x3(
      features, dtype=self.dtype, name=name
    )
    x = layers.pad_to_multiple(x, self.multiple).astype(self.dtype)
    y = conv('conv_first')(layers.pixel_unshuffle(x, self.multiple))
    features = trunk.run(
      self,
      'body',
      RRDB,
      {'growth': self.growth, 'plus': self.plus, 'dtype': self.dtype},
      y,
      self.blocks,
      remat=self.remat,
      unroll=self.unroll,
    )
    y = y + conv('conv_body')(features)
    for i in range(1, self.upsamplings + 1):
      y = conv(f'conv_up{i}')(layers.upsample_nearest(y, 2))
      y = layers.leaky_relu(y)
    y = conv('conv_last', self.writes)(layers.leaky_relu(conv('conv_hr')(y)))
    y = y.astype(jnp.float32)
    return y[:, : height * self.scale, : width * self.scale]

  @property
  def multiple(self) -> int:
    """Both sides are padded to a multiple of this, px."""
    return 2**self.upsamplings // self.scale

  @property
  def halo(self) -> int:
    """Margin around the valid area of a tile, px of the input.

    Far less than the receptive field, on the assumption that distant pixels
    have little influence, since each block is scaled by 0.2 twice. Check it for
    trained weights with `scripts/benchmark.py tiles`.
    """
    return 24 * self.multiple
