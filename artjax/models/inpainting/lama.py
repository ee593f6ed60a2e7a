"""LaMa: fills holes by convolutions, half of which see the whole picture.

https://arxiv.org/abs/2109.07161: at an eighth of the resolution, residual
blocks of fast Fourier convolutions (https://arxiv.org/abs/2010.00056). A
quarter of the channels, the near ones, goes through 3x3 convolutions; the far
ones are mixed in the frequency domain, so each sees all of the picture.
50,975,875 parameters (Big LaMa). Any height and width, padded inside to a
multiple of 8, at least 16 px.
"""

import functools

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np

from artjax.models import layers
from artjax.models import trunk

_DOWN = 3  # times that the resolution is halved
_SMALLEST = 16  # px
# Of a transposed 3x3 convolution of stride 2, [offset, phase]: the tap that the
# pixel at that offset has in the result's pixel of that phase; 3 = none.
_TAPS = np.array([[1, 2], [3, 0]])


class _Normed(nn.Module):
  """Base of modules with batch norms."""

  train: bool
  axis_name: str | None
  dtype: jnp.dtype

  def norm(self, name):
    return layers.BatchNorm(
      use_running_average=not self.train,
      axis_name=self.axis_name,
      dtype=self.dtype,
      name=name,
    )


class FourierUnit(_Normed):
  """A 1x1 convolution, norm and ReLU of the picture's spectrum."""

  @nn.compact
  def __call__(self, x: jax.Array) -> jax.Array:
    """[B, H, W, C] -> the same shape."""
    shape, axes = x.shape[1:3], (1, 2)
    spectrum = jnp.fft.rfftn(x.astype(jnp.float32), axes=axes, norm='ortho')
    # Channels are real and imaginary by turns.
    y = jnp.stack([spectrum.real, spectrum.imag], -1)
    y = y.reshape(*spectrum.shape[:3], -1)
    y = layers.Dense(y.shape[-1], use_bias=False, dtype=self.dtype, name='mix')(
      y
    )
    y = nn.relu(self.norm('norm')(y)).astype(jnp.float32)
    y = y.reshape(*spectrum.shape, 2)
    y = jax.lax.complex(y[..., 0], y[..., 1])
    return jnp.fft.irfftn(y, s=shape, axes=axes, norm='ortho').astype(x.dtype)


