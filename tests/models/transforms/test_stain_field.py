"""What undoes stains: count, nearly nothing at the start, any size, grey."""

from conftest import random_params
import jax
import numpy as np

from artjax.interop import safetensors_io
from artjax.models.transforms import stain_field

SMALL = stain_field.StainField((8, 12, 16), (1, 1, 1), axis_name=None)


def _run(params, x):
  run = jax.jit(SMALL.apply)
  return np.asarray(run(safetensors_io.variables(params), x))


def test_parameter_count():
  model = stain_field.StainField()
  x = np.zeros((1, 32, 32, 3), np.float32)
  shapes = jax.eval_shape(model.init, jax.random.key(0), x)
  count = sum(x.size for x in jax.tree.leaves(shapes['params']))
  assert f'{count:,} parameters' in stain_field.__doc__


def test_an_untrained_network_changes_hardly_anything():
  x = np.random.default_rng(0).random((1, 31, 45, 3), np.float32)
  start = jax.jit(SMALL.init)(jax.random.key(0), x)
  y = np.asarray(jax.jit(SMALL.apply)(start, x))
  assert y.shape == (1, 31, 45, 6)
  assert 0 < np.abs(y).max() < 0.5 and abs(y.mean()) < 0.05


def test_grey_gets_the_same_for_all_channels():
  params = random_params(SMALL, 0.1)
  grey = np.random.default_rng(1).random((1, 24, 32, 1), np.float32)
  y = _run(params, np.repeat(grey, 3, -1)).reshape(24, 32, 2, 3)
  assert np.abs(y).max() > 0.05
  np.testing.assert_allclose(np.ptp(y, axis=-1), 0, atol=1e-6)
  coloured = np.random.default_rng(1).random((1, 24, 32, 3), np.float32)
  assert (
    np.ptp(_run(params, coloured).reshape(24, 32, 2, 3), axis=-1).max() > 0.05
  )
