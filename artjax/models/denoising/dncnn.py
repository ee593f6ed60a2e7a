"""DnCNN, a stack of convolutions that predicts the noise; FDnCNN.

https://arxiv.org/abs/1608.03981. For grey pictures 555,137 parameters (17
convolutions, one noise level) or 665,921 (20, any noise level), for colour
668,227. Batch norms are merged into the convolutions, as in the published
files. FDnCNN gets the noise level as an input and predicts the clean picture
itself. Receptive field 35 or 41 px.
"""

import flax.linen as nn
import jax
import jax.numpy as jnp

from artjax.models.denoising import blocks
from artjax.models.denoising import noise


class DnCNN(blocks.Denoiser):
  """f32[B, H, W, 3] in [0, 1] -> f32[B, H, W, 3]."""

  features: int = 64
  convs: int = 20
  told_noise: bool = False  # FDnCNN: the noise level is an input, see noise.py

  multiple = 1  # any height and width

  @nn.compact
  def denoise(self, x: jax.Array) -> jax.Array:
    """See `Denoiser`."""
    y = x.astype(self.dtype)
    if self.told_noise:
      y = noise.append_map(y, noise.level(self))
    y = blocks.conv_stack(
      y, self.convs, self.features, self.reads, self.dtype
    ).astype(jnp.float32)
    return y if self.told_noise else x - y

  @property
  def halo(self) -> int:
    """Margin around the valid area of a tile, px."""
    return self.convs
