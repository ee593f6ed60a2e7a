"""The discriminator of ESRGAN: a VGG-like stack with one logit per picture.

https://arxiv.org/abs/1809.00219, as BasicSR trains it; SRGAN's is nearly the
same. 14,499,401 parameters for 128 px. Its dense layers fix the size of crops;
the receptive field is the whole crop.
"""

import flax.linen as nn
import jax
import jax.numpy as jnp

from artjax.models import layers


class VGGStyleDiscriminator(nn.Module):
  """f32[B, S, S, C] in [0, 1], S = input_size -> (logits, activations)."""

  features: int = 64  # at full resolution, doubled up to 8 times as many
  input_size: int = 128  # 8, 16, 32, ... px
  axis_name: str | None = 'batch'  # devices that share batch statistics
  dtype: jnp.dtype = jnp.float32  # of the computation

  @nn.compact
  def __call__(
    self, x: jax.Array, *, train: bool = False
  ) -> tuple[jax.Array, tuple[jax.Array, ...]]:
    """f32[B, 1] and the activations of all convolutions, finest first.

    Raises:
      ValueError: a picture of another size than `input_size`, or a size that is
        not a power of 2.
    """
    size = self.input_size
    levels = (size // 4).bit_length() - 1
    if levels < 1 or size != 4 << levels:
      raise ValueError(f'input_size={size} is not 8 or a higher power of 2')
    if x.shape[1:3] != (size, size):
      raise ValueError(
        f'a picture of {x.shape[1]} x {x.shape[2]} px, but input_size='
        f'{size}: VGGStyleDiscriminator takes crops of that one size'
      )
    seen = []
    y = x.astype(self.dtype)
    for level in range(levels):
      features = self.features * min(2**level, 8)
      for name, conv in (
        (f'{level}_0', layers.Conv3x3),
        (f'{level}_1', layers.Conv4x4Down),
      ):
        first = name == '0_0'
        y = conv(
          features, use_bias=first, dtype=self.dtype, name=f'conv{name}'
        )(y)
        if not first:
          y = layers.BatchNorm(
            use_running_average=not train,
            axis_name=self.axis_name,
            dtype=self.dtype,
            name=f'bn{name}',
          )(y)
        y = layers.leaky_relu(y)
        seen.append(y)
    y = y.reshape(y.shape[0], -1)
    y = layers.leaky_relu(nn.Dense(100, dtype=self.dtype, name='linear1')(y))
    y = nn.Dense(1, dtype=self.dtype, name='linear2')(y)
    return y.astype(jnp.float32), tuple(seen)
