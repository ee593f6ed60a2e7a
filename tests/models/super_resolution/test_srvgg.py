"""SRVGGNetCompact: published counts, any size, wiring."""

from conftest import random_params
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from artjax.models.super_resolution import srvgg


def picture(h, w):
  return np.random.default_rng(0).random([1, h, w, 3], np.float32)


@pytest.mark.parametrize('convs, parameters', [(16, 621_424), (32, 1_213_296)])
def test_published_parameter_counts(convs, parameters):
  shapes = jax.eval_shape(
    srvgg.SRVGGNetCompact(convs=convs).init, jax.random.key(0), picture(8, 8)
  )
  assert sum(x.size for x in jax.tree.leaves(shapes)) == parameters


@pytest.mark.parametrize('scale', [1, 2, 4])
def test_any_size_and_every_gradient(scale):
  model = srvgg.SRVGGNetCompact(scale=scale, features=6, convs=2)
  params, x = random_params(model, 0.1), picture(7, 10)

  def loss(params):
    y = model.apply({'params': params}, x)
    return (y**2).mean(), y

  grads, y = jax.jit(jax.grad(loss, has_aux=True))(params)
  assert y.shape == (1, 7 * scale, 10 * scale, 3) and y.dtype == jnp.float32
  for path, grad in jax.tree.leaves_with_path(grads):
    assert np.abs(grad).max() > 0, jax.tree_util.keystr(path)


def test_halo_is_all_it_sees():
  model = srvgg.SRVGGNetCompact(scale=2, features=4, convs=2)
  params, x = random_params(model, 0.1), picture(24, 24)
  grad = jax.jit(
    jax.grad(lambda x: model.apply({'params': params}, x)[0, 24, 24].sum())
  )(x)
  rows = np.nonzero(np.abs(np.asarray(grad)).max((0, 2, 3)))[0]
  assert max(12 - rows.min(), rows.max() - 12) <= model.halo
