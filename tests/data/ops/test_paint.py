"""Manners of painting: what they do, and to which pictures."""

import numpy as np
import pytest

from artjax.data.ops import paint


def example(dtype=np.uint8):
  ramp = np.linspace(60, 190, 64 * 96 * 3).reshape(64, 96, 3)
  if dtype == np.float32:
    ramp = ramp / 255
  picture = ramp.astype(dtype)
  return {'name': 'x', 'image': picture, 'target': picture}


@pytest.mark.parametrize('dtype', [np.uint8, np.float32])
def test_dabs_are_areas_of_one_colour_that_keep_the_mean(dtype):
  given = example(dtype)
  before = given['image'].copy()
  op = paint.dabs(1.0, 6.0, 6.0)
  made = op(given, np.random.default_rng(0))
  assert made['image'] is made['target']  # a manner, and no damage
  assert made['image'].dtype == dtype
  np.testing.assert_array_equal(given['image'], before)
  full = 255 if dtype == np.uint8 else 1
  change = (made['image'].astype(float) - before) / full
  assert 0.02 < change.std() < 0.2
  assert abs(change.mean()) < 0.01
  # Neighbours are mostly of one dab: their differences are few and large.
  steps = np.abs(np.diff(change, axis=0)).max(-1)
  assert np.median(steps) < 0.6 * steps.mean()


def test_a_share_of_examples_is_repainted():
  op, rng = paint.dabs(0.3), np.random.default_rng(1)
  given = example()
  made = [op(given, rng) is not given for _ in range(60)]
  assert 8 < sum(made) < 30


@pytest.mark.parametrize('op', [paint.dabs, paint.contours])
def test_masks_are_left_alone(op):
  mask = np.eye(64, 96, dtype=np.uint8)[..., None] * 255
  made = op(1.0)({**example(), 'mask': mask}, np.random.default_rng(0))
  np.testing.assert_array_equal(made['mask'], mask)


@pytest.mark.parametrize('dtype', [np.uint8, np.float32])
def test_contours_are_thin_and_lie_on_edges(dtype):
  full = 255 if dtype == np.uint8 else 1
  picture = np.full([64, 96, 3], 0.3 * full, dtype)
  picture[:, 48:] = dtype(0.7 * full)
  drawn = 0
  for seed in range(12):
    given = {'name': 'x', 'image': picture, 'target': picture}
    made = paint.contours(1.0)(given, np.random.default_rng(seed))
    assert made['image'] is made['target'] and made['image'].dtype == dtype
    change = np.abs(made['image'].astype(float) - picture).max(-1) / full
    # On the darker side of the edge, which is as far as the widest line goes.
    assert change[:, 36:48].max() > 0.05
    assert change[:, :32].max() < 0.02 and change[:, 60:].max() < 0.02
    drawn += change[:, 36:48].max() > 0.3
  assert drawn > 0


@pytest.mark.parametrize('args', [(1.2,), (0.1, 0.5), (0.1, 5.0, 4.0)])
def test_what_cannot_be_is_refused(args):
  with pytest.raises(ValueError, match='must be in|is needed'):
    paint.dabs(*args)
  with pytest.raises(ValueError, match='share must be in'):
    paint.contours(-0.1)
