"""The detector's network: count, start, any size, what it sees."""

import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from artjax.models import detector

SMALL = {'features': (8, 12, 16), 'blocks': (1, 1, 1)}


@functools.cache
def setup():
  """(model, parameters of which no kernel is zero, compiled function)."""
  model = detector.Detector(**SMALL, axis_name=None)
  params = jax.jit(model.init)(jax.random.key(0), picture(16, 16))
  for block in params['params'].values():
    if 'conv2' in block:
      block['conv2']['kernel'] = block['conv1']['kernel'][::-1]
  return model, params, jax.jit(model.apply)


def picture(h, w, batch=1):
  return (
    np.random.default_rng(1)
    .uniform(0.2, 0.8, [batch, h, w, 3])
    .astype(np.float32)
  )


def test_parameter_count():
  model = detector.Detector()
  shapes = jax.eval_shape(model.init, jax.random.key(0), picture(32, 32))
  count = sum(x.size for x in jax.tree.leaves(shapes['params']))
  # By hand: stem, the blocks of each level (down and up) and their norms, the
  # dense layers between levels (of four pixels on the way down), and the exit.
  conv = lambda i, o: 9 * i * o + o
  levels = list(zip((48, 64, 80, 96, 112), (2, 2, 2, 2, 2)))
  blocks = sum(n * 2 * (conv(f, f) + 2 * f) for f, n in levels)
  dense = sum(
    4 * a * b + b + b * a + a
    for a, b in zip((48, 64, 80, 96), (64, 80, 96, 112))
  )
  assert count == conv(48, 48) + blocks + dense + 2 * 48 + conv(48, 12)
  assert count == 1_408_796
  assert f'{count:,} parameters' in detector.__doc__
  assert f'receptive field {model.receptive_field} px' in detector.__doc__


@pytest.mark.parametrize('size', [(24, 40), (31, 13), (1, 1)])
def test_any_size_and_damage_is_rare_at_the_start(size):
  _, params, run = setup()
  y = run(params, picture(*size))
  assert y.shape == (1, *size, 3) and y.dtype == jnp.float32
  assert abs(np.median(jax.nn.sigmoid(y)) - detector.RARE) < 0.02


def test_every_parameter_gets_a_gradient():
  model, params, _ = setup()
  grads = jax.jit(
    jax.grad(
      lambda p: (
        model.apply(params | {'params': p}, picture(16, 24)) ** 2
      ).mean()
    )
  )(params['params'])
  for path, grad in jax.tree.leaves_with_path(grads):
    assert np.abs(grad).max() > 0, jax.tree_util.keystr(path)


def test_more_blocks_go_on_where_fewer_were():
  _, trained, run = setup()
  larger = detector.Detector(SMALL['features'], (2, 1, 3), axis_name=None)
  params = jax.jit(larger.init)(jax.random.key(1), picture(16, 16))
  blocks = params['params'].keys() - trained['params'].keys()
  assert blocks == {'down0_1', 'up0_1', 'down2_1', 'down2_2'}
  params = {kind: params[kind] | trained[kind] for kind in params}
  np.testing.assert_allclose(
    jax.jit(larger.apply)(params, picture(24, 40)),
    run(trained, picture(24, 40)),
    atol=1e-4,
  )


def test_contrast_is_that_of_the_place():
  x, contrast = picture(32, 32), jax.jit(detector.local_contrast)
  whole = contrast(x)
  # A faded picture shows the same, but for what is added against noise.
  np.testing.assert_allclose(contrast(0.4 + 0.5 * x), whole, atol=0.35)
  assert 0.8 < np.std(whole) < 1.2
  flat = np.full([1, 32, 32, 3], 0.3, np.float32)
  np.testing.assert_allclose(contrast(flat), 0, atol=1e-4)
  slope = jax.jit(jax.grad(lambda x: detector.local_contrast(x).sum()))(flat)
  assert np.all(np.isfinite(slope))


def test_hats_are_what_is_narrow():
  x = np.full([1, 40, 40, 3], 0.5, np.float32)
  x[:, 20, :] = 0.2  # a dark line of a px
  x[:, :, 8:13] = 0.9  # a bright one of five
  bright3, dark3, bright7, dark7, _, _ = np.moveaxis(
    np.asarray(detector.hats(x))[0], -1, 0
  )
  np.testing.assert_allclose(dark3[20, 25], 0.3, atol=1e-6)
  np.testing.assert_allclose(bright7[5, 10], 0.4, atol=1e-6)
  np.testing.assert_allclose(
    [bright3[5, 10], dark3[5, 30], dark7[5, 10]], 0, atol=1e-6
  )


def test_receptive_field_is_what_it_says():
  model, params, _ = setup()
  x = picture(192, 192)
  grad = jax.jit(jax.grad(lambda x: model.apply(params, x)[0, 96, 96].sum()))(x)
  rows = np.nonzero(np.abs(np.asarray(grad)).max((0, 2, 3)))[0]
  reach = max(96 - rows.min(), rows.max() - 96)
  assert reach <= model.receptive_field // 2 <= reach + 2 * model.multiple


def test_a_tile_is_the_whole_within_what_it_sees():
  model, params, run = setup()
  x = picture(192, 192)
  m = model.multiple
  halo = -(-(model.receptive_field // 2) // m) * m
  assert halo < 120
  tile = run(params, x[:, m:, 2 * m :])
  np.testing.assert_allclose(
    tile[:, halo:, halo:],
    run(params, x)[:, m + halo :, 2 * m + halo :],
    atol=1e-4,
  )


def test_training_takes_the_statistics_of_the_batch():
  model, params, run = setup()
  x = picture(32, 32, batch=2)
  train = jax.jit(
    lambda v: model.apply(v, x, train=True, mutable=['batch_stats'])
  )
  y, stats = train(params)
  assert np.abs(y - run(params, x)).max() > 1e-3
  for _ in range(80):  # momentum 0.9
    _, stats = train(params | stats)
  np.testing.assert_allclose(run(params | stats, x), y, atol=0.02)


def test_levels_must_match():
  with pytest.raises(ValueError, match='blocks'):
    detector.Detector(blocks=(1,)).init(jax.random.key(0), picture(8, 8))
