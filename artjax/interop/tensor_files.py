"""Reads named tensors from files of other programs.

.npz, .safetensors, and PyTorch's .pth, .pt and .ckpt, all without PyTorch.
"""

from collections.abc import Mapping
import os
from typing import Any
import zipfile
import zlib

import numpy as np

from artjax.interop import torch_files

# Entries of a .pth that may contain the tensors, in order of preference.
_CONTAINERS = (
  'params_ema',
  'params-ema',
  'params',
  'state_dict',
  'model_state_dict',
  'model',
  'net',
)
_GENERATORS = ('netG.', 'generator.')
# Largest ratio of an .npz's content to its size; weights hardly compress.
_LARGER = 100
_SMALL = 2**26  # bytes that every .npz may unpack to


def read(path: str) -> dict[str, np.ndarray]:
  """{name: float32 array} of a weights file of another program.

  Raises:
    FileNotFoundError: no such file.
    ValueError: an unknown format, a damaged file, one that unpacks to far more
      than its size, or a .pth that contains more than tensors. No code in it is
      run.
  """
  if not os.path.isfile(path):
    raise FileNotFoundError(f'{path}: no such weights file')
  suffix = os.path.splitext(path)[1].lower()
  readers = {
    '.npz': _read_npz,
    '.safetensors': _read_safetensors,
    '.pth': _read_torch,
    '.pt': _read_torch,
    '.ckpt': _read_torch,
  }
  if suffix not in readers:
    raise ValueError(f'{path}: weights are read from {", ".join(readers)}')
  tensors = strip_prefix(readers[suffix](path))
  if not tensors:
    raise ValueError(f'{path}: contains no tensors')
  odd = [
    name
    for name, value in tensors.items()
    if value.dtype.kind not in 'fiub' and value.dtype.name != 'bfloat16'
  ]
  if odd:
    raise ValueError(f'{path}: not numbers: {", ".join(odd[:8])}')
  return {
    name: np.asarray(value, np.float32) for name, value in tensors.items()
  }


def _read_npz(path):
  try:
    with open(path, 'rb') as file:
      _check_size(file)
      tensors = dict(np.load(file, allow_pickle=False))
    for name, value in tensors.items():
      if not isinstance(value, np.ndarray):
        raise ValueError(f'{name} is not an array')
    return tensors
  except (
    ValueError,
    TypeError,
    OSError,
    EOFError,
    MemoryError,
    zipfile.BadZipFile,
    zlib.error,
  ) as error:
    raise ValueError(f'{path}: not an .npz file of arrays ({error})') from error


def _check_size(file):
  """Raises ValueError if a zip would unpack to far more than its size."""
  if zipfile.is_zipfile(file):
    with zipfile.ZipFile(file) as archive:
      unpacked = sum(info.file_size for info in archive.infolist())
    if unpacked > _LARGER * os.fstat(file.fileno()).st_size + _SMALL:
      raise ValueError(f'it would unpack to {unpacked:,} bytes: a zip bomb')
  file.seek(0)


def _read_safetensors(path):
  import safetensors
  from safetensors import numpy as safetensors_numpy

  try:
    return safetensors_numpy.load_file(path)
  except safetensors.SafetensorError as error:
    raise ValueError(f'{path}: not a safetensors file ({error})') from error


def _read_torch(path):
  tensors = unwrap(torch_files.read(path), path)
  return {
    name: value
    for name, value in tensors.items()
    if isinstance(value, np.ndarray)
  }


def unwrap(found: Any, where: str) -> Mapping[str, Any]:
  """Finds the network's weights in a checkpoint of a training program.

  Args:
    found: the content of the file, from `torch_files.read`.
    where: the source, for messages.

  Returns:
    The first entry of `_CONTAINERS` that exists, or the only entry; repeatedly,
    as long as it is a dictionary of dictionaries.

  Raises:
    ValueError: it contains no named weights.
  """
  while isinstance(found, Mapping):
    inner = [found[key] for key in _CONTAINERS if key in found]
    if len(found) == 1:
      inner += found.values()
    inner = [value for value in inner if isinstance(value, Mapping) and value]
    if not inner:
      return found
    found = inner[0]
  raise ValueError(
    f'{where}: contains a {type(found).__name__}, not named tensors'
  )


def strip_prefix(tensors: Mapping[str, Any]) -> Mapping[str, Any]:
  """Removes prefixes of wrappers, such as `module.`, common to all names.

  If there are several networks, only the tensors of the generator are kept.
  """
  for prefix in _GENERATORS:
    if any(name.startswith(prefix) for name in tensors):
      tensors = {
        name: value
        for name, value in tensors.items()
        if name.startswith(prefix)
      }
  for prefix in ('module.', *_GENERATORS, 'module.'):
    if all(name.startswith(prefix) for name in tensors):
      tensors = {
        name.removeprefix(prefix): value for name, value in tensors.items()
      }
  return tensors
