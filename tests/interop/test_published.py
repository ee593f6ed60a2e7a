"""Published weights: every name goes in and comes out again."""

import functools
import json
import re
import subprocess
import sys

from conftest import random_params
from conftest import ROOT
from conftest import shared
import jax
import ml_collections
import numpy as np
import pytest
import spandrel_library

from artjax import registry
from artjax.data.sources import decode
from artjax.evaluation import metrics
from artjax.interop import published
from artjax.interop import safetensors_io
from artjax.interop import tensor_files

MODELS = {
  'rrdb.RRDBNet': {'scale': 4, 'features': 8, 'growth': 4, 'blocks': 2},
  'srvgg.SRVGGNetCompact': {'scale': 4, 'features': 6, 'convs': 3},
  'srresnet.MSRResNet': {'features': 6, 'blocks': 2},
}


def built(model):
  return registry.model(ml_collections.ConfigDict({'model': model}))


@functools.cache
def made(name, **overrides):
  model = {'name': name, 'args': {**MODELS[name], **overrides}}
  params = random_params(built(model), 0.02)
  return model, params, published.publish(model, params)


@pytest.mark.parametrize('name', MODELS)
def test_there_and_back(name):
  model, params, tensors = made(name)
  found, back = published.recognise(tensors)
  assert found['name'] == name
  assert {k: found['args'][k] for k in MODELS[name]} == MODELS[name]
  assert safetensors_io.sha256(back) == safetensors_io.sha256(params)


@pytest.mark.parametrize('scale', [1, 2, 4])
def test_scale_is_seen_in_the_first_convolution(scale):
  found, _ = published.recognise(made('rrdb.RRDBNet', scale=scale)[2])
  assert found['args']['scale'] == scale


def test_published_names_are_the_published_ones():
  # BasicSR's, and of how many tensors: 23 blocks of 3 x 5 convolutions.
  tensors = made('rrdb.RRDBNet', blocks=23)[2]
  assert len(tensors) == 2 * (23 * 15 + 6)
  assert tensors['body.22.rdb3.conv5.weight'].shape == (8, 8 + 4 * 4, 3, 3)
  assert {
    'conv_first.weight',
    'conv_body.bias',
    'conv_up1.weight',
    'conv_hr.weight',
    'conv_last.bias',
  } <= set(tensors)
  tensors = made('srvgg.SRVGGNetCompact')[2]
  assert tensors['body.1.weight'].shape == (6,)
  assert tensors['body.8.weight'].shape == (48, 6, 3, 3)


def newer(name):
  for old, new in (
    ('body.', 'RRDB_trunk.'),
    ('.rdb', '.RDB'),
    ('conv_RRDB_trunk.', 'trunk_conv.'),
    ('conv_up', 'upconv'),
    ('conv_hr', 'HRconv'),
  ):
    name = name.replace(old, new)
  return name


def older(name):
  name = re.sub(
    r'^body\.(\d+)\.rdb(\d)\.conv(\d)', r'model.1.sub.\1.RDB\2.conv\3.0', name
  )
  for old, new in (
    ('conv_first', 'model.0'),
    ('conv_body', 'model.1.sub.2'),
    ('conv_up1', 'model.3'),
    ('conv_up2', 'model.6'),
    ('conv_hr', 'model.8'),
    ('conv_last', 'model.10'),
  ):
    name = name.replace(old, new)
  return name


@pytest.mark.parametrize('rename', [newer, older, 'module.{}'.format])
def test_other_names_of_the_same(tmp_path, rename):
  _, params, tensors = made('rrdb.RRDBNet')
  renamed = {rename(name): value for name, value in tensors.items()}
  assert len(renamed) == len(tensors)
  path = tmp_path / 'w.npz'
  np.savez(path, **renamed)
  _, back = published.recognise(tensor_files.read(str(path)))
  assert safetensors_io.sha256(back) == safetensors_io.sha256(params)


