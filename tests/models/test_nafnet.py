"""NAFNet: the paper's counts, wiring, any size."""

from conftest import random_params
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from artjax.models import nafnet

SMALL = {
  'width': 4,
  'enc_blocks': (1, 1),
  'middle_blocks': 1,
  'dec_blocks': (1, 1),
}


def moved(model):
  return random_params(model, 0.2)


def run(model, params, x):
  # A new function each time, so that nothing is kept from before a patch.
  return np.asarray(
    jax.jit(lambda *args: model.apply(*args))({'params': params}, x)
  )


def picture(h, w):
  return np.random.default_rng(1).uniform(0, 1, [1, h, w, 3]).astype(np.float32)


@pytest.mark.parametrize(
  'width, parameters', [(32, 29_159_715), (64, 115_982_915)]
)
def test_parameter_counts_of_the_paper(width, parameters):
  # 29.16 M and 115.98 M in the authors' tables.
  shapes = jax.eval_shape(
    nafnet.NAFNet(width=width).init, jax.random.key(0), picture(16, 16)
  )
  assert sum(x.size for x in jax.tree.leaves(shapes)) == parameters


def test_every_parameter_gets_a_gradient():
  model = nafnet.NAFNet(**SMALL)
  x = picture(16, 16)
  grads = jax.jit(
    jax.grad(lambda p: (model.apply({'params': p}, x) ** 2).mean())
  )(moved(model))
  for path, grad in jax.tree.leaves_with_path(grads):
    assert np.abs(grad).max() > 0, jax.tree_util.keystr(path)


@pytest.mark.parametrize('size', [(21, 35), (1, 1)])
def test_any_size(size):
  model = nafnet.NAFNet(**SMALL)
  x = picture(*size)
  y = run(model, moved(model), x)
  assert y.shape == x.shape and y.dtype == jnp.float32
  assert np.abs(y - x).max() > 1e-3


def test_every_skip_changes_the_output(monkeypatch):
  model, x = nafnet.NAFNet(**SMALL), picture(16, 16)
  params = moved(model)
  whole = run(model, params, x)
  shuffle = nafnet.layers.pixel_shuffle

  class Absorb:
    """An array that swallows what is added to it."""

    def __init__(self, array):
      self.array = array

    def __add__(self, other):
      return self.array

  for cut in range(2):
    calls = []

    def without(y, scale, cut=cut, calls=calls):
      calls.append(0)
      up = shuffle(y, scale)
      return Absorb(up) if len(calls) == cut + 1 else up

    monkeypatch.setattr(nafnet.layers, 'pixel_shuffle', without)
    changed = run(model, params, x)
    assert len(calls) == 2
    assert np.abs(changed - whole).max() > 1e-3, cut


def test_uneven_levels_are_named():
  model = nafnet.NAFNet(**{**SMALL, 'dec_blocks': (1,)})
  with pytest.raises(ValueError, match='dec_blocks'):
    model.init(jax.random.key(0), picture(16, 16))
