"""SRResNet, the generator of SRGAN, and MSRResNet, the same without batch norm.

https://arxiv.org/abs/1609.04802: 16 residual blocks and two pixel shuffles, x4.
SRResNet is the paper's, with 1,548,547 parameters and a receptive field of
80 px. MSRResNet is BasicSR's variant: no batch norm, and the enlarged input is
added; 1,517,571 parameters, receptive field 75 px and a little more after
enlarging.
"""

import flax.linen as nn
import jax
import jax.numpy as jnp

from artjax.models import layers

_SMALL = nn.initializers.variance_scaling(0.02, 'fan_in', 'normal')


class MSRResNet(nn.Module):
  """f32[B, H, W, 3] in [0, 1] -> f32[B, 4 * H, 4 * W, 3]."""

  features: int = 64
  blocks: int = 16
  dtype: jnp.dtype = jnp.float32  # of the computation

  scale = 4
  multiple = 1  # any height and width

  @nn.compact
  def __call__(
    self, x: jax.Array, *, train: bool = False, context: jax.Array | None = None
  ) -> jax.Array:
    """The enlarged picture; `train` and `context` have no effect."""
    del train, context
    conv = lambda name, features=self.features, **options: layers.Conv3x3(
      features, dtype=self.dtype, name=name, **options
    )
    lrelu = lambda y: nn.leaky_relu(y, 0.1)
    y = lrelu(conv('conv_first')(x.astype(self.dtype)))
    for i in range(self.blocks):
      z = nn.relu(conv(f'body{i}_conv1', kernel_init=_SMALL)(y))
      y = y + conv(f'body{i}_conv2', kernel_init=_SMALL)(z)
    for name in ('upconv1', 'upconv2'):
      y = lrelu(layers.pixel_shuffle(conv(name, 4 * self.features)(y), 2))
    y = conv('conv_last', 3, kernel_init=_SMALL)(lrelu(conv('conv_hr')(y)))
    return y.astype(jnp.float32) + layers.upsample(x.astype(jnp.float32), 4)

  @property
  def halo(self) -> int:
    """Margin around the valid area of a tile, px of the input."""
    return 2 * self.blocks + 4


def _passing(init, copies=1):
  """`init`, but channels 0, 1, 2 pass unchanged, `copies` times each."""

  def start(key, shape, dtype=jnp.float32):
    kernel = init(key, shape, dtype)
    middle, colours = shape[0] // 2, 3 * copies
    if shape[-1] > colours:
      kernel = kernel.at[..., :colours].set(0)
    return kernel.at[middle, middle, :3, :colours].add(
      jnp.eye(3, dtype=dtype).repeat(copies, axis=1)
    )

  return start


class SRResNet(nn.Module):
  """f32[B, H, W, 3] in [0, 1] -> f32[B, 4 * H, 4 * W, 3].

  It has no global residual, but its kernels are initialized so that three
  channels pass the picture on, enlarged by nearest neighbour.
  """

  features: int = 64
  blocks: int = 16
  axis_name: str | None = 'batch'  # devices that share batch statistics
  dtype: jnp.dtype = jnp.float32  # of the computation

  scale = 4
  multiple = 1  # any height and width

  @nn.compact
  def __call__(
    self, x: jax.Array, *, train: bool = False, context: jax.Array | None = None
  ) -> jax.Array:
    """The enlarged picture; with `train` by batch statistics."""
    del context
    lecun = nn.initializers.lecun_normal()

    def conv_norm(name, y, **options):
      # No bias: the norm would cancel it.
      y = layers.Conv3x3(
        self.features, use_bias=False, dtype=self.dtype, name=f'{name}_conv'
      )(y)
      return layers.BatchNorm(
        use_running_average=not train,
        axis_name=self.axis_name,
        dtype=self.dtype,
        name=f'{name}_bn',
        **options,
      )(y)

    first = nn.Conv(
      self.features,
      (9, 9),
      dtype=self.dtype,
      name='conv_first',
      kernel_init=_passing(lecun),
    )(x.astype(self.dtype))
    first = layers.PReLU(name='prelu_first')(first)
    y = first
    for i in range(self.blocks):
      z = layers.PReLU(name=f'body{i}_prelu')(conv_norm(f'body{i}_1', y))
      y = y + conv_norm(f'body{i}_2', z)
    # Starts at 0: otherwise the trunk overwhelms the picture at first.
    y = first + conv_norm('body', y, scale_init=nn.initializers.zeros)
    for i in (1, 2):
      y = layers.Conv3x3(
        4 * self.features,
        dtype=self.dtype,
        name=f'upconv{i}',
        kernel_init=_passing(lecun, copies=4),
      )(y)
      y = layers.PReLU(name=f'prelu_up{i}')(layers.pixel_shuffle(y, 2))
    y = nn.Conv(
      3,
      (9, 9),
      dtype=self.dtype,
      name='conv_last',
      kernel_init=_passing(_SMALL),
    )(y)
    return y.astype(jnp.float32)

  @property
  def halo(self) -> int:
    """Margin around the valid area of a tile, px of the input."""
    return 2 * self.blocks + 8
