"""FFDNet, conditioned on the noise level, works at half resolution.

https://arxiv.org/abs/1710.04026. For colour 852,108 parameters (96 features, 12
convolutions), receptive field 50 px; for grey 485,316 (64 and 15), 62 px.
"""

import flax.linen as nn
import jax
import jax.numpy as jnp

from artjax.models import layers
from artjax.models.denoising import blocks
from artjax.models.denoising import noise


class FFDNet(blocks.Denoiser):
  """f32[B, H, W, 3] in [0, 1] -> f32[B, H, W, 3]."""

  features: int = 96
  convs: int = 12

  multiple = 2  # px; other sizes are padded

  @nn.compact
  def denoise(self, x: jax.Array) -> jax.Array:
    """See `Denoiser`."""
    height, width = x.shape[1:3]
    y = layers.pad_to_multiple(x, self.multiple, 'edge').astype(self.dtype)
    y = layers.pixel_unshuffle(y, 2)
    y = noise.append_map(y, noise.level(self))
    y = blocks.conv_stack(
      y, self.convs, self.features, 4 * self.reads, self.dtype
    )
    y = layers.pixel_shuffle(y.astype(jnp.float32), 2)
    return y[:, :height, :width]

  @property
  def halo(self) -> int:
    """Margin around the valid area of a tile, px."""
    return 2 * self.convs
