"""SkipNet: published counts, any size, every weight and every skip at work."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from artjax.models import skip

TINY = skip.SkipNet(features=6, scales=2)
apply = jax.jit(lambda params, x: TINY.apply({'params': params}, x))


def noise(h, w, channels=32):
  return np.random.default_rng(0).random([1, h, w, channels], np.float32)


@pytest.fixture(scope='module')
def params():
  key = jax.random.key(0, impl='rbg')
  return jax.jit(TINY.init)(key, noise(8, 8))['params']


@pytest.mark.parametrize(
  'channels, parameters', [(1, 2_217_573), (3, 2_217_831)]
)
def test_published_parameter_counts(channels, parameters):
  shapes = jax.eval_shape(
    skip.SkipNet(out_channels=channels).init, jax.random.key(0), noise(64, 64)
  )
  assert sum(x.size for x in jax.tree.leaves(shapes)) == parameters


def test_gradient_to_every_parameter(params):
  loss = lambda p: (apply(p, noise(16, 16)) ** 2).mean()
  gradient = jax.jit(jax.grad(loss))(params)
  for path, value in jax.tree.leaves_with_path(gradient):
    name = jax.tree_util.keystr(path)
    if name.endswith("['conv']['bias']") or 'join' in name and 'bias' in name:
      continue  # a constant, which the next normalisation takes away
    assert np.abs(value).max() > 1e-8, name


@pytest.mark.parametrize('h, w', [(1, 1), (7, 13)])
def test_any_size(params, h, w):
  y = apply(params, noise(h, w))
  assert y.shape == (1, h, w, 3) and y.dtype == jnp.float32
  assert 0 < y.min() and y.max() < 1


def test_every_skip_changes_the_output(params):
  x = noise(16, 16)
  y = apply(params, x)
  for i in range(TINY.scales):
    cut = jax.tree.map(lambda p: p, params)
    # Nothing but a constant comes out of it.
    cut[f'skip{i}']['norm']['scale'] = jnp.zeros(4)
    assert np.abs(apply(cut, x) - y).max() > 1e-3, i


def test_statistics_are_of_each_picture_alone(params):
  x = noise(16, 16)
  both = apply(params, np.concatenate([x, 3 * x[:, ::-1]]))
  alone = apply(params, x)
  np.testing.assert_allclose(both[:1], alone, atol=1e-5)
