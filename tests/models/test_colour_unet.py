"""The network of colours: count, shapes, start, hints that reach far."""

import jax
import numpy as np
import pytest

from artjax.models import colour_unet

TINY = colour_unet.ColourUNet(features=(8, 16), blocks=(1, 1))


def count(model):
  shapes = jax.eval_shape(
    model.init, jax.random.key(0), np.zeros([1, 64, 64, 4], np.float32)
  )
  return sum(x.size for x in jax.tree.leaves(shapes))


def test_parameters_are_as_documented():
  have = count(colour_unet.ColourUNet())
  assert f'{have:,} parameters' in colour_unet.__doc__
  assert have <= 5_000_000


@pytest.fixture(scope='module')
def tiny():
  params = jax.jit(TINY.init)(
    jax.random.key(0), np.zeros([1, 32, 32, 4], np.float32)
  )
  return params, jax.jit(TINY.apply)


@pytest.mark.parametrize('size', [(32, 32), (37, 50)])
def test_any_size_starts_as_grey(tiny, size):
  params, apply = tiny
  y = apply(params, np.ones([2, *size, 4], np.float32))
  assert y.shape == (2, *size, 2) and y.dtype == np.float32
  assert not np.asarray(y).any()


def test_every_pixel_sees_a_hint_anywhere(tiny):
  params, apply = tiny
  rng = np.random.default_rng(0)
  params = jax.tree.map(
    lambda x: x + np.float32(0.2 * rng.standard_normal(x.shape)), params
  )
  x = rng.random([1, 96, 96, 4]).astype(np.float32)
  other = x.copy()
  other[:, :4, :4, 1:] += 1
  moved = np.abs(np.asarray(apply(params, other) - apply(params, x)))
  assert moved[:, -8:, -8:].min() > 0


def test_refuses_levels_that_do_not_fit():
  model = colour_unet.ColourUNet(features=(8, 16), blocks=(1,))
  with pytest.raises(ValueError, match='must have the same length'):
    model.init(jax.random.key(0), np.zeros([1, 32, 32, 4], np.float32))
