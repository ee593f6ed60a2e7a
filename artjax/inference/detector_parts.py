"""Splits a `detector.CoarseToFine` file into its two networks, and joins them.

The two are trained separately, so each can be trained further by itself:
`--config.init_from=pretrained/detect.safetensors:coarse`.
"""

from typing import Any

import ml_collections

from artjax.inference.weights import PARTS
from artjax.interop import safetensors_io

TOGETHER, EACH = 'detector.CoarseToFine', 'detector.Detector'
_PREFIX = {'fine': '', 'coarse': 'coarse_'}  # of the fields of each
_FIELDS = ('features', 'blocks')


def take(
  config: ml_collections.ConfigDict,
  params: dict[str, Any],
  part: str,
  where: str,
) -> tuple[ml_collections.ConfigDict, dict[str, Any]]:
  """(config, params) of one of the two, 'fine' or 'coarse'.

  Raises:
    ValueError: the weights, named `where`, do not consist of two networks.
  """
  if config.model.name != TOGETHER:
    raise ValueError(f'{where}:{part}: {config.model.name} has no such part')
  config = config.copy_and_resolve_references()
  args = config.model.args
  config.model = {
    'name': EACH,
    'args': {field: args[_PREFIX[part] + field] for field in _FIELDS},
  }
  return config, {
    **params[part],
    safetensors_io.STATS: params[safetensors_io.STATS][part],
  }


def join(
  fine: tuple[ml_collections.ConfigDict, dict[str, Any]],
  coarse: tuple[ml_collections.ConfigDict, dict[str, Any]],
) -> tuple[ml_collections.ConfigDict, dict[str, Any]]:
  """(config, params) of both.

  Args:
    fine: (config, params), of `detector.Detector`.
    coarse: the same.

  Raises:
    ValueError: one of them is another network.
  """
  args: dict[str, Any] = {}
  params: dict[str, Any] = {}
  stats: dict[str, Any] = {}
  for part, (config, merged) in zip(PARTS, (fine, coarse)):
    fields = dict(config.model.args)
    if config.model.name != EACH or set(fields) != set(_FIELDS):
      raise ValueError(
        f'the {part} part must be a {EACH} of '
        f'{", ".join(_FIELDS)}, not {config.model.name} of '
        f'{", ".join(fields)}'
      )
    args |= {_PREFIX[part] + field: fields[field] for field in _FIELDS}
    params[part] = {
      k: v for k, v in merged.items() if k != safetensors_io.STATS
    }
    stats[part] = merged[safetensors_io.STATS]
  config = fine[0].copy_and_resolve_references()
  with config.unlocked():
    config.model = {'name': TOGETHER, 'args': args}
  return config, {**params, safetensors_io.STATS: stats}
