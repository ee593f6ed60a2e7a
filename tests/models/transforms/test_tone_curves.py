"""Curves of a thumbnail: size, start, bounds, sizes of pictures, grey."""

from conftest import random_params
import jax
import numpy as np
import pytest

from artjax.interop import safetensors_io
from artjax.models.transforms import tone_curves
from artjax.tasks import tone

MODEL = tone_curves.ToneCurves()


def _run(params, x):
  return np.asarray(jax.jit(MODEL.apply)(safetensors_io.variables(params), x))


@pytest.fixture(scope='module')
def params():
  return random_params(MODEL, 0.1)


def test_number_of_parameters_and_start():
  x = np.random.default_rng(0).random((2, 40, 30, 3), np.float32)
  start = jax.jit(MODEL.init)(jax.random.key(0), x)
  assert sum(a.size for a in jax.tree.leaves(start)) == 175_426
  y = jax.jit(MODEL.apply)(start, x)
  assert y.shape == (2, 1, 1, tone.parameters(8))
  np.testing.assert_array_equal(y, 0)


def test_bounds_hold_whatever_the_weights(params):
  huge = jax.tree.map(lambda a: 100 * a, params)
  x = np.random.default_rng(1).random((2, 32, 32, 3), np.float32)
  y = _run(huge, x)
  assert np.abs(y[..., :3]).max() <= tone_curves.BLACK
  assert np.abs(y[..., 3:-6]).max() <= tone_curves.SLOPE
  assert np.abs(y[..., -6:]).max() <= tone_curves.MIX


def test_grey_gets_one_curve_and_no_mixing(params):
  x = np.random.default_rng(2).random((1, 48, 32, 1), np.float32)
  y = _run(params, np.repeat(x, 3, -1))[0, 0, 0]
  curves = y[:-6].reshape(-1, 3)
  assert np.abs(curves).max() > 0
  np.testing.assert_array_equal(np.ptp(curves, axis=-1), 0)
  np.testing.assert_array_equal(y[-6:], 0)


def test_colour_comes_in_gradually():
  grey = np.full((3, 8, 8, 3), 0.5, np.float32)
  grey[..., 0] += np.float32([0.005, 0.025, 0.1])[:, None, None]
  np.testing.assert_allclose(
    tone_curves.colourfulness(grey), [0, 0.5, 1], atol=1e-5
  )


def test_size_of_the_thumbnail_hardly_matters():
  rng = np.random.default_rng(3)
  small = rng.random((1, 24, 32, 3), np.float32)
  large = small.repeat(4, 1).repeat(4, 2)
  np.testing.assert_allclose(
    tone_curves.statistics(small), tone_curves.statistics(large), atol=1e-5
  )
