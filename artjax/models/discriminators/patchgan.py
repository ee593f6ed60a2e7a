"""PatchGAN, the discriminator of pix2pix: a logit for every patch.

https://arxiv.org/abs/1611.07004. With the default fields 2,768,705 parameters
for 6 channels (output and input of the generator, concatenated) and 2,765,633
for 3; receptive field 70 px (16, 34, 142 with n_layers 1, 2, 4).
"""

import flax.linen as nn
import jax
import jax.numpy as jnp

from artjax.models import layers

NORMS = ('batch', 'none', 'spectral')


class PatchGAN(nn.Module):
  """f32[B, H, W, C] in [0, 1], 24 px or more -> (logits, activations)."""

  features: int = 64  # of the first convolution, doubled up to 8 times as many
  n_layers: int = 3  # convolutions of stride 2
  norm: str = 'batch'  # batch | none | spectral; none in the first and last
  axis_name: str | None = 'batch'  # devices that share batch statistics
  dtype: jnp.dtype = jnp.float32  # of the computation

  @nn.compact
  def __call__(
    self, x: jax.Array, *, train: bool = False
  ) -> tuple[jax.Array, tuple[jax.Array, ...]]:
    """f32[B, h, w, 1] and the activations of all convolutions, finest first.

    Raises:
      ValueError: an unknown norm, or a picture too small for one logit.
    """
    if self.norm not in NORMS:
      raise ValueError(f'norm={self.norm!r} is not one of {", ".join(NORMS)}')
    least = 3 * 2**self.n_layers
    if min(x.shape[1:3]) < least:
      raise ValueError(
        f'a picture of {x.shape[1]} x {x.shape[2]} px: PatchGAN with '
        f'n_layers={self.n_layers} takes {least} px or more'
      )
    # As published.
    start = nn.initializers.normal(0.02)
    seen = []
    y = x.astype(self.dtype)
    for i in range(self.n_layers + 1):
      norm = self.norm if i else 'none'
      options = {
        'features': self.features * min(2**i, 8),
        'kernel_size': (4, 4),
        'strides': 2 if i < self.n_layers else 1,
        'padding': 1,
        'use_bias': norm != 'batch',
        'kernel_init': start,
        'dtype': self.dtype,
        'name': f'conv{i}',
      }
      if norm == 'spectral':
        y = layers.SpectralConv(**options)(y, train=train)
      else:
        y = nn.Conv(**options)(y)
      if norm == 'batch':
        y = layers.BatchNorm(
          use_running_average=not train,
          axis_name=self.axis_name,
          dtype=self.dtype,
          name=f'bn{i}',
        )(y)
      y = layers.leaky_relu(y)
      seen.append(y)
    y = nn.Conv(
      1,
      (4, 4),
      padding=1,
      kernel_init=start,
      dtype=self.dtype,
      name='conv_last',
    )(y)
    return y.astype(jnp.float32), tuple(seen)
