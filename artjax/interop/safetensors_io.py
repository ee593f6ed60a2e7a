"""Weights as safetensors files: flat tensor names, and the configuration.

The header contains the configuration of the model and the task, so that a file
can be used by itself. Names are flax paths joined by '/'.
"""

from collections.abc import Mapping
import hashlib
import json
import os
from typing import Any

import ml_collections
import numpy as np

from artjax import atomic_files

STATS = 'batch_stats'  # linen's name for the running statistics of norms


def flatten(params: Mapping[str, Any]) -> dict[str, np.ndarray]:
  """Nested dict of arrays -> {'a/b/kernel': array}, sorted by name."""
  flat = _flat(params)
  return {name: np.asarray(flat[name]) for name in sorted(flat)}


def _flat(tree):
  """Nested dict of leaves -> {'a/b': leaf}; empty dicts are left out."""
  flat = {}
  for name, value in tree.items():
    if isinstance(value, Mapping):
      flat |= {f'{name}/{rest}': leaf for rest, leaf in _flat(value).items()}
    else:
      flat[name] = value
  return flat


def unflatten(tensors: Mapping[str, Any]) -> dict[str, Any]:
  """Undoes `flatten`."""
  tree: dict[str, Any] = {}
  for path, value in tensors.items():
    *parents, name = path.split('/')
    place = tree
    for parent in parents:
      place = place.setdefault(parent, {})
    place[name] = value
  return tree


def merge(variables: Mapping[str, Any]) -> dict[str, Any]:
  """{'params', 'batch_stats'} -> one tree, as it is saved."""
  stats = variables.get('batch_stats')
  return {**variables['params'], **({STATS: stats} if stats else {})}


def variables(merged: Mapping[str, Any]) -> dict[str, Any]:
  """Undoes `merge`: the variables of linen's `apply`."""
  params = {name: value for name, value in merged.items() if name != STATS}
  return {
    'params': params,
    **({STATS: merged[STATS]} if STATS in merged else {}),
  }


def sha256(params: Mapping[str, Any]) -> str:
  """Fingerprint of the weights: names, shapes, types and bytes."""
  digest = hashlib.sha256()
  for name, value in flatten(params).items():
    digest.update(f'{name}:{value.shape}:{value.dtype};'.encode())
    digest.update(np.ascontiguousarray(value).tobytes())
  return digest.hexdigest()


def file_sha256(path: str | os.PathLike[str]) -> str:
  """The sha256 of a file's bytes, as hexadecimal digits."""
  with open(path, 'rb') as file:
    return hashlib.file_digest(file, 'sha256').hexdigest()


def save(
  path: str,
  params: Mapping[str, Any],
  config: ml_collections.ConfigDict,
  *,
  dtype: str = 'float32',
  step: int = 0,
  source: Mapping[str, str] | None = None,
) -> None:
  """Writes weights and their configuration, atomically.

  Args:
    path: of the file.
    params: the weights, in the form of `merge`.
    config: its task and model are written.
    dtype: of the numbers in the file.
    step: of the training.
    source: of imported weights: 'file', 'sha256' and 'licence'.

  Raises:
    ValueError: a value is not finite, or too large for `dtype`.
  """
  described = {'task': config.task, 'model': config.model.to_dict()}
  if config.get('calibration'):
    described['calibration'] = config.calibration.to_dict()
  # One entry: the library writes several in random order, and equal weights
  # must give equal files.
  entry: dict[str, Any] = {'config': described, 'step': step}
  if source:
    entry['source'] = dict(source)
  save_tensors(path, flatten(params), {'artjax': json.dumps(entry)}, dtype)


def annotate(path: str, **fields: Any) -> None:
  """Adds fields to the configuration in a file; its tensors stay unchanged.

  Raises:
    FileNotFoundError, ValueError: as `load`.
  """
  import safetensors

  _, params, step = load(path)
  with safetensors.safe_open(path, framework='numpy') as file:
    header = json.loads(file.metadata()['artjax'])
    dtype = file.get_tensor(next(iter(file.keys()))).dtype.name
  header['config'] |= fields
  save_tensors(path, flatten(params), {'artjax': json.dumps(header)}, dtype)


