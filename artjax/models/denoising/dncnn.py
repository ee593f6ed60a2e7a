"""DnCNN, a stack of convolutions that finds the noise, and FDnCNN.

https://arxiv.org/abs/1608.03981. Of grey pictures with 17 convolutions 555,137
parameters, for any noise with 20 665,921, of colour 668,227; batch norms are
merged into the convolutions, as in the files that are published. FDnCNN is
told how much noise there is and makes the picture itself. Receptive field 35 or
41 px.
"""

import flax.linen as nn
import jax
import jax.numpy as jnp

from artjax.models import layers
from artjax.models import planes
from artjax.models.denoising import noise


class DnCNN(nn.Module):
  """f32[B, H, W, 3] in [0, 1] -> f32[B, H, W, 3]."""

  features: int = 64
  convs: int = 20
  reads: int = 3  # channels: 1, each colour by itself, or 3
  told_noise: bool = False  # FDnCNN: see noise.py
  dtype: jnp.dtype = jnp.float32  # of the computation

  multiple = 1  # any height and width

  @nn.compact
  def __call__(
    self, x: jax.Array, *, train: bool = False, context: jax.Array | None = None
  ) -> jax.Array:
    """Without noise; neither `train` nor `context` matters to it."""
    del train, context
    return planes.run(self._denoise, x, self.reads, self.reads)

  def _denoise(self, x):
    """[B, H, W, reads] -> f32, the same shape."""
    y = x.astype(self.dtype)
    if self.told_noise:
      y = noise.append_map(y, noise.level(self))
    for i in range(self.convs - 1):
      y = layers.Conv3x3(self.features, dtype=self.dtype, name=f'conv{i}')(y)
      y = nn.relu(y)
    last = f'conv{self.convs - 1}'
    y = layers.Conv3x3(self.reads, dtype=self.dtype, name=last)(y)
    y = y.astype(jnp.float32)
    return y if self.told_noise else x - y

  @property
  def halo(self) -> int:
    """What tiles need around what they are to get right, px."""
    return self.convs
