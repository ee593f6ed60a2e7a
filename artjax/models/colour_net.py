"""Colorizes grey pictures from the features of a frozen ImageNet network.

A few hundred paintings do not teach a network what sky, skin and leaves look
like, but AlexNet (encoders/) has learned it from ImageNet. One linear layer
predicts the likely colour of each place from AlexNet's activations there and
their means over the picture (hypercolumns, https://arxiv.org/abs/1603.06668).
Gradient descent overfits that layer to so few paintings, so it is fitted by
ridge regression (scripts/fit_colours.py) and then frozen. What is trained is a
U-Net (colour_unet.py) that spreads hints; without hints it has no effect. Scale
x1; any height and width of 31 px or more; the receptive field is the whole
picture. With the default fields 1,426,794 parameters, without AlexNet's.
"""

from collections.abc import Sequence

import flax.linen as nn
import jax
import jax.numpy as jnp

from artjax import colour
from artjax.models import colour_unet
from artjax.models import encoders

_NET = 'alexnet'
_LAYERS = 'relu1', 'relu2', 'relu3', 'relu4', 'relu5'
STRIDE = 8  # px, spacing of the predicted colours, before hints
SMALL = 0.01  # factor of the linear layer, whose weights would be tiny without


class ColourNet(nn.Module):
  """Lightness and hints f32[B, H, W, 4] -> a and b f32[B, H, W, 2].

  In the form of the task `colorize`. `apply` needs the collection 'frozen' of
  `encoders.of`. Predicts grey before training.
  """

  features: Sequence[int] = (48, 96, 144)  # of the U-Net, finest first
  blocks: Sequence[int] = (1, 1, 2)  # residual blocks of each level
  dtype: jnp.dtype = jnp.float32  # of the computation

  frozen_nets = (_NET,)
  fixed = ('likely',)  # layers that training does not change
  multiple = 1  # any height and width
  halo = 0  # it is not run in tiles, whose colours would differ

  @nn.compact
  def __call__(
    self, x: jax.Array, *, train: bool = False, context: jax.Array | None = None
  ) -> jax.Array:
    """The colours; `train` and `context` have no effect."""
    del train, context
    x = x.astype(jnp.float32)
    likely = SMALL * nn.Dense(
      2, kernel_init=nn.initializers.zeros, name='likely'
    )(self.seen(x[..., :1]))
    likely = jax.lax.stop_gradient(
      jax.image.resize(likely, (*x.shape[:3], 2), 'linear')
    )
    told = x[..., 3:].max((1, 2), keepdims=True)
    spread = colour_unet.ColourUNet(
      self.features, self.blocks, dtype=self.dtype, name='spread'
    )
    return likely + told * spread(jnp.concatenate([x, likely], -1))

  def seen(self, grey: jax.Array) -> jax.Array:
    """Features of f32[B, H, W, 1], lightness / 100 - 0.5.

    Returns:
      f32[B, h, w, C], every `STRIDE` px: lightness and its square, AlexNet's
      activations, and the means of all these over the picture.
    """
    batch, height, width = grey.shape[:3]
    lightness = 100 * (grey + 0.5)
    picture = colour.lab_to_srgb(
      jnp.concatenate([lightness] + 2 * [jnp.zeros_like(lightness)], -1)
    )
    found = encoders.features(
      encoders.frozen_in(self, _NET),
      picture.clip(0, 1),
      _LAYERS,
      net=_NET,
      dtype=self.dtype,
    )
    size = [max(1, round(side / STRIDE)) for side in (height, width)]
    small = lambda y: jax.image.resize(
      y.astype(jnp.float32), (batch, *size, y.shape[-1]), 'linear'
    )
    y = jnp.concatenate(
      [small(grey), small(grey**2), *(small(found[n]) for n in _LAYERS)], -1
    )
    whole = jnp.broadcast_to(y.mean((1, 2), keepdims=True), y.shape)
    return jnp.concatenate([y, whole], -1)
