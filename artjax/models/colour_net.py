"""Colorizes grey pictures from the features of a frozen ImageNet network.

Some hundred paintings do not teach a network what sky, skin and leaves are, but
AlexNet (encoders/) has learnt it elsewhere: its activations in each place
and their means over the picture say, by one linear layer, what colour is likely
(hypercolumns, https://arxiv.org/abs/1603.06668). Step by step that
layer comes to know a hundred paintings by heart, so it is found by a ridge
regression (scripts/fit_colours.py) and stays as it is. What is trained is a
U-Net (colour_unet.py) that spreads hints from there, and is of no effect where
there are none. Scale x1; any height and width of 31 px or more; every
pixel sees the whole picture. With the default fields 1,426,794 parameters,
AlexNet's not among them.
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
STRIDE = 8  # px a side that get one colour, before hints
SMALL = 0.01  # factor of the linear layer: its weights would be next to nothing


class ColourNet(nn.Module):
  """Lightness and hints f32[B, H, W, 4] -> a and b f32[B, H, W, 2].

  As the task colorize gives and takes them; `apply` wants the collection
  'frozen' of `encoders.of`. Starts as grey.
  """

  features: Sequence[int] = (48, 96, 144)  # of the U-Net, finest level first
  blocks: Sequence[int] = (1, 1, 2)  # residual blocks a level of it
  dtype: jnp.dtype = jnp.float32  # of the computation

  frozen_nets = (_NET,)
  fixed = ('likely',)  # layers that training leaves as they are
  multiple = 1  # px: sides of all kinds
  halo = 0  # px: none helps, each tile would have colours of its own

  @nn.compact
  def __call__(
    self, x: jax.Array, *, train: bool = False, context: jax.Array | None = None
  ) -> jax.Array:
    """The colours; neither `train` nor `context` makes a difference."""
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
    """What AlexNet sees in f32[B, H, W, 1], lightness over 100, less 0.5.

    Returns:
      f32[B, h, w, C], every `STRIDE` px: lightness and its square, activations,
      and the means of all these over the picture.
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
