"""Files of named tensors: read, damaged, of another kind."""

import zipfile

import numpy as np
import pytest
import torch_containers

from artjax.interop import safetensors_io
from artjax.interop import tensor_files

_RNG = np.random.default_rng(0)
TENSORS = {
  'body.0.weight': _RNG.standard_normal((6, 3, 3, 3), np.float32),
  'body.0.bias': _RNG.standard_normal(6, np.float32),
}


def test_what_cannot_be_read_is_named(tmp_path):
  with pytest.raises(FileNotFoundError, match='gone.npz'):
    tensor_files.read(str(tmp_path / 'gone.npz'))
  for name in ('a.npz', 'a.safetensors'):
    (tmp_path / name).write_bytes(b'nothing of the kind')
    with pytest.raises(ValueError, match=f'{name}: not a'):
      tensor_files.read(str(tmp_path / name))
  (tmp_path / 'a.bin').write_bytes(b'')
  with pytest.raises(ValueError, match='are read from'):
    tensor_files.read(str(tmp_path / 'a.bin'))
  np.savez(tmp_path / 'o.npz', a=np.array({'a': 1}, object))  # a pickle
  with pytest.raises(ValueError, match='o.npz: not an .npz file of arrays'):
    tensor_files.read(str(tmp_path / 'o.npz'))


@pytest.mark.parametrize('suffix', ['npz', 'safetensors', 'pth'])
def test_a_truncated_or_damaged_file_is_one_line(tmp_path, suffix):
  tensors, path = TENSORS, tmp_path / f'w.{suffix}'
  if suffix == 'npz':
    np.savez_compressed(path, **tensors)
  elif suffix == 'safetensors':
    safetensors_io.save_tensors(str(path), tensors, {})
  else:
    torch_containers.write_zip(path, tensors)
  whole = path.read_bytes()
  tensor_files.read(str(path))
  for size in (0, 1, 10, len(whole) // 2, len(whole) - 1):
    path.write_bytes(whole[:size])
    with pytest.raises(ValueError, match=rf'^{path}: not a'):
      tensor_files.read(str(path))
  if suffix == 'npz':  # a tensor that does not unpack
    with zipfile.ZipFile(path, 'w') as file:
      file.writestr('a.npy', b'nothing of the kind')
    with pytest.raises(ValueError, match=rf'^{path}: not a'):
      tensor_files.read(str(path))
    with open(path, 'wb') as file:  # one array without a name
      np.save(file, np.zeros(3))
    with pytest.raises(ValueError, match=rf'^{path}: not a'):
      tensor_files.read(str(path))


def test_what_is_no_dictionary_is_named(tmp_path):
  path = tmp_path / 'w.pth'
  torch_containers.write_zip(path, [np.zeros(3, np.float32)])
  with pytest.raises(ValueError, match='w.pth: contains a list, not named'):
    tensor_files.read(str(path))


def test_what_is_no_number_is_named(tmp_path):
  np.savez(tmp_path / 'w.npz', a=np.array(['text']), b=np.zeros(3))
  with pytest.raises(ValueError, match='w.npz: not numbers: a'):
    tensor_files.read(str(tmp_path / 'w.npz'))
