"""Inputs of a network besides the picture: noise level, JPEG quality.

They are variables beside the weights (`batch_stats`), so a new value needs no
compilation.
"""

from collections.abc import Mapping
import functools
from typing import Any

import jax
import numpy as np

from artjax.inference import base
from artjax.interop import safetensors_io

NOISE, QUALITY = 'noise', 'quality'
_SIDE = 256  # px, of the crop from which the JPEG quality is estimated
_BLOCK = 8  # px, side of JPEG blocks


def of(params: Mapping[str, Any]) -> tuple[str, ...]:
  """Names of the inputs that a network has."""
  stats = params.get(safetensors_io.STATS, {})
  return tuple(name for name in (NOISE, QUALITY) if name in stats)


def tell(
  params: Mapping[str, Any],
  *,
  noise: float | None = None,
  jpeg_quality: float | None = None,
) -> dict[str, Any]:
  """Sets the inputs of a network; None keeps the current value.

  Args:
    params: of a network.
    noise: standard deviation of the noise to remove, in levels of 255.
    jpeg_quality: with which the picture was saved, 1 to 100.

  Returns:
    The weights with these inputs.

  Raises:
    ValueError: the network has no such input.
  """
  values = {
    NOISE: None if noise is None else noise / 255,
    QUALITY: jpeg_quality,
  }
  values = {name: v for name, v in values.items() if v is not None}
  for name in values:
    if name not in of(params):
      raise ValueError(f'these weights have no input for the {name}')
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
  """The JPEG quality, 0 to 100, that a network estimates for a picture.

  From a crop of its middle; tiles would give different estimates.
  """
  # Aligned with the JPEG blocks, unless the picture was cropped since.
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