class SpectralTransform(_Normed):
  """The far channels: a `FourierUnit` at half of their number."""

  @nn.compact
  def __call__(self, x: jax.Array) -> jax.Array:
    """[B, H, W, C] -> the same shape."""
    dense = functools.partial(layers.Dense, use_bias=False, dtype=self.dtype)
    y = dense(x.shape[-1] // 2, name='squeeze')(x)
    y = nn.relu(self.norm('norm')(y))
    y = y + FourierUnit(self.train, self.axis_name, self.dtype, name='fourier')(
      y
    )
    return dense(x.shape[-1], name='expand')(y)


class FourierConv(_Normed):
  """Fast Fourier convolution, norm and ReLU."""

  near: int
  far: int

  @nn.compact
  def __call__(self, x: jax.Array) -> jax.Array:
    """[B, H, W, near + far] -> the same shape."""
    conv = functools.partial(
      layers.ReflectConv3x3, use_bias=False, dtype=self.dtype
    )
    near, far = x[..., : self.near], x[..., self.near :]
    new_near = conv(self.near, name='near_near')(near)
    new_near += conv(self.near, name='far_near')(far)
    new_far = conv(self.far, name='near_far')(near)
    new_far += SpectralTransform(
      self.train, self.axis_name, self.dtype, name='far_far'
    )(far)
    y = [self.norm('near_norm')(new_near), self.norm('far_norm')(new_far)]
    return nn.relu(jnp.concatenate(y, -1))


class Block(FourierConv):
  """Two Fourier convolutions and a skip, as `trunk.run` wants them."""

  @nn.compact
  def __call__(self, x: jax.Array, _: None) -> tuple[jax.Array, None]:  # type: ignore[override]
    """[B, H, W, near + far] -> the same shape."""
    conv = functools.partial(
      FourierConv, self.train, self.axis_name, self.dtype, self.near, self.far
    )
    return x + conv(name='conv2')(conv(name='conv1')(x)), None


class Up(nn.Module):
  """Transposed 3x3 convolution of stride 2, as a convolution and a shuffle."""

  features: int
  dtype: jnp.dtype = jnp.float32

  @nn.compact
  def __call__(self, x: jax.Array) -> jax.Array:
    """[B, H, W, C] -> [B, 2 H, 2 W, features]."""
    channels = x.shape[-1]
    kernel = self.param(
      'kernel', nn.initializers.lecun_normal(), (3, 3, channels, self.features)
    )
    bias = self.param('bias', nn.initializers.zeros, (self.features,))
    x, kernel, bias = nn.dtypes.promote_dtype(x, kernel, bias, dtype=self.dtype)
    # [offset, phase, offset, phase, C, features], of rows and of columns.
    kernel = jnp.pad(kernel, ((0, 1), (0, 1), (0, 0), (0, 0)))
    kernel = kernel[_TAPS][:, :, _TAPS]
    kernel = kernel.transpose(0, 2, 4, 5, 1, 3)
    y = jax.lax.conv_general_dilated(
      x,
      kernel.reshape(2, 2, channels, -1),
      (1, 1),
      ((0, 1), (0, 1)),
      dimension_numbers=('NHWC', 'HWIO', 'NHWC'),
    )
    return layers.pixel_shuffle(y, 2) + bias.reshape(1, 1, 1, -1)


class LaMa(nn.Module):
  """f32[B, H, W, 4], picture and hole map -> f32[B, H, W, 3] in [0, 1].

  The picture is in [0, 1]; the hole map is 1 at missing pixels, whose values
  are ignored. Known pixels are returned unchanged.
  """

  features: int = 64  # at full resolution, doubled at each of three levels
  near: int = 128  # of the coarsest level's channels, those without a spectrum
  blocks: int = 18
  # Depth to which it fills a hole, px; what lies deeper comes from a coarser
  # pass. It was trained on crops of 256 px.
  reach: int = 96
  axis_name: str | None = 'batch'  # devices that share batch statistics
  dtype: jnp.dtype = jnp.float32  # of the computation; spectra are f32

  multiple = 2**_DOWN  # px, padded inside
  # px around a tile. Its far channels see all of a tile, and nothing beyond.
  halo = 128

  @nn.compact
  def __call__(
    self, x: jax.Array, *, train: bool = False, context: jax.Array | None = None
  ) -> jax.Array:
    """The filled picture; with `train` by batch statistics."""
    del context
    if x.shape[-1] != 4:
      raise ValueError(
        'inpainting takes [B, H, W, 4], picture and hole map, not '
        f'{list(x.shape)}'
      )
    height, width = x.shape[1:3]
    x = x.astype(jnp.float32)
    picture, hole = x[..., :3], x[..., 3:]
    y = jnp.concatenate([picture * (1 - hole), hole], -1)
    y = self._network(_padded(y, self.multiple).astype(self.dtype), train)
    y = nn.sigmoid(y.astype(jnp.float32))[:, :height, :width]
    return hole * y + (1 - hole) * picture

  def _network(self, y, train):
    """[B, H, W, 4], sides multiples of 8 -> [B, H, W, 3]."""
    coarsest = self.features * 2**_DOWN
    far = coarsest - self.near
    large = functools.partial(
      nn.Conv, kernel_size=(7, 7), padding='VALID', dtype=self.dtype
    )
    down = functools.partial(
      layers.ReflectConv3x3, strides=2, use_bias=False, dtype=self.dtype
    )

    def norm(name, y):
      y = layers.BatchNorm(
        use_running_average=not train,
        axis_name=self.axis_name,
        dtype=self.dtype,
        name=f'{name}_norm',
      )(y)
      return nn.relu(y)

    y = large(self.features, use_bias=False, name='stem')(_mirrored(y))
    y = norm('stem', y)
    for level in range(1, _DOWN):
      y = down(self.features * 2**level, name=f'down{level}')(y)
      y = norm(f'down{level}', y)
    y = jnp.concatenate(
      [
        norm(f'down_{part}', down(channels, name=f'down_{part}')(y))
        for part, channels in (('near', self.near), ('far', far))
      ],
      -1,
    )
    y = trunk.run(
      self,
      'body',
      Block,
      {
        'train': train,
        'axis_name': self.axis_name,
        'dtype': self.dtype,
        'near': self.near,
        'far': far,
      },
      y,
      self.blocks,
    )
    for level in reversed(range(_DOWN)):
      up = Up(self.features * 2**level, self.dtype, name=f'up{level}')
      y = norm(f'up{level}', up(y))
    return large(3, name='out')(_mirrored(y))


def _padded(x, multiple):
  """Pads at the bottom and right: mirrored, and from there on repeated."""
  for axis in (1, 2):
    size = x.shape[axis]
    extra = max(_SMALLEST, size + -size % multiple) - size
    for mode, count in (
      ('reflect', min(extra, size - 1)),
      ('edge', max(0, extra - size + 1)),
    ):
      pads = [(0, count if i == axis else 0) for i in range(4)]
      x = jnp.pad(x, pads, mode=mode)
  return x


def _mirrored(y):
  """Three pixels more on all sides."""
  return jnp.pad(y, ((0, 0), (3, 3), (3, 3), (0, 0)), mode='reflect')