def test_safetensors_are_read(tmp_path):
  from safetensors import numpy as safetensors

  _, params, tensors = made('srresnet.MSRResNet')
  path = str(tmp_path / 'w.safetensors')
  safetensors.save_file(tensors, path)
  assert safetensors_io.sha256(
    published.recognise(tensor_files.read(path))[1]
  ) == (safetensors_io.sha256(params))


def test_every_missing_extra_misshapen_and_odd_tensor_is_named():
  tensors = dict(made('srvgg.SRVGGNetCompact')[2])
  del tensors['body.2.bias'], tensors['body.4.bias']
  tensors['odd'] = np.zeros(3, np.float32)
  tensors['body.3.weight'] = np.zeros(5, np.float32)
  tensors['body.1.weight'] = np.full(6, np.nan, np.float32)
  with pytest.raises(ValueError) as e:
    published.recognise(tensors, 'w.npz')
  for part in (
    'w.npz',
    'missing body.2.bias',
    'missing body.4.bias',
    'extra odd',
    'body.3.weight has shape (5,), not (6,)',
    'body.1.weight is not finite',
  ):
    assert part in str(e.value)


@pytest.mark.parametrize(
  'name, tensor',
  [
    ('rrdb.RRDBNet', 'body.0.rdb1.conv1.weight'),
    ('rrdb.RRDBNet', 'conv_first.weight'),
    ('rrdb.RRDBNet', 'conv_hr.bias'),
    ('srvgg.SRVGGNetCompact', 'body.0.weight'),
    ('srvgg.SRVGGNetCompact', 'body.8.weight'),
    ('srresnet.MSRResNet', 'conv_first.weight'),
    ('srresnet.MSRResNet', 'body.1.conv2.weight'),
  ],
)
@pytest.mark.parametrize('shape', [(), (7,), (1, 1, 1, 1)])
def test_no_shape_of_a_tensor_ends_in_a_traceback(name, tensor, shape):
  tensors = {**made(name)[2], tensor: np.zeros(shape, np.float32)}
  with pytest.raises(ValueError, match=r'^w\.npz'):
    published.recognise(tensors, 'w.npz')


def test_what_is_not_known_is_named():
  with pytest.raises(ValueError, match='unknown architecture'):
    published.recognise({'fc.weight': np.zeros([2, 2])})
  with pytest.raises(ValueError, match='no published names'):
    published.publish({'name': 'unet.UNet', 'args': {}}, {})


def test_import_writes_a_whole_file_or_none(tmp_path):
  run = lambda source, output: subprocess.run(
    [
      sys.executable,
      str(ROOT / 'scripts' / 'import_weights.py'),
      source,
      f'--output={output}',
    ],
    capture_output=True,
    text=True,
    timeout=240,
  )
  model, params, tensors = made('srvgg.SRVGGNetCompact')
  path, output = tmp_path / 'w.npz', tmp_path / 'new' / 'w.safetensors'
  np.savez(path, **tensors)
  out = run(path, output)
  assert out.returncode == 0, out.stderr
  result = json.loads(out.stdout.splitlines()[-1])
  assert result['model']['name'] == model['name']
  assert safetensors_io.sha256(
    safetensors_io.load(str(output))[1]
  ) == safetensors_io.sha256(params)
  before = output.read_bytes()
  np.savez(path, **{**tensors, 'body.2.bias': np.full(6, np.inf)})
  out = run(path, output)
  assert out.returncode == 1 and 'Traceback' not in out.stderr
  assert 'body.2.bias is not finite' in out.stderr
  assert output.read_bytes() == before
  assert [p.name for p in output.parent.iterdir()] == ['w.safetensors']


# The same weights in PyTorch.


def outputs(name, size, theirs, **overrides):
  """(ours, `theirs` of f32[B, 3, H, W]) of a picture, f32[B, H, W, 3]."""
  import torch

  model, params, _ = made(name, **overrides)
  x = np.random.default_rng(0).random([2, *size, 3], np.float32)
  ours = np.asarray(built(model).apply({'params': params}, x))
  with torch.no_grad():
    y = theirs(torch.tensor(x.transpose(0, 3, 1, 2)))
  return ours, y.numpy().transpose(0, 2, 3, 1)


