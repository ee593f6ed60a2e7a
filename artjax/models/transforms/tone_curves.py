"""Tone curves for a whole picture, predicted from a thumbnail.

Scale x1, any height and width; all inputs are means over the thumbnail, so that
its size may vary. They are the distribution of each channel, from which most of
a curve follows, and the features of convolutions. With the default fields
175,426 parameters.

Pictures without colour get one curve for all channels and no mixing, so that
grey stays exactly grey.
"""

from collections.abc import Sequence

import flax.linen as nn
import jax
import jax.numpy as jnp

from artjax.models import layers
from artjax.tasks import tone

BLACK = 0.3  # largest shift of black
SLOPE = 1.1  # log of the steepest slope, and of the flattest
MIX = 0.45  # largest share of a channel that is mixed into another
# Mean of the largest less the smallest channel: below the first a picture is
# grey, above the second it is coloured.
GREY, COLOURED = 0.01, 0.04
LEVELS = 16  # of the distribution of a channel
TONES = 6  # of which the mean colour is taken, black and white included


class ToneCurves(nn.Module):
  """f32[B, H, W, 3] in [0, 1] -> f32[B, 1, 1, P], see `tone.transform`."""

  segments: int = 8  # of each curve
  features: Sequence[int] = (32, 64, 96)  # of convolutions of stride 2
  hidden: int = 192  # units
  dtype: jnp.dtype = jnp.float32  # of the computation
  scale = 1
  multiple = 1
  halo = 0

  @nn.compact
  def __call__(
    self, x: jax.Array, *, train: bool = False, context: jax.Array | None = None
  ) -> jax.Array:
    """The transform; `train` and `context` have no effect."""
    del train, context
    x = x.astype(jnp.float32)
    y = jnp.concatenate([statistics(x), self._seen(x)], -1)
    for i in range(2):
      y = nn.Dense(self.hidden, dtype=self.dtype, name=f'hidden{i}')(y)
      y = layers.leaky_relu(y)
    y = nn.Dense(
      tone.parameters(self.segments) + 1,
      kernel_init=nn.initializers.zeros,
      name='ending',
    )(y.astype(jnp.float32))
    # Strength and direction of the change are predicted separately.
    y = jnp.tanh(y[..., :-1]) * nn.sigmoid(y[..., -1:] + 1)
    return _bounded(y, colourfulness(x))[:, None, None]

  def _seen(self, x):
    """f32[B, C]: means and standard deviations of convolutional features."""
    y = (2 * x - 1).astype(self.dtype)
    for i, features in enumerate(self.features):
      y = nn.Conv(
        features, (3, 3), strides=2, dtype=self.dtype, name=f'conv{i}'
      )(y)
      y = layers.leaky_relu(y)
    y = y.astype(jnp.float32)
    return jnp.concatenate([y.mean((1, 2)), y.std((1, 2))], -1)


def statistics(x: jax.Array) -> jax.Array:
  """Distribution of values, and the mean colour of each tone.

  Args:
    x: f32[B, H, W, 3] in [0, 1].

  Returns:
    f32[B, 5 * LEVELS + 4 * TONES]: the cumulative distribution of each
    channel, of lightness and of saturation at `LEVELS` levels; the share of
    each tone in the picture, and its mean colour.
  """
  light, largest, smallest = x.mean(-1), x.max(-1), x.min(-1)
  planes = jnp.stack([*jnp.moveaxis(x, -1, 0), light, largest - smallest], 1)
  planes = planes.reshape(*planes.shape[:2], -1)
  found = [jnp.clip(LEVELS * planes - i, 0, 1).mean(-1) for i in range(LEVELS)]
  pixels, light = x.reshape(len(x), -1, 3), light.reshape(len(x), -1)
  for i in range(TONES):
    near = jnp.maximum(0, 1 - jnp.abs((TONES - 1) * light - i))[..., None]
    share = near.mean(1)
    # A tone that is missing counts as grey.
    grey = i / (TONES - 1)
    off = (near * (pixels - grey)).mean(1) / (share + 0.01)
    found += [share, off]
  return jnp.concatenate(found, -1)


def colourfulness(x: jax.Array) -> jax.Array:
  """f32[B, H, W, 3] -> f32[B]: 0 for a grey picture, 1 for one in colour."""
  chroma = (x.max(-1) - x.min(-1)).mean((1, 2))
  return jnp.clip((chroma - GREY) / (COLOURED - GREY), 0, 1)


def _bounded(y, colourful):
  """f32[B, P] in [-1, 1] -> parameters; equal channels for a grey picture."""
  curves = y[:, : -len(tone.MIXED)].reshape(len(y), -1, 3)
  shared = curves.mean(-1, keepdims=True)
  curves = shared + colourful[:, None, None] * (curves - shared)
  mix = MIX * colourful[:, None] * y[:, -len(tone.MIXED) :]
  return jnp.concatenate(
    [BLACK * curves[:, 0], SLOPE * curves[:, 1:].reshape(len(y), -1), mix], -1
  )
