"""Published weights: every name goes in and comes out again."""
import functools
import re

from conftest import random_params
from conftest import shared
import jax
import ml_collections
import numpy as np
import pytest

from artjax import foreign
from artjax import lookup
from artjax import metrics
from artjax import weights
from artjax.data import decode

MODELS = {
    'rrdb.RRDBNet': {'scale': 4, 'features': 8, 'growth': 4, 'blocks': 2},
    'srvgg.SRVGGNetCompact': {'scale': 4, 'features': 6, 'convs': 3},
    'srresnet.MSRResNet': {'features': 6, 'blocks': 2},
}


def built(model):
  return lookup.model(ml_collections.ConfigDict({'model': model}))


@functools.cache
def published(name, **overrides):
  model = {'name': name, 'args': {**MODELS[name], **overrides}}
  params = random_params(built(model), 0.02)
  return model, params, foreign.publish(model, params)


@pytest.mark.parametrize('name', MODELS)
def test_there_and_back(name):
  model, params, tensors = published(name)
  found, back = foreign.recognise(tensors)
  assert found['name'] == name
  assert {k: found['args'][k] for k in MODELS[name]} == MODELS[name]
  assert weights.sha256(back) == weights.sha256(params)


@pytest.mark.parametrize('scale', [1, 2, 4])
def test_scale_is_seen_in_the_first_convolution(scale):
  found, _ = foreign.recognise(published('rrdb.RRDBNet', scale=scale)[2])
  assert found['args']['scale'] == scale


def test_published_names_are_the_published_ones():
  # BasicSR's, and of how many tensors: 23 blocks of 3 x 5 convolutions.
  tensors = published('rrdb.RRDBNet', blocks=23)[2]
  assert len(tensors) == 2 * (23 * 15 + 6)
  assert tensors['body.22.rdb3.conv5.weight'].shape == (8, 8 + 4 * 4, 3, 3)
  assert {'conv_first.weight', 'conv_body.bias', 'conv_up1.weight',
          'conv_hr.weight', 'conv_last.bias'} <= set(tensors)
  tensors = published('srvgg.SRVGGNetCompact')[2]
  assert tensors['body.1.weight'].shape == (6,)
  assert tensors['body.8.weight'].shape == (48, 6, 3, 3)


def newer(name):
  for old, new in (('body.', 'RRDB_trunk.'), ('.rdb', '.RDB'),
                   ('conv_RRDB_trunk.', 'trunk_conv.'), ('conv_up', 'upconv'),
                   ('conv_hr', 'HRconv')):
    name = name.replace(old, new)
  return name


def older(name):
  name = re.sub(r'^body\.(\d+)\.rdb(\d)\.conv(\d)',
                r'model.1.sub.\1.RDB\2.conv\3.0', name)
  for old, new in (('conv_first', 'model.0'), ('conv_body', 'model.1.sub.2'),
                   ('conv_up1', 'model.3'), ('conv_up2', 'model.6'),
                   ('conv_hr', 'model.8'), ('conv_last', 'model.10')):
    name = name.replace(old, new)
  return name


@pytest.mark.parametrize('rename', [newer, older, 'module.{}'.format])
def test_other_names_of_the_same(tmp_path, rename):
  _, params, tensors = published('rrdb.RRDBNet')
  renamed = {rename(name): value for name, value in tensors.items()}
  assert len(renamed) == len(tensors)
  path = tmp_path / 'w.npz'
  np.savez(path, **renamed)
  _, back = foreign.recognise(foreign.read(str(path)))
  assert weights.sha256(back) == weights.sha256(params)


def test_safetensors_are_read(tmp_path):
  from safetensors import numpy as safetensors
  _, params, tensors = published('srresnet.MSRResNet')
  path = str(tmp_path / 'w.safetensors')
  safetensors.save_file(tensors, path)
  assert weights.sha256(foreign.recognise(foreign.read(path))[1]) == (
      weights.sha256(params))


def test_every_missing_and_extra_tensor_is_named():
  tensors = dict(published('srvgg.SRVGGNetCompact')[2])
  del tensors['body.2.bias'], tensors['body.4.bias']
  tensors['odd'] = np.zeros(3, np.float32)
  with pytest.raises(ValueError) as e:
    foreign.recognise(tensors, 'w.npz')
  for part in ('w.npz', 'missing body.2.bias', 'missing body.4.bias',
               'extra odd'):
    assert part in str(e.value)


def test_what_cannot_be_read_is_named(tmp_path):
  with pytest.raises(FileNotFoundError, match='gone.npz'):
    foreign.read(str(tmp_path / 'gone.npz'))
  for name in ('a.npz', 'a.safetensors'):
    (tmp_path / name).write_bytes(b'nothing of the kind')
    with pytest.raises(ValueError, match=f'{name}: not a'):
      foreign.read(str(tmp_path / name))
  (tmp_path / 'a.bin').write_bytes(b'')
  with pytest.raises(ValueError, match='are read from'):
    foreign.read(str(tmp_path / 'a.bin'))
  np.savez(tmp_path / 'o.npz', a=np.array({'a': 1}, object))  # a pickle
  with pytest.raises(ValueError, match='o.npz: not an .npz file of arrays'):
    foreign.read(str(tmp_path / 'o.npz'))
  with pytest.raises(ValueError, match='no architecture known'):
    foreign.recognise({'fc.weight': np.zeros([2, 2])})
  with pytest.raises(ValueError, match='no published names'):
    foreign.publish({'name': 'unet.UNet', 'args': {}}, {})


def test_published_weights_upsample():
  path = shared('weights/realesr-general-x4v3.npz')
  model, params = foreign.recognise(foreign.read(str(path)))
  assert sum(x.size for x in jax.tree.leaves(params)) == 1_213_296
  small = sorted(shared('benchmarks/Set5').glob('*LR.png'))[1]
  image, target = (decode.decode(p.read_bytes()) for p in (
      small, small.with_name(small.name.replace('_LR', '_HR'))))
  y = jax.jit(built(model).apply)(
      {'params': params}, image[None] / np.float32(255))
  y = np.rint(np.clip(y, 0, 1) * 255).astype(np.uint8)
  # A GAN's: true to the picture, with texture of its own.
  assert 24 < metrics.psnr_rgb(y, target[None], crop=4)[0] < 32