@pytest.mark.parametrize(
  'name, overrides, architecture',
  [
    ('rrdb.RRDBNet', {'scale': 4, 'growth': 32}, 'ESRGAN'),
    ('rrdb.RRDBNet', {'scale': 2, 'growth': 32}, 'ESRGAN'),
    ('rrdb.RRDBNet', {'scale': 1, 'growth': 32}, 'ESRGAN'),
    ('srvgg.SRVGGNetCompact', {'scale': 4}, 'Compact'),
    ('srvgg.SRVGGNetCompact', {'scale': 1}, 'Compact'),
  ],
)
def test_spandrel_makes_the_same_of_published_weights(
  tmp_path, name, overrides, architecture
):
  loader = spandrel_library.load().ModelLoader()
  model, params, _ = made(name, **overrides)
  path = str(tmp_path / 'w.safetensors')
  published.save(path, model, params)
  theirs = loader.load_from_file(path)
  assert theirs.architecture.id == architecture
  assert theirs.scale == overrides['scale']
  # Not its own call, which clips to [0, 1].
  ours, y = outputs(name, (16, 12), theirs.model.eval(), **overrides)
  assert np.abs(ours).max() > 0.5
  assert np.abs(ours - y).max() < 1e-4


def test_msrresnet_is_that_of_torch():
  # Written out here, for spandrel does not know it.
  torch = pytest.importorskip('torch', reason='needs torch')
  tensors = {
    k: torch.tensor(v) for k, v in made('srresnet.MSRResNet')[2].items()
  }
  functional = torch.nn.functional
  conv = lambda name, y: functional.conv2d(
    y, tensors[f'{name}.weight'], tensors[f'{name}.bias'], padding=1
  )
  lrelu = lambda y: functional.leaky_relu(y, 0.1)

  def theirs(x):
    y = lrelu(conv('conv_first', x))
    for i in range(2):
      y = y + conv(f'body.{i}.conv2', conv(f'body.{i}.conv1', y).relu())
    for name in ('upconv1', 'upconv2'):
      y = lrelu(functional.pixel_shuffle(conv(name, y), 2))
    return conv('conv_last', lrelu(conv('conv_hr', y))) + (
      functional.interpolate(x, scale_factor=4, mode='bilinear')
    )

  ours, y = outputs('srresnet.MSRResNet', (9, 7), theirs)
  assert np.abs(ours).max() > 0.5
  assert np.abs(ours - y).max() < 1e-4


@pytest.mark.parametrize(
  'path, parameters, least, most',
  [
    # A GAN's: true to the picture, with texture of its own.
    ('realesr-general-x4v3.npz', 1_213_296, 24, 32),
    # Of a challenge, for fidelity: bicubic has 28.22 dB here.
    ('ntire2026_esr/team00_SPAN.pth', 150_688, 31.5, 33),
    ('ntire2026_esr/team16_PKDSR.pth', 143_928, 31.5, 33),
    ('ntire2026_esr/team22_spanv2_c2.pth', 139_104, 31.5, 33),
  ],
)
def test_published_weights_upsample(path, parameters, least, most):
  path = shared(f'weights/{path}')
  model, params = published.recognise(tensor_files.read(str(path)))
  assert sum(x.size for x in jax.tree.leaves(params)) == parameters
  small = sorted(shared('benchmarks/Set5').glob('*LR.png'))[1]
  image, target = (
    decode.decode(p.read_bytes())
    for p in (small, small.with_name(small.name.replace('_LR', '_HR')))
  )
  y = jax.jit(built(model).apply)(
    {'params': params}, image[None] / np.float32(255)
  )
  y = np.rint(np.clip(y, 0, 1) * 255).astype(np.uint8)
  assert least < metrics.psnr_rgb(y, target[None], crop=4)[0] < most


def test_what_another_network_of_the_challenge_is_is_not_guessed():
  path = shared('weights/ntire2026_esr/team09_RFDN_SPAN.pth')
  with pytest.raises(ValueError, match='team09.*unknown architecture'):
    published.recognise(tensor_files.read(str(path)), str(path))
