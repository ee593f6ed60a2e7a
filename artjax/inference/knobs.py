"""What a network is told of a picture: how much noise, which JPEG quality.

It lies beside the weights (`batch_stats`), so another value compiles nothing.
"""

from collections.abc import Mapping
import functools
from typing import Any

import jax
import numpy as np

from artjax.inference import base
from artjax.interop import safetensors_io

NOISE, QUALITY = 'noise', 'quality'
_SIDE = 256  # px, of what a JPEG's quality is estimated from
_BLOCK = 8  # px, of JPEG


def of(params: Mapping[str, Any]) -> tuple[str, ...]:
  """Which of them a network takes."""
  stats = params.get(safetensors_io.STATS, {})
  return tuple(name for name in (NOISE, QUALITY) if name in stats)


def tell(
  params: Mapping[str, Any],
  *,
  noise: float | None = None,
  jpeg_quality: float | None = None,
) -> dict[str, Any]:
  """Weights that are told so; None leaves what they were told before.

  Args:
    params: of a network.
    noise: standard deviation, of 255 grey levels.
    jpeg_quality: that the picture was saved with, 1 to 100.

  Raises:
    ValueError: the network does not take it.
  """
  values = {
    NOISE: None if noise is None else noise / 255,
    QUALITY: jpeg_quality,
  }
  values = {name: v for name, v in values.items() if v is not None}
  for name in values:
    if name not in of(params):
      raise ValueError(f'these weights are not told the {name} of a picture')
  stats = dict(params.get(safetensors_io.STATS, {}))
  stats |= {name: np.float32(value) for name, value in values.items()}
  return {**params, safetensors_io.STATS: stats} if stats else dict(params)


def estimate_quality(
  model: Any,
  params: Mapping[str, Any],
  read: base.Read,
  height: int,
  width: int,
) -> float:
  """The JPEG quality, 0 to 100, that a network finds in a picture's middle.

  Once for the whole picture: tiles would each find their own.
  """
  # At the borders of JPEG's blocks, unless the picture was cropped since.
  top, left = (
    max(0, side - _SIDE) // 2 // _BLOCK * _BLOCK for side in (height, width)
  )
  middle = read(top, left, min(_SIDE, height), min(_SIDE, width))
  return float(_estimator(model)(params, np.asarray(middle, np.float32)[None]))


@functools.cache
def _estimator(model):
  return jax.jit(
    lambda params, picture: model.apply(
      safetensors_io.variables(params), picture, method='estimate'
    )
  )
