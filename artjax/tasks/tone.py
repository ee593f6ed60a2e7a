"""Corrects fading, varnish and casts: one curve per channel for the picture.

The generator sees a thumbnail and predicts the parameters of a transform, which
is applied to every pixel alike (`transform`). So it cannot blur, repaint or
move anything. First comes a curve for each channel, which always rises, then a
mixing of channels, which leaves grey unchanged and restores saturation.
"""

from typing import Any

import jax
import numpy as np

from artjax.tasks import base

Array = Any  # np.ndarray or jax.Array: what is given comes back

MIXED = ((0, 1), (0, 2), (1, 0), (1, 2), (2, 0), (2, 1))  # (of, with) channels


class Task(base.Task):
  """See the module."""

  channels = 3
  restorer = 'toner.Toner'
  stage = 'toning.Tone'

  def inputs(self, batch: base.Batch, rng: jax.Array | None) -> jax.Array:
    """The picture, f32[B, H, W, 3] in [0, 1]."""
    del rng
    return base.unit(batch['image'])

  def to_image(self, batch: base.Batch, y: jax.Array) -> jax.Array:
    """The picture with the transform applied."""
    return transform(base.unit(batch['image']), y)


def parameters(segments: int) -> int:
  """Number of parameters of a transform with so many segments per curve."""
  return 3 * (1 + segments) + len(MIXED)


def transform(picture: Array, y: Array) -> Array:
  """A picture after curves and mixing; grey stays grey under equal curves.

  Args:
    picture: f32[B, H, W, 3] in [0, 1].
    y: f32[B, 1, 1, parameters(segments)]: for each channel, the value of black;
      for each channel, the logs of the slopes of its segments, darkest first;
      and the shares of `MIXED` by which one channel moves towards another, or
      away from it if negative. All zeros are the identity.

  Returns:
    f32[B, H, W, 3], not clipped.
  """
  xp: Any = np if isinstance(picture, np.ndarray) else jax.numpy
  black, slopes, mix = _split(y)
  segments = slopes.shape[-2]
  mapped = picture + black
  for i in range(segments):
    within = xp.clip(picture - i / segments, 0, 1 / segments)
    mapped = mapped + within * (xp.exp(slopes[..., i, :]) - 1)
  channels = []
  for channel in range(3):
    value = mapped[..., channel]
    moved = value
    for i, (of, other) in enumerate(MIXED):
      if of == channel:
        moved = moved + mix[..., i] * (mapped[..., other] - value)
    channels.append(moved)
  return xp.stack(channels, -1)


def describe(y: np.ndarray) -> dict[str, Any]:
  """A transform as JSON: its curves and its matrix.

  Args:
    y: f32[parameters].

  Returns:
    `curves`: for red, green and blue, the results for evenly spaced levels
    from 0 to 1; `matrix`: 3 x 3, applied to the results of the curves.
  """
  black, slopes, mix = _split(np.asarray(y, np.float32))
  steps = np.exp(slopes) / len(slopes)
  knots = black + np.concatenate([np.zeros((1, 3)), np.cumsum(steps, 0)])
  matrix = np.eye(3)
  for (of, other), share in zip(MIXED, mix):
    matrix[of, other] += share
    matrix[of, of] -= share
  return {
    'curves': {
      name: knots[:, i].round(4).tolist()
      for i, name in enumerate(('red', 'green', 'blue'))
    },
    'matrix': matrix.round(4).tolist(),
  }


def _split(y):
  """Black [..., 3], slopes [..., segments, 3] and mixing [..., 6] of y."""
  curves = y[..., 3 : -len(MIXED)]
  slopes = curves.reshape(*y.shape[:-1], curves.shape[-1] // 3, 3)
  return y[..., :3], slopes, y[..., -len(MIXED) :]
