"""Distances of what frozen networks see."""

import jax
import numpy as np
import pytest

from artjax import losses
from artjax.losses import feature
from artjax.models import encoders


def _pair(seed=0, shape=(2, 32, 40, 3)):
  rng = np.random.default_rng(seed)
  return (rng.random(shape, np.float32), rng.random(shape, np.float32))


@pytest.fixture(scope='module')
def alexnet():
  return losses.frozen({'lpips': 1.0}, {'lpips': {'net': 'alexnet'}})


def test_perceptual_is_the_weighted_sum_of_its_layers(alexnet):
  pred, target = _pair()

  @jax.jit
  def value(frozen):
    return [
      feature.perceptual(pred, target, frozen, net='alexnet', **options)
      for options in (
        {'layers': {'conv2': 1.0}},
        {'layers': {'relu3': 1.0}},
        {'layers': {'conv2': 0.5, 'relu3': 2.0, 'conv4': 0.0}},
        {'layers': {'conv2': 1.0}, 'distance': 'mse'},
      )
    ]

  second, third, both, squared = value(alexnet)
  np.testing.assert_allclose(both, 0.5 * second + 2 * third, rtol=1e-5)
  ours, theirs = (
    encoders.features(alexnet['alexnet'], x, ['conv2'], net='alexnet')['conv2']
    for x in (pred, target)
  )
  np.testing.assert_allclose(
    second, np.abs(ours - theirs).mean(axis=(1, 2, 3)), rtol=1e-5
  )
  np.testing.assert_allclose(
    squared, np.square(ours - theirs).mean(axis=(1, 2, 3)), rtol=1e-5
  )


def test_perceptual_default_is_vgg16():
  pred, target = _pair(shape=(1, 16, 16, 3))
  frozen = losses.frozen({'perceptual': 0.1})
  assert set(frozen) == {'vgg16'}
  value = jax.jit(feature.perceptual)(pred, target, frozen)
  names = list(feature.PERCEPTUAL_LAYERS)
  features = jax.jit(lambda params, x: encoders.features(params, x, names))
  ours, theirs = (features(frozen['vgg16'], x) for x in (pred, target))
  expected = sum(  # with the weights of Real-ESRGAN
    weight * np.abs(ours[name] - theirs[name]).mean()
    for name, weight in zip(names, (0.1, 0.1, 1, 1, 1), strict=True)
  )
  np.testing.assert_allclose(value, [expected], rtol=1e-4)


def test_perceptual_refuses(alexnet):
  pred, target = _pair()
  with pytest.raises(ValueError, match="'vgg16' is not among.*alexnet"):
    feature.perceptual(pred, target, alexnet)
  with pytest.raises(ValueError, match="no layer 'conv9'"):
    feature.perceptual(
      pred, target, alexnet, net='alexnet', layers={'conv9': 1.0}
    )
  with pytest.raises(ValueError, match="'l3'.*l1"):
    feature.perceptual(pred, target, alexnet, net='alexnet', distance='l3')
