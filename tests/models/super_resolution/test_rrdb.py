"""RRDBNet: published counts, any size and scale, a trunk in a loop."""

from conftest import random_params
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from artjax.models.super_resolution import rrdb

SMALL = {'features': 8, 'growth': 4, 'blocks': 2}


def picture(h, w, seed=0):
  return np.random.default_rng(seed).random([1, h, w, 3], np.float32)


@pytest.mark.parametrize(
  'fields, parameters',
  [
    ({}, 16_697_987),
    ({'scale': 2}, 16_703_171),
    ({'scale': 1}, 16_723_907),
    ({'blocks': 6}, 4_467_779),
  ],
)
def test_published_parameter_counts(fields, parameters):
  shapes = jax.eval_shape(
    rrdb.RRDBNet(**fields).init, jax.random.key(0), picture(16, 16)
  )
  assert sum(x.size for x in jax.tree.leaves(shapes)) == parameters


@pytest.mark.parametrize('scale', [1, 2, 4])
def test_any_size_and_every_gradient(scale):
  model = rrdb.RRDBNet(scale=scale, **SMALL)
  params, x = random_params(model, 0.02), picture(9, 14)

  def loss(params):
    y = model.apply({'params': params}, x)
    return (y**2).mean(), y

  grads, y = jax.jit(jax.grad(loss, has_aux=True))(params)
  assert y.shape == (1, 9 * scale, 14 * scale, 3) and y.dtype == jnp.float32
  for path, grad in jax.tree.leaves_with_path(grads):
    # Of each block of the trunk, which are stacked along the first axis.
    blocks = grad if path[0].key == 'body' else grad[None]
    for block in blocks:
      assert np.abs(block).max() > 0, jax.tree_util.keystr(path)


def test_recomputing_changes_memory_not_numbers():
  model = rrdb.RRDBNet(**SMALL)
  params, x = random_params(model, 0.02), picture(8, 8)
  grads = [
    jax.jit(jax.grad(lambda p, m=m: (m.apply({'params': p}, x) ** 2).sum()))(
      params
    )
    for m in (model, model.clone(remat=True))
  ]
  jax.tree.map(
    lambda a, b: np.testing.assert_allclose(a, b, rtol=1e-4, atol=1e-5), *grads
  )


def test_without_the_loop_it_is_the_same_network():
  model = rrdb.RRDBNet(**SMALL)
  params, x = random_params(model, 0.02), picture(8, 8)
  loop, unrolled = (
    m.apply({'params': params}, x) for m in (model, model.clone(unroll=True))
  )
  np.testing.assert_allclose(loop, unrolled, atol=1e-5)


def test_bad_scale_is_named():
  with pytest.raises(ValueError, match='scale=3'):
    rrdb.RRDBNet(scale=3).init(jax.random.key(0), picture(8, 8))
