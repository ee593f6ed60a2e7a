"""ResNet encoders of torchvision: renamed, refused, started from."""

import functools

import jax
import ml_collections
import numpy as np
import pytest

from artjax import registry
from artjax.interop import safetensors_io
from artjax.interop import torchvision


@functools.cache
def resnet(depth=18):
  """Tensors with the names and shapes of torchvision's, of noise."""
  rng = np.random.default_rng(0)
  tensors = {}

  def conv(name, inputs, outputs, size):
    tensors[f'{name}.weight'] = rng.standard_normal(
      (outputs, inputs, size, size), np.float32
    )

  def norm(name, channels):
    for leaf in ('weight', 'bias', 'running_mean', 'running_var'):
      tensors[f'{name}.{leaf}'] = rng.random(channels, np.float32)
    tensors[f'{name}.num_batches_tracked'] = np.float32(3)

  conv('conv1', 3, 64, 7)
  norm('bn1', 64)
  inputs = 64
  for stage, blocks in enumerate({18: (2, 2, 2, 2), 34: (3, 4, 6, 3)}[depth]):
    outputs = 64 * 2**stage
    for i in range(blocks):
      block = f'layer{stage + 1}.{i}'
      for j, channels in ((1, inputs), (2, outputs)):
        conv(f'{block}.conv{j}', channels, outputs, 3)
        norm(f'{block}.bn{j}', outputs)
      if inputs != outputs:
        conv(f'{block}.downsample.0', inputs, outputs, 1)
        norm(f'{block}.downsample.1', outputs)
      inputs = outputs
  tensors['fc.weight'] = np.zeros([1000, 512], np.float32)
  tensors['fc.bias'] = np.zeros(1000, np.float32)
  return tensors


@pytest.mark.parametrize('depth', [18, 34])
def test_resnet_becomes_an_encoder(depth):
  tensors = resnet(depth)
  model, params = torchvision.resnet_encoder(tensors)
  assert model['args']['depth'] == depth
  encoder, stats = params['encoder'], params[safetensors_io.STATS]['encoder']
  np.testing.assert_allclose(
    encoder['conv1']['kernel'][2, 5, 0, 7],
    tensors['conv1.weight'][7, :, 2, 5].sum(),
    rtol=1e-5,
  )
  np.testing.assert_array_equal(
    encoder['layer3_1']['conv2']['kernel'][0, 2, 5, 9],
    tensors['layer3.1.conv2.weight'][9, 5, 0, 2],
  )
  np.testing.assert_array_equal(
    stats['layer2_0']['down_norm']['var'],
    tensors['layer2.0.downsample.1.running_var'],
  )
  kept = sum(
    v.size
    for n, v in tensors.items()
    if not n.startswith('fc.') and 'num_batches' not in n
  )
  assert kept - 2 * 49 * 64 == sum(
    v.size for v in safetensors_io.flatten(params).values()
  )


@pytest.mark.parametrize(
  'change, says',
  [
    ({'layer2.0.conv1.weight': None}, 'missing encoder/layer2_0/conv1'),
    ({'layer1.0.bn1.weight': np.ones(3, np.float32)}, r'has shape \(3,\)'),
    (
      {'layer1.0.conv3.weight': np.ones([64, 64, 1, 1], np.float32)},
      'not a ResNet-18 or 34',
    ),
    ({'mystery.weight': np.ones(1, np.float32)}, 'have no mystery.weight'),
    ({'bn1.bias': np.full(64, np.nan, np.float32)}, 'not finite'),
  ],
)
def test_other_resnets_are_refused(change, says):
  tensors = {**resnet(), **change}
  tensors = {n: v for n, v in tensors.items() if v is not None}
  with pytest.raises(ValueError, match=says) as error:
    torchvision.resnet_encoder(tensors, 'x.pth')
  assert str(error.value).startswith('x.pth')


def test_a_run_starts_from_the_encoder(tmp_path):
  from artjax.training import loop

  model, params = torchvision.resnet_encoder(resnet())
  config = ml_collections.ConfigDict({'task': 'sketch2image', 'model': model})
  path = str(tmp_path / 'encoder.safetensors')
  safetensors_io.save(path, params, config)
  fresh = jax.tree.map(
    lambda x: np.zeros(x.shape, np.float32),
    safetensors_io.merge(registry.variables(config, 1)),
  )
  start = loop.start_weights(path, fresh)
  np.testing.assert_array_equal(
    start['encoder']['conv1']['kernel'], params['encoder']['conv1']['kernel']
  )
  assert not start['last']['kernel'].any()
