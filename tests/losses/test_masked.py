"""Losses of masks and of holes, by hand."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from artjax import losses
from artjax.losses import masked


def _pair(seed=0, shape=(2, 32, 40, 3)):
  rng = np.random.default_rng(seed)
  return (rng.random(shape, np.float32), rng.random(shape, np.float32))


def _masks(*values):
  """f32[B, 2, 2, 3] of one value a picture."""
  return np.float32(values).reshape(-1, 1, 1, 1) * np.ones(
    (1, 2, 2, 3), np.float32
  )


def test_bce_by_hand():
  have = jax.jit(masked.bce)(_masks(0.25, 0.25, 1.0), _masks(1, 0, 1))
  np.testing.assert_allclose(
    have, [np.log(4), np.log(4 / 3), 0], rtol=1e-6, atol=1e-7
  )
  focal = masked.bce(_masks(0.25, 0.25), _masks(1, 0), gamma=2.0)
  np.testing.assert_allclose(
    focal, [0.75**2 * np.log(4), 0.25**2 * np.log(4 / 3)], rtol=1e-6
  )


def test_bce_weighs_what_is_there():
  pred, target = _masks(0.25, 0.25), _masks(1, 0)
  have = masked.bce(pred, target, positive=3.0)
  np.testing.assert_allclose(have, [3 * np.log(4), np.log(4 / 3)], rtol=1e-6)


@pytest.mark.parametrize('gamma', [0.0, 2.0])
def test_bce_is_finite_and_leads_back_from_certainty(gamma):
  def value(logit, target):
    pred = jax.nn.sigmoid(jnp.full([1, 1, 1, 3], logit))
    return masked.bce(pred, jnp.full([1, 1, 1, 3], target), gamma=gamma)[0]

  slope = jax.jit(jax.value_and_grad(value))
  for logit in (-200.0, -80.0, -30.0, 30.0, 200.0):
    for target in (0.0, 1.0):
      assert np.all(np.isfinite(slope(logit, target))), (logit, target)
  # A network that is sure of nothing must be able to learn of damage.
  np.testing.assert_allclose(slope(-30.0, 1.0)[1], -1, rtol=1e-5)
  np.testing.assert_allclose(slope(-80.0, 1.0)[1], -1, rtol=1e-5)
  assert slope(14.0, 0.0)[1] > 0.9


def test_dice_by_hand():
  pred, target = np.zeros((2, 1, 1, 4, 3), np.float32)
  pred[..., :2, 0] = 1  # two of four, one of them rightly
  target[..., 1:3, 0] = 1
  pred[..., 0, 1] = 0.5  # nothing is there
  have = jax.jit(masked.dice)(pred, target)
  first = 1 - (0.5 + 0.01) / (1 + 0.01)
  second = 0.125 / (0.125 + 0.01)
  np.testing.assert_allclose(have, [(first + second) / 3], rtol=1e-5)


def test_dice_of_nothing_is_nothing_and_has_a_slope():
  empty = _masks(0.0)
  np.testing.assert_allclose(masked.dice(empty, empty), [0], atol=1e-7)
  slope = jax.grad(lambda p: masked.dice(p, empty)[0])(_masks(0.001))
  assert np.all(slope > 0) and np.all(np.isfinite(slope))
  np.testing.assert_allclose(
    masked.dice(_masks(1.0), _masks(1.0)), [0], atol=1e-6
  )


@pytest.mark.parametrize('name', ['bce', 'dice'])
def test_masks_refuse_what_pictures_refuse(name):
  pred, target = _pair()
  with pytest.raises(ValueError, match='differ in shape'):
    getattr(masked, name)(pred, target[:1])
  with pytest.raises(ValueError, match='target is uint8'):
    getattr(masked, name)(pred, (255 * target).astype(np.uint8))


def test_hole_l1_by_hand():
  target = np.zeros((3, 2, 2, 3), np.float32)
  pred = target + np.float32([0.5, 0.1]).reshape(1, 1, 2, 1)
  mask = np.zeros((3, 2, 2, 1), np.float32)
  mask[0, :, 0] = 1  # where it is off by 0.5; elsewhere by 0.1
  mask[1, 0, 0] = 1
  value = jax.jit(masked.hole_l1)(pred, target, mask)
  rest = (0.5 + 0.1 + 0.1) / 3
  np.testing.assert_allclose(
    value, [0.5 + 0.01, 0.5 + 0.1 * rest, 0.1 * 0.3], rtol=1e-5
  )
  all_missing = masked.hole_l1(pred, target, np.ones_like(mask))
  np.testing.assert_allclose(all_missing, 0.3, rtol=1e-5)


def test_hole_psnr_by_hand():
  target = np.zeros((3, 4, 4, 3), np.float32)
  pred = np.zeros_like(target)
  pred[:, :, 0] = 0.1  # as far below 40 dB as 20 dB are
  pred[:, :, 1] = 0.7
  mask = np.zeros((3, 4, 4, 1), np.float32)
  mask[0, :, 0] = mask[1, 1, 0] = 1
  value = jax.jit(masked.hole_psnr)(pred, target, mask)
  # Of one pixel and of a column; nothing is missing from the third.
  np.testing.assert_allclose(value, [20.0432, 20.0432, 0], rtol=1e-5)
  with pytest.raises(ValueError, match='hole_psnr needs a mask'):
    losses.total({'hole_psnr': 1.0}, pred, target)
