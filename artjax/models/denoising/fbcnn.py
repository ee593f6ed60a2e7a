"""FBCNN, which removes JPEG artefacts of a quality that it finds or is told.

https://arxiv.org/abs/2109.14573: a U-Net of residual blocks; from its deepest
features it predicts the quality that a JPEG was saved with, and the blocks on
the way up are scaled and shifted by that. 71,921,796 parameters of colour. Any
height and width, padded inside to a multiple of 8.
"""

from collections.abc import Sequence

import flax.linen as nn
import jax
import jax.numpy as jnp

from artjax.models import layers
from artjax.models import planes
from artjax.models.denoising import drunet

_HIDDEN = 512  # of the layers that make and read the quality
ESTIMATED = -1.0  # in the place of a quality: it is to be found


class FBCNN(nn.Module):
  """f32[B, H, W, 3] in [0, 1] -> f32[B, H, W, 3].

  `batch_stats/quality` is what the picture was saved with, 0 to 100, or
  `ESTIMATED`. A picture in tiles is to be told: each would find its own.
  """

  features: Sequence[int] = (64, 128, 256, 512)  # a level
  blocks: int = 4  # a level on each way
  reads: int = 3  # channels: 1, each colour by itself, or 3
  dtype: jnp.dtype = jnp.float32  # of the computation

  halo = 64  # px; what little comes from further away is left out
  estimates_quality = True

  def __call__(
    self, x: jax.Array, *, train: bool = False, context: jax.Array | None = None
  ) -> jax.Array:
    """Without artefacts; neither `train` nor `context` matters to it."""
    del train, context
    restore = lambda picture: self._run(picture)[0]
    return planes.run(restore, x, self.reads, self.reads)

  def estimate(self, x: jax.Array) -> jax.Array:
    """f32[B, H, W, 3] -> f32[]: the quality in [0, 100], their mean."""
    found = []

    def restore(picture):
      y, quality = self._run(picture)
      found.append(quality.mean())
      return y

    planes.run(restore, x, self.reads, self.reads)
    return found[0]

  @nn.compact
  def _run(self, x):
    """[B, H, W, reads] -> (f32 of the same shape, f32[B, 1])."""
    bias = {'use_bias': True, 'dtype': self.dtype}
    conv = lambda features, name: layers.Conv3x3(
      features, dtype=self.dtype, name=name
    )
    told = self.variable(
      'batch_stats', 'quality', lambda: jnp.full((), ESTIMATED, jnp.float32)
    ).value
    height, width = x.shape[1:3]
    x = layers.pad_to_multiple(x, self.multiple, 'edge').astype(self.dtype)
    y = conv(self.features[0], 'head')(x)
    skips = []
    for level, features in enumerate(self.features):
      if level:
        y = drunet.Down(features, name=f'down{level}', **bias)(y)
      skips.append(y)
      for i in range(self.blocks):
        y = drunet.Residual(name=f'enc{level}_{i}', **bias)(y)
    found = self._quality(y)
    # Networks count what is lost: 0 is a perfect picture, 1 the worst.
    lost = jnp.where(told < 0, found, 1 - told / 100)
    embedded = lost.astype(self.dtype)
    for i in range(3):
      embedded = nn.relu(
        nn.Dense(_HIDDEN, dtype=self.dtype, name=f'embed{i}')(embedded)
      )
    for i in range(self.blocks):
      y = drunet.Residual(name=f'middle_{i}', **bias)(y)
    for level in reversed(range(len(self.features) - 1)):
      features = self.features[level]
      dense = lambda name, features=features: nn.Dense(
        features, dtype=self.dtype, name=name
      )
      gamma = nn.sigmoid(dense(f'gamma{level + 1}')(embedded))[:, None, None]
      beta = jnp.tanh(dense(f'beta{level + 1}')(embedded))[:, None, None]
      y = drunet.Up(features, name=f'up{level + 1}', **bias)(
        y + skips[level + 1]
      )
      for i in range(self.blocks):
        y = drunet.Residual(name=f'dec{level}_{i}', **bias)(y, (gamma, beta))
    y = conv(self.reads, 'tail')(y + skips[0])
    y = y.astype(jnp.float32)[:, :height, :width]
    return y, 100 * (1 - found)

  def _quality(self, y):
    """f32[B, 1] in [0, 1]: how much was lost, 1 - quality / 100."""
    for i in range(self.blocks):
      y = drunet.Residual(use_bias=True, dtype=self.dtype, name=f'quality_{i}')(
        y
      )
    y = y.mean((1, 2))
    for i in range(2):
      y = nn.relu(
        nn.Dense(_HIDDEN, dtype=self.dtype, name=f'quality_dense{i}')(y)
      )
    y = nn.Dense(1, dtype=self.dtype, name='quality_dense2')(y)
    return nn.sigmoid(y.astype(jnp.float32))

  @property
  def multiple(self) -> int:
    """What both sides are padded to a multiple of, px."""
    return 2 ** (len(self.features) - 1)
