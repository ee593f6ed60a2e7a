"""Weights files: what is written is what is read."""

from conftest import tiny_config
import numpy as np
import pytest

from artjax.interop import safetensors_io

PARAMS = {
  'conv': {
    'kernel': np.arange(6, dtype=np.float32).reshape(2, 3),
    'bias': np.zeros(3, np.float32),
  },
  'alone': np.float32(0.5),
}


def test_round_trip_with_config(tmp_path):
  path = tmp_path / 'w.safetensors'
  config = tiny_config()
  safetensors_io.save(str(path), PARAMS, config, step=7)
  read, params, step = safetensors_io.load(str(path))
  assert step == 7
  assert read.model.name == config.model.name and read.task == config.task
  assert safetensors_io.sha256(params) == safetensors_io.sha256(PARAMS)
  assert [p.name for p in tmp_path.iterdir()] == ['w.safetensors']


def test_float16_halves_the_file_and_reads_as_float32(tmp_path):
  path = str(tmp_path / 'w.safetensors')
  safetensors_io.save(path, PARAMS, tiny_config(), dtype='float16')
  _, params, _ = safetensors_io.load(path)
  assert params['conv']['kernel'].dtype == np.float32
  np.testing.assert_array_equal(
    params['conv']['kernel'], PARAMS['conv']['kernel']
  )


def test_fingerprint_sees_names_shapes_and_values():
  base = safetensors_io.sha256(PARAMS)
  renamed = {'conw': PARAMS['conv']}
  reshaped = {'conv': {**PARAMS['conv'], 'bias': np.zeros([3, 1], np.float32)}}
  changed = {'conv': {**PARAMS['conv'], 'bias': np.ones(3, np.float32)}}
  assert (
    len({base, *map(safetensors_io.sha256, (renamed, reshaped, changed))}) == 4
  )


def test_misfits_are_named():
  expected = {'conv': {'kernel': np.zeros([2, 4]), 'scale': np.zeros(3)}}
  with pytest.raises(ValueError) as e:
    safetensors_io.check(PARAMS, expected, 'w.safetensors')
  for part in (
    'w.safetensors',
    'missing conv/scale',
    'extra conv/bias',
    'conv/kernel has shape (2, 3), not (2, 4)',
  ):
    assert part in str(e.value)
  safetensors_io.check(PARAMS, PARAMS, 'w.safetensors')


def test_bad_files_are_named(tmp_path):
  with pytest.raises(FileNotFoundError, match='gone.safetensors'):
    safetensors_io.load(str(tmp_path / 'gone.safetensors'))
  bad = tmp_path / 'bad.safetensors'
  bad.write_bytes(b'not weights at all')
  with pytest.raises(ValueError, match='bad.safetensors: not a safetensors'):
    safetensors_io.load(str(bad))
  from safetensors import numpy as safetensors

  safetensors.save_file({'x': np.zeros(1)}, tmp_path / 'other.safetensors')
  with pytest.raises(ValueError, match='no artjax header'):
    safetensors_io.load(str(tmp_path / 'other.safetensors'))


def test_same_weights_are_the_same_file(tmp_path):
  import safetensors

  path = str(tmp_path / 'w.safetensors')
  safetensors_io.save(path, PARAMS, tiny_config())
  # The library orders several entries anew in each process.
  with safetensors.safe_open(path, framework='numpy') as file:
    assert len(file.metadata()) == 1


def test_what_is_not_finite_is_neither_written_nor_used(tmp_path):
  path = tmp_path / 'new' / 'w.safetensors'
  safetensors_io.save(str(path), PARAMS, tiny_config())
  before = path.read_bytes()
  for value, dtype in (
    (np.nan, 'float32'),
    (-np.inf, 'float32'),
    (1e5, 'float16'),
  ):
    odd = {'conv': {**PARAMS['conv'], 'bias': np.full(3, value, np.float32)}}
    with pytest.raises(ValueError, match=f'not finite as {dtype}: conv/bias'):
      safetensors_io.save(str(path), odd, tiny_config(), dtype=dtype)
  assert path.read_bytes() == before
  assert [p.name for p in path.parent.iterdir()] == ['w.safetensors']
  odd = {'conv': {**PARAMS['conv'], 'bias': np.float32([0, np.nan, 0])}}
  with pytest.raises(ValueError, match='conv/bias is not finite'):
    safetensors_io.check(odd, PARAMS, 'w.safetensors')