def save_tensors(
  path: str,
  tensors: Mapping[str, np.ndarray],
  header: dict[str, str],
  dtype: str = 'float32',
) -> None:
  """Writes {name: array} and {key: text} as safetensors; see `save`."""
  from safetensors import numpy as safetensors  # Only where files are touched.

  with np.errstate(over='ignore'):
    # Not `ascontiguousarray`, which adds an axis to scalars.
    tensors = {
      name: np.asarray(value.astype(dtype), order='C')
      for name, value in tensors.items()
    }
  odd = not_finite(tensors)
  if odd:
    raise ValueError(
      f'{path}: not written, since these tensors are not finite as '
      f'{dtype}: {", ".join(odd[:8])}'
    )
  atomic_files.write_bytes(path, safetensors.save(tensors, metadata=header))


def not_finite(tensors: Mapping[str, np.ndarray]) -> list[str]:
  """Names of the tensors that contain NaN or infinity."""
  return [
    name for name, value in tensors.items() if not np.isfinite(value).all()
  ]


def load(
  path: str | os.PathLike[str],
) -> tuple[ml_collections.ConfigDict, dict[str, Any], int]:
  """(config with task and model, float32 weights, step) of a file.

  Raises:
    FileNotFoundError: no such file.
    ValueError: not a safetensors file of this project.
  """
  import safetensors

  if not os.path.isfile(path):
    raise FileNotFoundError(f'{path}: no such weights file')
  try:
    with safetensors.safe_open(path, framework='numpy') as file:
      header = file.metadata() or {}
      tensors = {
        name: file.get_tensor(name).astype(np.float32) for name in file.keys()
      }
  except safetensors.SafetensorError as e:
    raise ValueError(f'{path}: not a safetensors file ({e})') from e
  if 'artjax' not in header:
    raise ValueError(f'{path}: no artjax header, so its model is unknown')
  header = json.loads(header['artjax'])
  config = ml_collections.ConfigDict(header['config'])
  return config, unflatten(tensors), header['step']


def is_ours(path: str | os.PathLike[str]) -> bool:
  """Whether a file is for `load`, which also reports what is wrong with it.

  Files with other suffixes, and safetensors files without this project's
  header, are from other programs.
  """
  if not str(path).endswith('.safetensors'):
    return False
  try:
    header, shapes = describe(path)
  except (ValueError, FileNotFoundError):
    return True
  return bool(header) or not shapes


def describe(
  path: str | os.PathLike[str],
) -> tuple[dict[str, Any], dict[str, tuple[int, ...]]]:
  """(header, {name: shape}) of a safetensors file, without reading tensors.

  The header has config and step, and for imported weights their source; {} if
  another program wrote the file.

  Raises:
    FileNotFoundError: no such file.
    ValueError: not a safetensors file.
  """
  import safetensors

  if not os.path.isfile(path):
    raise FileNotFoundError(f'{path}: no such weights file')
  try:
    with safetensors.safe_open(path, framework='numpy') as file:
      shapes = {
        name: tuple(file.get_slice(name).get_shape()) for name in file.keys()
      }
      header = (file.metadata() or {}).get('artjax', '{}')
  except safetensors.SafetensorError as e:
    raise ValueError(f'{path}: not a safetensors file ({e})') from e
  return json.loads(header), shapes


def check(
  params: Mapping[str, Any], expected: Mapping[str, Any], where: str
) -> None:
  """Raises ValueError for missing, extra, misshapen or non-finite tensors."""
  have, want = flatten(params), _flat(expected)
  faults = [f'missing {n}' for n in want if n not in have]
  faults += [f'extra {n}' for n in have if n not in want]
  faults += [
    f'{n} has shape {have[n].shape}, not {want[n].shape}'
    for n in want
    if n in have and have[n].shape != want[n].shape
  ]
  faults += [f'{n} is not finite' for n in not_finite(have)]
  if faults:
    raise ValueError(
      f'{where}: the weights do not fit the model: '
      f'{"; ".join(faults[:8])}'
      + (f'; and {len(faults) - 8} more' * (len(faults) > 8))
    )
