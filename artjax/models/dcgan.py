"""DCGAN for small pictures: a generator of digits, and its discriminator.

https://arxiv.org/abs/1511.06434, narrow, for grey pictures of 28 x 28 px. The
class of a digit is the index of the largest of the first values of its latent.
A discriminator that gets the latents is conditioned on the class by projection
(https://arxiv.org/abs/1802.05637); it has no norms. With the default fields and
a latent of 64 values the generator has 596,609 parameters, the discriminator
201,291, and 138,561 without a condition.
"""

import flax.linen as nn
import jax
import jax.numpy as jnp

from artjax.models import layers

SIDE = 28  # px
_START = SIDE // 4
_PAPER = 0.05  # values this close to black or white count as such


class Generator(nn.Module):
  """Latents of N(0, 1) -> grey pictures as RGB."""

  features: tuple[int, int] = (128, 64)  # at 7 and 14 px
  kinds: int = 10  # classes: the first values of a latent; 0 = no classes
  axis_name: str | None = 'batch'  # devices that share batch statistics
  dtype: jnp.dtype = jnp.float32  # of the computation

  @nn.compact
  def __call__(
    self, z: jax.Array, *, train: bool = False, context: jax.Array | None = None
  ) -> jax.Array:
    """f32[B, h, w, Z] -> f32[B, 28 h, 28 w, 3] in [0, 1].

    Each of the h x w latents of a picture becomes a digit in its place.
    """
    del context
    batch, height, width = z.shape[:3]
    first, second = self.features

    def norm(name, y):
      y = layers.BatchNorm(
        use_running_average=not train,
        axis_name=self.axis_name,
        dtype=self.dtype,
        name=name,
      )(y)
      return nn.relu(y)

    z = jnp.concatenate([z, 4 * _kind(z[..., : self.kinds])], -1)
    y = nn.Dense(
      _START**2 * first, use_bias=False, dtype=self.dtype, name='dense'
    )(z.astype(self.dtype))
    y = y.reshape(batch, height, width, _START, _START, first)
    y = y.transpose(0, 1, 3, 2, 4, 5).reshape(
      batch, _START * height, _START * width, first
    )
    y = ConvTranspose4x4(
      second, use_bias=False, dtype=self.dtype, name='conv0'
    )(norm('bn0', y))
    y = ConvTranspose4x4(1, dtype=self.dtype, name='conv1')(norm('bn1', y))
    return nn.sigmoid(y.astype(jnp.float32)).repeat(3, axis=-1)


def _kind(z):
  """Nearly one-hot of the largest value, but continuous between classes."""
  return nn.softmax(10 * z)


class ConvTranspose4x4(nn.Module):
  """Transposed convolution of 4 x 4 px and stride 2: doubles both sides.

  It is one matrix product: each window of 2 x 2 px of the input gives the 2 x 2
  px of the output around its centre. XLA's gradient of the transposed
  convolution takes 8 times as long on a CPU (7 x 7 px, 128 channels to 64).
  """

  features: int
  use_bias: bool = True
  dtype: jnp.dtype = jnp.float32

  @nn.compact
  def __call__(self, x: jax.Array) -> jax.Array:
    """[B, H, W, C] -> [B, 2 H, 2 W, features]; zero padding."""
    batch, height, width, channels = x.shape
    # Kernel: channels of 2 x 2 px -> features of 2 x 2 px.
    kernel = self.param(
      'kernel', nn.initializers.normal(0.02), (4 * channels, 4 * self.features)
    )
    x = jnp.pad(x, ((0, 0), (1, 1), (1, 1), (0, 0)))
    corners = jnp.concatenate(
      [
        x[:, dy : dy + height + 1, dx : dx + width + 1]
        for dy in (0, 1)
        for dx in (0, 1)
      ],
      -1,
    )
    y = corners @ kernel.astype(self.dtype)
    y = layers.pixel_shuffle(y, 2)[:, 1:-1, 1:-1]
    if not self.use_bias:
      return y
    bias = self.param('bias', nn.initializers.zeros, (self.features,))
    return y + bias.astype(self.dtype).reshape(1, 1, 1, self.features)


class Discriminator(nn.Module):
  """f32[B, 28, 28, C] -> (logits, activations).

  The last three channels are a grey picture as RGB in [0, 1]; those before, if
  any, a latent whose class is that of the picture.
  """

  features: tuple[int, int] = (64, 128)  # at 14 and 7 px
  kinds: int = 10  # classes: the first values of a latent
  dtype: jnp.dtype = jnp.float32  # of the computation

  @nn.compact
  def __call__(
    self, x: jax.Array, *, train: bool = False
  ) -> tuple[jax.Array, tuple[jax.Array, ...]]:
    """f32[B, 1] and the activations of the convolutions, finest first."""
    del train
    latent, picture = x[:, 0, 0, :-3], x[..., -3:]
    # Real backgrounds are exactly black and strokes exactly white, which a
    # sigmoid never is: without clipping, that alone tells real pictures from
    # generated ones.
    y = picture.astype(self.dtype).mean(-1, keepdims=True)
    y = 2 * y.clip(_PAPER, 1 - _PAPER) - 1
    seen = []
    for i, features in enumerate(self.features):
      y = Conv4x4(features, dtype=self.dtype, name=f'conv{i}')(y)
      y = layers.leaky_relu(y)
      seen.append(y)
    y = y.reshape(y.shape[0], -1)
    logits = nn.Dense(1, dtype=self.dtype, name='dense')(y)
    if latent.shape[-1]:
      kind = nn.one_hot(latent[:, : self.kinds].argmax(-1), self.kinds)
      told = nn.Dense(self.kinds, dtype=self.dtype, name='kinds')(y)
      logits += (kind.astype(self.dtype) * told).sum(-1, keepdims=True)
    return logits.astype(jnp.float32), tuple(seen)


class Conv4x4(nn.Module):
  """Convolution of 4 x 4 px, stride 2 and padding 1: halves both sides.

  It is one matrix product, as above and for the same reason: squares of 2 x 2
  px become channels, and each window of 2 x 2 squares gives a pixel.
  """

  features: int
  dtype: jnp.dtype = jnp.float32

  @nn.compact
  def __call__(self, x: jax.Array) -> jax.Array:
    """[B, H, W, C] -> [B, H // 2, W // 2, features]."""
    channels = x.shape[-1]
    # Kernel: channels of 2 x 2 squares of 2 x 2 px -> features.
    kernel = self.param(
      'kernel', nn.initializers.he_normal(), (16 * channels, self.features)
    )
    bias = self.param('bias', nn.initializers.zeros, (self.features,))
    odd = [side % 2 for side in x.shape[1:3]]
    x = jnp.pad(x, ((0, 0), (1, 1 - odd[0]), (1, 1 - odd[1]), (0, 0)))
    x = layers.pixel_unshuffle(x, 2)
    height, width = x.shape[1] - 1, x.shape[2] - 1
    corners = jnp.concatenate(
      [
        x[:, dy : dy + height, dx : dx + width]
        for dy in (0, 1)
        for dx in (0, 1)
      ],
      -1,
    )
    return corners @ kernel.astype(self.dtype) + bias.astype(
      self.dtype
    ).reshape(1, 1, 1, -1)
