"""Features of the frozen networks."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from artjax.models import encoders


def _pair(seed=0, shape=(2, 35, 48, 3)):
  rng = np.random.default_rng(seed)
  return (rng.random(shape, np.float32), rng.random(shape, np.float32))


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
