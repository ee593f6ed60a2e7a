"""The filler: the smooth fill by itself, counts, wiring, any size."""

import functools

import jax
import numpy as np
import pytest

from artjax.models import inpaint

SMALL = {'features': (8, 12, 16), 'blocks': (1, 1), 'dilations': (1, 2)}


@functools.cache
def setup(**overrides):
  """(model, parameters away from the smooth fill that it starts as)."""
  model = inpaint.GatedUNet(**{**SMALL, **overrides})
  shapes = jax.eval_shape(model.init, jax.random.key(0), example(16, 16))
  rng = np.random.default_rng(0)
  return model, jax.tree.map(
    lambda s: rng.normal(0, 0.1, s.shape).astype(np.float32), shapes['params']
  )


@functools.cache
def start():
  """The parameters of the smooth fill."""
  return jax.jit(setup()[0].init)(jax.random.key(0), example(16, 16))['params']


def example(h, w, hole=(0.25, 0.75), seed=1):
  """f32[1, h, w, 4]: a random picture with a hole in its middle."""
  x = np.random.default_rng(seed).uniform(0, 1, [1, h, w, 4])
  x[..., 3] = 0
  low, high = hole
  x[
    :,
    int(low * h) : int(np.ceil(high * h)),
    int(low * w) : int(np.ceil(high * w)),
    3,
  ] = 1
  return x.astype(np.float32)


@functools.cache
def _jitted(model):
  return jax.jit(
    lambda params, x, context: model.apply(
      {'params': params}, x, context=context
    )
  )


def run(model, params, x, context=None):
  return np.asarray(_jitted(model)(params, x, context))


@functools.cache
def _push_pull():
  return jax.jit(inpaint.push_pull)


def fill(x, fallback=0.5):
  colour, known = x[..., :3] * (1 - x[..., 3:]), 1 - x[..., 3:]
  return [np.asarray(y) for y in _push_pull()(colour, known, fallback)]


def test_parameter_counts():
  count = lambda model: sum(
    x.size
    for x in jax.tree.leaves(
      jax.eval_shape(
        model.init, jax.random.key(0), np.zeros([1, 32, 32, 4], np.float32)
      )
    )
  )
  assert count(inpaint.GatedUNet()) == 1_529_676
  # By hand: a 3x3 convolution and two of 1x1, each with its biases.
  block = lambda f: 9 * f * f + 2 * f * f + 3 * f
  down = lambda f, g: (4 * f + 5) * g + g + g * f + f  # to the next, and back
  assert count(inpaint.GatedUNet()) == (
    2 * block(32)
    + 4 * block(64)
    + 7 * block(128)
    + down(32, 64)
    + down(64, 128)
    + 9 * 20 * 32
    + 32
    + 9 * 32 * 12
    + 12
  )


def test_fill_of_a_slope_is_the_slope():
  y, x = np.mgrid[:48, :48] / 48
  slope = np.stack([x, y, 1 - x / 2 - y / 2], -1)[None].astype(np.float32)
  hole = example(48, 48)[..., 3:]
  filled, depth = fill(np.concatenate([slope, hole], -1))
  np.testing.assert_array_equal(
    filled[hole[..., 0] == 0], slope[hole[..., 0] == 0]
  )
  # What Laplace's equation has as its solution, nearly.
  np.testing.assert_allclose(filled, slope, atol=0.06)
  assert (depth[hole == 0] == 0).all()
  assert depth.max() <= 1 and depth[0, 24, 24] > depth[0, 13, 13] > 0


def test_fill_of_one_colour_is_that_colour():
  x = np.full([1, 37, 21, 4], 0.3, np.float32)
  x[..., 3] = 1
  x[:, 3, 17, 3] = 0  # a single pixel is known
  np.testing.assert_allclose(fill(x)[0], 0.3, atol=1e-5)


@pytest.mark.parametrize('size', [(16, 16), (1, 1), (7, 1), (13, 40)])
def test_nothing_known_is_the_fallback(size):
  filled, depth = fill(np.ones([1, *size, 4], np.float32), 0.7)
  np.testing.assert_allclose(filled, 0.7, atol=1e-6)
  assert 0 < depth.min() and depth.max() <= 1


@pytest.mark.parametrize('size', [(24, 40), (31, 13), (1, 1)])
def test_any_size_and_the_fill_at_the_start(size):
  model, moved = setup()
  x = example(*size)
  y = run(model, start(), x)
  assert y.shape == (1, *size, 3) and y.dtype == np.float32
  hole = x[..., 3] > 0
  np.testing.assert_allclose(y[~hole], x[..., :3][~hole], atol=1e-6)
  assert np.abs(run(model, moved, x) - y).max() > 1e-2


def test_what_a_hole_holds_is_not_seen():
  model, moved = setup()
  x = example(24, 24)
  other = x.copy()
  other[..., :3][x[..., 3] > 0] = 9
  np.testing.assert_array_equal(run(model, moved, x), run(model, moved, other))


def test_context_is_the_colour_of_a_tile_of_nothing():
  model, _ = setup()
  nothing = np.ones([1, 24, 24, 4], np.float32)
  context = np.broadcast_to(np.float32([0.1, 0.2, 0.9]), [1, 8, 8, 3])
  np.testing.assert_allclose(run(model, start(), nothing), 0.5, atol=1e-6)
  np.testing.assert_allclose(
    run(model, start(), nothing, context),
    np.broadcast_to(context[:, :1, :1], [1, 24, 24, 3]),
    atol=1e-6,
  )


def test_every_parameter_gets_a_gradient():
  model, moved = setup()
  grads = jax.jit(
    jax.grad(
      lambda p: (model.apply({'params': p}, example(16, 24)) ** 2).mean()
    )
  )(moved)
  for path, grad in jax.tree.leaves_with_path(grads):
    assert np.abs(grad).max() > 0, jax.tree_util.keystr(path)


def test_receptive_field_is_what_it_says():
  model, moved = setup()
  # Without a hole the fill is the picture, and the residual sees only so far.
  x = example(192, 192, hole=(0, 0))

  def residual(x, params):
    y = model.apply({'params': params}, x) - x[..., :3]
    return y[0, 96, 96].sum()

  grad = np.asarray(jax.jit(jax.grad(residual))(x, moved))[..., :3]
  rows = np.nonzero(np.abs(grad).max((0, 2, 3)))[0]
  reach = max(96 - rows.min(), rows.max() - 96)
  assert reach <= model.receptive_field // 2 <= reach + model.multiple
  assert inpaint.GatedUNet().receptive_field >= 200
  assert inpaint.GatedUNet().halo <= 128


@pytest.mark.parametrize('field, value', [('blocks', (1,)), ('stem', 3)])
def test_bad_fields_are_named(field, value):
  model = inpaint.GatedUNet(**{**SMALL, field: value})
  with pytest.raises(ValueError, match=field):
    model.init(jax.random.key(0), example(16, 16))


def test_a_picture_without_a_hole_map_is_refused():
  model, moved = setup()
  with pytest.raises(ValueError, match='hole map'):
    model.apply({'params': moved}, example(16, 16)[..., :3])
