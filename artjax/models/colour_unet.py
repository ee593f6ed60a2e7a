"""U-Net that predicts the colours of a grey picture.

https://arxiv.org/abs/1505.04597: a space-to-depth stem, residual blocks, skips
that are added. At the coarsest level self-attention
(https://arxiv.org/abs/1805.08318) spreads hints to similar places, and a vector
of the whole picture modulates the features (FiLM,
https://arxiv.org/abs/1709.07871). Scale x1; any height and width, padded inside
to a multiple of 16. With the default fields 2,484,000 parameters. Its receptive
field is the whole picture, so it runs on whole pictures at a working size
(artjax/inference/colorizer.py), not in tiles.
"""

from collections.abc import Sequence

import flax.linen as nn
import jax
import jax.numpy as jnp

from artjax.models import layers


class Block(nn.Module):
  """x + conv(lrelu(film(conv(x)))), at constant width."""

  features: int
  dtype: jnp.dtype = jnp.float32

  @nn.compact
  def __call__(
    self, x: jax.Array, vector: jax.Array | None = None
  ) -> jax.Array:
    """[B, H, W, features], modulated by [B, C] -> the same shape."""
    y = layers.Conv3x3(self.features, dtype=self.dtype, name='conv1')(x)
    if vector is not None:
      film = nn.Dense(
        2 * self.features,
        dtype=self.dtype,
        name='film',
        kernel_init=nn.initializers.zeros,
      )(vector)
      scale, shift = jnp.split(film[:, None, None, :], 2, axis=-1)
      y = y * (1 + scale) + shift
    # A tenth of the usual scale keeps deep stacks of blocks near the identity.
    return x + layers.Conv3x3(
      self.features,
      dtype=self.dtype,
      name='conv2',
      kernel_init=nn.initializers.variance_scaling(
        0.1, 'fan_in', 'truncated_normal'
      ),
    )(layers.leaky_relu(y))


class Attention(nn.Module):
  """x + self-attention over all pixels of [B, H, W, C]."""

  heads: int = 4
  dtype: jnp.dtype = jnp.float32

  @nn.compact
  def __call__(self, x: jax.Array) -> jax.Array:
    """[B, H, W, C] -> the same shape."""
    batch, height, width, channels = x.shape
    y = nn.LayerNorm(dtype=self.dtype, name='norm')(x)
    y = nn.MultiHeadDotProductAttention(
      self.heads, dtype=self.dtype, name='attention'
    )(y.reshape(batch, height * width, channels))
    return x + y.reshape(x.shape)


class ColourUNet(nn.Module):
  """Lightness and hints f32[B, H, W, 4] -> a and b f32[B, H, W, 2].

  In the form of the task `colorize`. Predicts grey before training.
  """

  features: Sequence[int] = (64, 128, 192)  # of each level, finest first
  blocks: Sequence[int] = (1, 1, 2)  # residual blocks of each level
  stem: int = 4  # space-to-depth factor, 1 = full resolution
  dtype: jnp.dtype = jnp.float32  # of the computation

  @nn.compact
  def __call__(
    self, x: jax.Array, *, train: bool = False, context: jax.Array | None = None
  ) -> jax.Array:
    """The colours; `train` and `context` have no effect."""
    del train, context
    if len(self.features) != len(self.blocks):
      raise ValueError(
        f'features {self.features} and blocks {self.blocks} '
        'must have the same length'
      )
    height, width = x.shape[1:3]
    y = layers.pad_to_multiple(x.astype(jnp.float32), self.multiple)
    y = layers.pixel_unshuffle(y.astype(self.dtype), self.stem)
    y = layers.Conv3x3(self.features[0], dtype=self.dtype, name='stem_in')(y)
    skips, coarsest = [], len(self.features) - 1
    for level, features in enumerate(self.features):
      if level:
        y = nn.Dense(features, dtype=self.dtype, name=f'down{level}')(
          layers.downsample2(y)
        )
      for i in range(self.blocks[level]):
        y = Block(features, self.dtype, name=f'down{level}_{i}')(y)
      skips.append(y)
    y = Attention(dtype=self.dtype, name='attention')(y)
    vector = jnp.concatenate([y.mean((1, 2)), y.max((1, 2))], -1)
    vector = layers.leaky_relu(
      nn.Dense(self.features[-1], dtype=self.dtype, name='vector')(vector)
    )
    for level in reversed(range(coarsest)):
      features = self.features[level]
      # The convolution comes before the resize: four times cheaper there.
      y = nn.Dense(features, dtype=self.dtype, name=f'up{level}')(y)
      y = layers.upsample(y, 2) + skips[level]
      for i in range(self.blocks[level]):
        y = Block(features, self.dtype, name=f'up{level}_{i}')(y, vector)
    y = layers.Conv3x3(
      2 * self.stem**2,
      dtype=self.dtype,
      name='stem_out',
      kernel_init=nn.initializers.zeros,
    )(layers.leaky_relu(y))
    y = layers.pixel_shuffle(y.astype(jnp.float32), self.stem)
    return y[:, :height, :width]

  @property
  def multiple(self) -> int:
    """Both sides are padded to a multiple of this, px."""
    return self.stem * 2 ** max(0, len(self.features) - 1)

  @property
  def halo(self) -> int:
    """It is not run in tiles, whose colours would differ."""
    return 0
