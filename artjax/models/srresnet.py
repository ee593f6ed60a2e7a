"""MSRResNet: SRResNet without batch norm, a plain x4 network.

https://arxiv.org/abs/1609.04802 as BasicSR modified it: 16 residual blocks, two
pixel shuffles, and the picture itself, enlarged. x4 with 1,517,571 parameters;
receptive field 75 px and a little more after enlarging.
"""
import flax.linen as nn
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
  def __call__(self, x, *, train=False, context=None):
    """The enlarged picture; neither `train` nor `context` matters to it."""
    del train, context
    conv = lambda name, features=self.features, **options: layers.Conv3x3(
        features, dtype=self.dtype, name=name, **options)
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
  def halo(self):
    """What tiles need around what they are to get right, px of the input."""
    return 2 * self.blocks + 4
