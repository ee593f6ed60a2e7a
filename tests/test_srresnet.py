"""MSRResNet: published count, any size, wiring."""
from conftest import random_params
import jax
import jax.numpy as jnp
import numpy as np

from artjax.models import srresnet


def picture(h, w):
  return np.random.default_rng(0).random([1, h, w, 3], np.float32)


def test_published_parameter_count():
  shapes = jax.eval_shape(srresnet.MSRResNet().init, jax.random.key(0),
                          picture(8, 8))
  assert sum(x.size for x in jax.tree.leaves(shapes)) == 1_517_571


def test_any_size_and_every_gradient():
  model = srresnet.MSRResNet(features=6, blocks=2)
  params, x = random_params(model, 0.1), picture(7, 10)

  def loss(params):
    y = model.apply({'params': params}, x)
    return (y**2).mean(), y

  grads, y = jax.jit(jax.grad(loss, has_aux=True))(params)
  assert y.shape == (1, 28, 40, 3) and y.dtype == jnp.float32
  for path, grad in jax.tree.leaves_with_path(grads):
    assert np.abs(grad).max() > 0, jax.tree_util.keystr(path)
