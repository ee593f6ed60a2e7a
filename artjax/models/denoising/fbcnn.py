"""FBCNN removes JPEG artefacts, given the JPEG quality or estimating it.

https://arxiv.org/abs/2109.14573: a U-Net of residual blocks. From its deepest
features it predicts the JPEG quality, and from that the scales and shifts of
the decoder's blocks. 71,921,796 parameters for colour. Any height and width,
padded inside to a multiple of 8.
"""

from collections.abc import Sequence

import flax.linen as nn
import jax
import jax.numpy as jnp

from artjax.models import layers
from artjax.models import planes
from artjax.models.denoising import blocks

_HIDDEN = 512  # units of the layers that estimate and embed the quality
ESTIMATED = -1.0  # stands for the quality: the network estimates it


class FBCNN(blocks.Denoiser):
  """f32[B, H, W, 3] in [0, 1] -> f32[B, H, W, 3].

  `batch_stats/quality` is the JPEG quality, 0 to 100, or `ESTIMATED`. For a
  picture in tiles set it: otherwise each tile is restored for its own estimate.
  """

  features: Sequence[int] = (64, 128, 256, 512)  # of each level, finest first
  blocks: int = 4  # in each level of the encoder and of the decoder

  halo = 64  # px; the little that comes from further away is ignored
  estimates_quality = True

  def denoise(self, x: jax.Array) -> jax.Array:
    """See `Denoiser`."""
    return self._run(x)[0]

  def estimate(self, x: jax.Array) -> jax.Array:
    """f32[B, H, W, 3] -> f32[]: the mean estimated quality, in [0, 100]."""
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
    given = self.variable(
      'batch_stats', 'quality', lambda: jnp.full((), ESTIMATED, jnp.float32)
    ).value
    height, width = x.shape[1:3]
    x = layers.pad_to_multiple(x, self.multiple, 'edge').astype(self.dtype)
    y = conv(self.features[0], 'head')(x)
    y, skips = blocks.encode(
      y, self.features, lambda y, level: self._stage(y, f'enc{level}'), **bias
    )
    estimated = self._quality(y)
    # Inside, 0 is a perfect picture and 1 the worst.
    loss = jnp.where(given < 0, estimated, 1 - given / 100)
    embedded = loss.astype(self.dtype)
    for i in range(3):
      embedded = nn.relu(
        nn.Dense(_HIDDEN, dtype=self.dtype, name=f'embed{i}')(embedded)
      )

    def stage(y, level):
      dense = lambda name: nn.Dense(
        y.shape[-1], dtype=self.dtype, name=f'{name}{level + 1}'
      )
      gamma = nn.sigmoid(dense('gamma')(embedded))[:, None, None]
      beta = jnp.tanh(dense('beta')(embedded))[:, None, None]
      return self._stage(y, f'dec{level}', (gamma, beta))

    y = blocks.decode(self._stage(y, 'middle'), skips, stage, **bias)
    y = conv(self.reads, 'tail')(y)
    y = y.astype(jnp.float32)[:, :height, :width]
    return y, 100 * (1 - estimated)

  def _stage(self, y, name, film=None):
    """The residual blocks of a level."""
    for i in range(self.blocks):
      y = blocks.Residual(True, self.dtype, name=f'{name}_{i}')(y, film)
    return y

  def _quality(self, y):
    """Features -> f32[B, 1] in [0, 1]: 1 - quality / 100."""
    y = self._stage(y, 'quality').mean((1, 2))
    for i in range(2):
      y = nn.relu(
        nn.Dense(_HIDDEN, dtype=self.dtype, name=f'quality_dense{i}')(y)
      )
    y = nn.Dense(1, dtype=self.dtype, name='quality_dense2')(y)
    return nn.sigmoid(y.astype(jnp.float32))

  @property
  def multiple(self) -> int:
    """Both sides are padded to a multiple of this, px."""
    return 2 ** (len(self.features) - 1)
