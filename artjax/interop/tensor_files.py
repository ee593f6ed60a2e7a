"""Named tensors in the files of other programs: .npz, .safetensors, .pth."""

import os
import zipfile
import zlib

import numpy as np

# Entries of a .pth under which the tensors may be, the first one first.
_CONTAINERS = ('params_ema', 'params', 'state_dict')


def read(path: str) -> dict[str, np.ndarray]:
  """{name: float32 array} of a weights file of another program.

  Raises:
    FileNotFoundError: no such file.
    ValueError: of another kind, damaged, or .pth without torch.
  """
  if not os.path.isfile(path):
    raise FileNotFoundError(f'{path}: no such weights file')
  suffix = os.path.splitext(path)[1].lower()
  readers = {
    '.npz': _read_npz,
    '.safetensors': _read_safetensors,
    '.pth': _read_torch,
    '.pt': _read_torch,
  }
  if suffix not in readers:
    raise ValueError(f'{path}: weights are read from {", ".join(readers)}')
  tensors = {
    name.removeprefix('module.'): value
    for name, value in readers[suffix](path).items()
  }
  if not tensors:
    raise ValueError(f'{path}: holds no tensors')
  odd = [
    name
    for name, value in tensors.items()
    if value.dtype.kind not in 'fiu' and value.dtype.name != 'bfloat16'
  ]
  if odd:
    raise ValueError(f'{path}: not numbers: {", ".join(odd[:8])}')
  return {
    name: np.asarray(value, np.float32) for name, value in tensors.items()
  }


def _read_npz(path):
  try:
    with open(path, 'rb') as file:
      tensors = dict(np.load(file, allow_pickle=False))
    for name, value in tensors.items():
      if not isinstance(value, np.ndarray):
        raise ValueError(f'{name} is no array')
    return tensors
  except (
    ValueError,
    TypeError,
    OSError,
    EOFError,
    zipfile.BadZipFile,
    zlib.error,
  ) as error:
    raise ValueError(f'{path}: not an .npz file of arrays ({error})') from error


def _read_safetensors(path):
  import safetensors
  from safetensors import numpy as safetensors_numpy

  try:
    return safetensors_numpy.load_file(path)
  except safetensors.SafetensorError as error:
    raise ValueError(f'{path}: not a safetensors file ({error})') from error


def _read_torch(path):
  try:
    import torch
  except ImportError as error:
    raise ValueError(
      f'{path}: .pth files need torch, which is not installed; '
      'convert it to .safetensors'
    ) from error
  import pickle

  try:
    # Nothing but tensors: a .pth may hold a program.
    found = torch.load(path, map_location='cpu', weights_only=True)
  except (
    pickle.UnpicklingError,
    RuntimeError,
    EOFError,
    OSError,
    ValueError,
    LookupError,
    TypeError,
    AttributeError,
  ) as error:
    # torch has no error of its own for a damaged file.
    reason = (str(error).splitlines() or [type(error).__name__])[0]
    raise ValueError(f'{path}: not a file of tensors ({reason})') from error
  for key in _CONTAINERS:
    if isinstance(found, dict) and isinstance(found.get(key), dict):
      found = found[key]
  if not isinstance(found, dict):
    raise ValueError(
      f'{path}: holds a {type(found).__name__}, not named tensors'
    )
  return {
    name: value.float().numpy()
    for name, value in found.items()
    if torch.is_tensor(value)
  }
