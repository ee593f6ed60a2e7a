"""FFDNet, told how much noise there is; fast, for it sees squares of 2 x 2 px.

https://arxiv.org/abs/1710.04026. Of colour 852,108 parameters (96 features, 12
convolutions), receptive field 50 px; of grey 485,316 (64 and 15), 62 px.
"""

import flax.linen as nn
import jax
import jax.numpy as jnp

from artjax.models import layers
from artjax.models import planes
from artjax.models.denoising import noise


class FFDNet(nn.Module):
  """f32[B, H, W, 3] in [0, 1] -> f32[B, H, W, 3]."""

  features: int = 96
  convs: int = 12
  reads: int = 3  # channels: 1, each colour by itself, or 3
  dtype: jnp.dtype = jnp.float32  # of the computation

  multiple = 2  # px, padded to inside

  @nn.compact
  def __call__(
    self, x: jax.Array, *, train: bool = False, context: jax.Array | None = None
  ) -> jax.Array:
    """Without noise; neither `train` nor `context` matters to it."""
    del train, context
    return planes.run(self._denoise, x, self.reads, self.reads)

  def _denoise(self, x):
    """[B, H, W, reads] -> f32, the same shape."""
    height, width = x.shape[1:3]
    y = layers.pad_to_multiple(x, self.multiple, 'edge').astype(self.dtype)
    y = layers.pixel_unshuffle(y, 2)
    y = noise.append_map(y, noise.level(self))
    for i in range(self.convs - 1):
      y = layers.Conv3x3(self.features, dtype=self.dtype, name=f'conv{i}')(y)
      y = nn.relu(y)
    last = f'conv{self.convs - 1}'
    y = layers.Conv3x3(4 * self.reads, dtype=self.dtype, name=last)(y)
    y = layers.pixel_shuffle(y.astype(jnp.float32), 2)
    return y[:, :height, :width]

  @property
  def halo(self) -> int:
    """What tiles need around what they are to get right, px."""
    return 2 * self.convs
