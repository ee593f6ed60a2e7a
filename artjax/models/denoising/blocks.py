"""Building blocks that denoising networks share. All arrays are NHWC."""

from collections.abc import Callable, Sequence

import flax.linen as nn
import jax
import jax.numpy as jnp

from artjax.models import layers
from artjax.models import planes

# A stage of a U-Net: (features [B, H, W, C], level, 0 = finest) -> features.
Stage = Callable[[jax.Array, int], jax.Array]


class Denoiser(nn.Module):
  """Base class: f32[B, H, W, 3] in [0, 1] -> f32[B, H, W, 3].

  A subclass implements `denoise`, and has the attributes `multiple` and `halo`.
  """

  reads: int = 3  # channels: 1 (each colour channel separately) or 3
  dtype: jnp.dtype = jnp.float32  # of the computation

  def __call__(
    self, x: jax.Array, *, train: bool = False, context: jax.Array | None = None
  ) -> jax.Array:
    """The denoised picture; `train` and `context` have no effect."""
    del train, context
    return planes.run(self.denoise, x, self.reads, self.reads)

  def denoise(self, x: jax.Array) -> jax.Array:
    """f32[B, H, W, reads] -> f32 of the same shape."""
    raise NotImplementedError


def conv_stack(
  x: jax.Array, convs: int, features: int, outputs: int, dtype: jnp.dtype
) -> jax.Array:
  """3x3 convolutions `conv0`, `conv1`, ... with ReLUs between them.

  Args:
    x: [B, H, W, C].
    convs: number of convolutions.
    features: channels of all but the last.
    outputs: channels of the last.
    dtype: of the computation.

  Returns:
    [B, H, W, outputs].
  """
  for i in range(convs - 1):
    x = layers.Conv3x3(features, dtype=dtype, name=f'conv{i}')(x)
    x = nn.relu(x)
  return layers.Conv3x3(outputs, dtype=dtype, name=f'conv{convs - 1}')(x)


class Residual(nn.Module):
  """x + (conv, ReLU, conv), optionally scaled and shifted before the sum."""

  use_bias: bool = False
  dtype: jnp.dtype = jnp.float32

  @nn.compact
  def __call__(
    self, x: jax.Array, film: tuple[jax.Array, jax.Array] | None = None
  ) -> jax.Array:
    """[B, H, W, C], and (scale, shift) [B, 1, 1, C] each -> [B, H, W, C]."""
    conv = lambda name: layers.Conv3x3(
      x.shape[-1], use_bias=self.use_bias, dtype=self.dtype, name=name
    )
    y = conv('conv2')(nn.relu(conv('conv1')(x)))
    if film is not None:
      y = film[0] * y + film[1]
    return x + y


class Down(nn.Module):
  """2x2 convolution of stride 2: a dense layer after a pixel unshuffle."""

  features: int
  use_bias: bool = False
  dtype: jnp.dtype = jnp.float32

  @nn.compact
  def __call__(self, x: jax.Array) -> jax.Array:
    """[B, 2 H, 2 W, C] -> [B, H, W, features]."""
    return layers.Dense(
      self.features, use_bias=self.use_bias, dtype=self.dtype, name='dense'
    )(layers.pixel_unshuffle(x, 2))


class Up(nn.Module):
  """2x2 transposed convolution of stride 2: a dense layer, a pixel shuffle."""

  features: int
  use_bias: bool = False
  dtype: jnp.dtype = jnp.float32

  @nn.compact
  def __call__(self, x: jax.Array) -> jax.Array:
    """[B, H, W, C] -> [B, 2 H, 2 W, features]."""
    y = layers.Dense(
      4 * self.features, use_bias=False, dtype=self.dtype, name='dense'
    )(x)
    y = layers.pixel_shuffle(y, 2)
    if not self.use_bias:
      return y
    bias = self.param('bias', nn.initializers.zeros, (self.features,))
    return y + bias.astype(y.dtype).reshape(1, 1, 1, -1)


def encode(
  y: jax.Array,
  features: Sequence[int],
  stage: Stage,
  *,
  use_bias: bool = False,
  dtype: jnp.dtype,
) -> tuple[jax.Array, list[jax.Array]]:
  """The encoder of a U-Net: `stage` at each level, `Down` between levels.

  Args:
    y: [B, H, W, features[0]].
    features: channels of each level, finest first.
    stage: the blocks of a level.
    use_bias: of `Down`.
    dtype: of the computation.

  Returns:
    The features of the coarsest level, and the input of each level, finest
    first, for `decode`.
  """
  skips = []
  for level, width in enumerate(features):
    if level:
      down = Down(width, use_bias, dtype, name=f'down{level}')
      y = down(y)
    skips.append(y)
    y = stage(y, level)
  return y, skips


def decode(
  y: jax.Array,
  skips: Sequence[jax.Array],
  stage: Stage,
  *,
  use_bias: bool = False,
  dtype: jnp.dtype,
) -> jax.Array:
  """The decoder of a U-Net, with added skips: undoes `encode`.

  Args:
    y: the features of the coarsest level.
    skips: of `encode`.
    stage: the blocks of a level.
    use_bias: of `Up`.
    dtype: of the computation.

  Returns:
    [B, H, W, features[0]].
  """
  for level in reversed(range(len(skips) - 1)):
    up = Up(skips[level].shape[-1], use_bias, dtype, name=f'up{level + 1}')
    y = stage(up(y + skips[level + 1]), level)
  return y + skips[0]
