"""Reads and writes weights with the tensor names of published networks.

Architecture and fields are recognised by tensor names and shapes; `families/`
describes each architecture.
"""

from collections.abc import Mapping
from typing import Any

import jax
import ml_collections
import numpy as np

from artjax import registry
from artjax.interop import safetensors_io
from artjax.interop import tensor_files
from artjax.interop.families import compact
from artjax.interop.families import dncnn
from artjax.interop.families import drunet
from artjax.interop.families import family
from artjax.interop.families import msrresnet
from artjax.interop.families import nafnet
from artjax.interop.families import others
from artjax.interop.families import plksr
from artjax.interop.families import rrdb
from artjax.interop.families import scunet
from artjax.interop.families import span
from artjax.interop.families import spanf
from artjax.interop.families.attention import dat
from artjax.interop.families.attention import hat
from artjax.interop.families.attention import restormer
from artjax.interop.families.attention import swinir
from artjax.interop.families.inpainting import lama
from artjax.interop.families.inpainting import migan

# In order of recognition: the first whose names a file has is used.
FAMILIES = (
  rrdb.FAMILY,
  msrresnet.FAMILY,
  span.FAMILY,
  spanf.SPANF,
  spanf.SPANV2,
  plksr.REALPLKSR,
  plksr.PLKSR,
  nafnet.FAMILY,
  hat.FAMILY,
  swinir.FAMILY,
  dat.FAMILY,
  restormer.FAMILY,
  lama.FAMILY,
  migan.FAMILY,
  scunet.FAMILY,
  drunet.FBCNN,
  drunet.DRUNET,
  dncnn.FFDNET,
  dncnn.DNCNN,
  compact.FAMILY,
)
_BY_MODEL = {family.model: family for family in FAMILIES}


def recognise(
  tensors: Mapping[str, np.ndarray], where: str = 'weights'
) -> tuple[dict[str, Any], dict[str, Any]]:
  """(model, flax weights) of published tensors.

  Args:
    tensors: {name: array}, from `tensor_files.read`.
    where: their source, for messages.

  Returns:
    {'name': 'file.Class', 'args': fields} and the nested weights.

  Raises:
    ValueError: an unknown architecture, or missing, extra, misshapen or
      non-finite tensors, which the message names.
  """
  found, tensors, fields = _family(tensors, where)
  model = {'name': found.model, 'args': fields}
  config = ml_collections.ConfigDict({'model': model})
  net = registry.model(config)
  shapes = jax.tree.map(
    lambda shape: np.broadcast_to(np.float32(0), shape.shape),
    safetensors_io.merge(registry.variables(config, found.channels)),
  )
  expected = _published(found, net, shapes)
  derived = found.derived(net)
  tensors = {n: value for n, value in tensors.items() if n not in derived}
  safetensors_io.check(tensors, expected, f'{where}, as {found.title}')
  flat: dict[str, Any] = {
    path: np.float32(value) for path, value in found.beside(net).items()
  }
  for row in found.rows(net):
    value = family.to_flax(tensors[row.name], row.layout)
    if row.block is None:
      flat[row.path] = value
    else:
      flat.setdefault(row.path, []).append(value)
  return model, safetensors_io.unflatten(
    {
      path: np.stack(value)
      if isinstance(value, list)
      else np.asarray(value, order='C')
      for path, value in flat.items()
    }
  )


def _family(tensors, where):
  """(family, tensors in its form, fields)."""
  problem = ''
  for candidate in FAMILIES:
    try:
      unified = candidate.unify(tensors)
      if all(key in unified for key in candidate.keys):
        return candidate, unified, candidate.fields(unified)
    except (ValueError, LookupError, TypeError) as error:  # too few axes
      reason = f'{error.args[0]} is missing'
      reason = reason if isinstance(error, KeyError) else str(error)
      problem = problem or f'names of {candidate.title}, but {reason}'
  other = others.recognise(tensors)
  if other:
    problem = f'looks like {other}, which is not supported'
  raise ValueError(
    f'{where}: {problem or "unknown architecture"}; it has '
    f'{", ".join(sorted(tensors)[:4])} ...; supported are '
    f'{", ".join(family.title for family in FAMILIES)}'
  )


def load(path: str) -> tuple[ml_collections.ConfigDict, dict[str, Any]]:
  """(config with task and model, float32 weights) of a published file.

  Raises:
    FileNotFoundError: no such file.
    ValueError: it cannot be read, or its architecture is unknown.
  """
  model, params = recognise(tensor_files.read(path), path)
  described = {'task': task(model), 'model': model}
  return ml_collections.ConfigDict(described), params


def task(model: Mapping[str, Any]) -> str:
  """What the published networks of a model do, a file in artjax/tasks."""
  return _BY_MODEL[model['name']].task


def publish(
  model: Mapping[str, Any], params: Mapping[str, Any]
) -> dict[str, np.ndarray]:
  """{published name: float32 array} from flax weights; undoes `recognise`.

  Raises:
    ValueError: no published names are known for this model.
  """
  name = model['name']
  if name not in _BY_MODEL:
    raise ValueError(
      f'{name} has no published names; only these have: {", ".join(_BY_MODEL)}'
    )
  net = registry.model(ml_collections.ConfigDict({'model': model}))
  family = _BY_MODEL[name]
  return _published(family, net, params) | dict(family.derived(net))


def _published(found, net, params):
  """{published name: float32 array} of the weights of a network."""
  flat = safetensors_io.flatten(params)
  tensors = dict(found.marks(net))
  for row in found.rows(net):
    value = flat[row.path] if row.block is None else flat[row.path][row.block]
    value = family.to_published(value, row.layout)
    tensors[row.name] = np.asarray(value, np.float32, order='C')
  return tensors


def save(
  path: str,
  model: Mapping[str, Any],
  params: Mapping[str, Any],
  dtype: str = 'float32',
) -> None:
  """Writes weights under their published names, for PyTorch's tools."""
  safetensors_io.save_tensors(
    path, publish(model, params), {'format': 'pt'}, dtype
  )
