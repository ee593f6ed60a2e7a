"""DRUNet, a U-Net of residual blocks, conditioned on the noise level.

https://arxiv.org/abs/2008.13751: no biases, four levels. 32,640,960 parameters
for colour, 32,638,656 for grey. Any height and width, padded inside to a
multiple of 8. Its receptive field extends some 180 px in each direction, but
little comes from beyond 64.
"""

from collections.abc import Sequence
import functools

import flax.linen as nn
import jax
import jax.numpy as jnp

from artjax.models import layers
from artjax.models.denoising import blocks
from artjax.models.denoising import noise


class DRUNet(blocks.Denoiser):
  """f32[B, H, W, 3] in [0, 1] -> f32[B, H, W, 3]."""

  features: Sequence[int] = (64, 128, 256, 512)  # of each level, finest first
  blocks: int = 4  # in each level of the encoder and of the decoder

  halo = 64  # px; the little that comes from further away is ignored

  @nn.compact
  def denoise(self, x: jax.Array) -> jax.Array:
    """See `Denoiser`."""
    conv = functools.partial(layers.Conv3x3, use_bias=False, dtype=self.dtype)
    height, width = x.shape[1:3]
    x = layers.pad_to_multiple(x, self.multiple, 'edge').astype(self.dtype)
    y = noise.append_map(x, noise.level(self))
    y = conv(self.features[0], name='head')(y)

    def stage(y, name):
      for i in range(self.blocks):
        y = blocks.Residual(dtype=self.dtype, name=f'{name}_{i}')(y)
      return y

    y, skips = blocks.encode(
      y,
      self.features,
      lambda y, level: stage(y, f'enc{level}'),
      dtype=self.dtype,
    )
    y = blocks.decode(
      y, skips, lambda y, level: stage(y, f'dec{level}'), dtype=self.dtype
    )
    y = conv(self.reads, name='tail')(y)
    return y.astype(jnp.float32)[:, :height, :width]

  @property
  def multiple(self) -> int:
    """Both sides are padded to a multiple of this, px."""
    return 2 ** (len(self.features) - 1)
