"""The loss of what a network says of its own errors."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from artjax import losses
from artjax.losses import uncertainty


def pair(error):
  target = np.full([2, 4, 5, 3], 0.5, np.float32)
  pred = target.copy()
  pred[0, ..., 1] += error  # the largest of the channels
  pred[0, ..., 0] -= error / 2
  return pred, target


def scale(b):
  return np.full([2, 4, 5, 1], np.log(b), np.float32)


def test_by_hand():
  pred, target = pair(0.1)
  value = uncertainty.confidence(pred, target, scale(0.05), eps=0.01)
  likelihood = lambda e: (e + 0.01) / 0.05 + np.log(2 * 0.05)
  np.testing.assert_allclose(value, [likelihood(0.1), likelihood(0)], rtol=1e-5)


def test_it_is_least_at_the_mean_error():
  rng = np.random.default_rng(0)
  target = np.full([1, 64, 64, 3], 0.5, np.float32)
  pred = target + rng.laplace(0, 0.02, [1, 64, 64, 1]).astype(np.float32)
  mean = np.abs(pred - target).mean()
  cost = lambda b: float(
    uncertainty.confidence(
      pred, target, jnp.full([1, 64, 64, 1], jnp.log(b)), eps=0.0
    )[0]
  )
  costs = [cost(mean * factor) for factor in (0.5, 0.9, 1, 1.1, 2)]
  assert np.argmin(costs) == 2
  slope = jax.grad(
    lambda s: uncertainty.confidence(pred, target, s, eps=0.0).sum()
  )(jnp.full([1, 64, 64, 1], jnp.log(mean)))
  assert abs(float(slope.sum())) < 1e-5


def test_the_picture_gets_no_gradient_and_the_scale_does():
  pred, target = pair(0.1)
  to_pred, to_scale = jax.grad(
    lambda p, s: losses.total({'confidence': 1.0}, p, target, log_scale=s)[
      0
    ].sum(),
    (0, 1),
  )(pred, scale(0.03))
  assert np.abs(to_pred).max() == 0
  assert (to_scale[0] < 0).all() and (to_scale[1] > 0).all()


def test_a_network_that_predicts_nothing_is_refused():
  pred, target = pair(0.1)
  with pytest.raises(ValueError, match='model.args.confidence=True'):
    losses.total({'confidence': 1.0}, pred, target)
  losses.total({'confidence': 0.0}, pred, target)
