"""Lists available weights: those shipped, and those in the user's folder."""

from collections.abc import Iterator
import dataclasses
import math
import pathlib
from typing import Any

from artjax import registry
from artjax.inference import weights
from artjax.interop import fetched
from artjax.interop import published
from artjax.interop import safetensors_io

SHIPPED_LICENCE = 'Apache-2.0'  # as the code
UNKNOWN_LICENCE = 'not stated'


@dataclasses.dataclass(frozen=True)
class Entry:
  """One file of weights.

  Attributes:
    name: for --weights.
    path: of the file.
    task: name of its task.
    model: '<file>.<class>' of its network.
    scale: of the output relative to the input.
    parameters: number of trained parameters.
    licence: of the weights, if known.
    problem: why the file cannot be used; '' = it can.
  """

  name: str
  path: str
  task: str = ''
  model: str = ''
  scale: int = 1
  parameters: int = 0
  licence: str = UNKNOWN_LICENCE
  problem: str = ''


def entries() -> Iterator[Entry]:
  """All named weights, shipped ones first.

  A user's file with the name of a shipped one is ignored here, as everywhere.

  Raises:
    ValueError: the record of fetched weights is damaged.
  """
  shipped = weights.files(weights.pretrained_folder())
  folder = weights.user_folder()
  record = fetched.Fetched(folder)
  for name, path in shipped.items():
    yield describe(name, path, SHIPPED_LICENCE)
  for name, path in weights.files(folder).items():
    if name not in shipped:
      source = record.source(path.name)
      yield describe(name, path, source.get('licence', UNKNOWN_LICENCE))


def describe(
  name: str, path: pathlib.Path, licence: str = UNKNOWN_LICENCE
) -> Entry:
  """Describes a file; reads tensors only if another program wrote it."""
  try:
    config, parameters, source = _described(str(path))
    net = registry.model(config)
  except (ValueError, OSError) as error:
    problem = str(error).splitlines()[0].removeprefix(f'{path}: ')
    return Entry(name, str(path), problem=problem)
  return Entry(
    name,
    str(path),
    task=config['task'],
    model=config['model']['name'],
    scale=getattr(net, 'scale', 1),
    parameters=parameters,
    licence=source.get('licence', licence),
  )


def _described(path: str) -> tuple[Any, int, dict[str, str]]:
  """(configuration, parameters, source) of a file.

  Raises:
    OSError, ValueError: it cannot be read.
  """
  import ml_collections

  stats = f'{safetensors_io.STATS}/'
  if not safetensors_io.is_ours(path):
    config, params = published.load(path)
    shapes = {
      name: value.shape
      for name, value in safetensors_io.flatten(params).items()
    }
    source: dict[str, str] = {}
  else:
    header, shapes = safetensors_io.describe(path)
    if 'config' not in header:
      raise ValueError('no artjax header, so its model is unknown')
    config = ml_collections.ConfigDict(header['config'])
    source = header.get('source', {})
  count = sum(
    math.prod(shape)
    for name, shape in shapes.items()
    if not name.startswith(stats)
  )
  return config, count, source
