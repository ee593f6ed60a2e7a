"""Adversarial losses: values by hand, gradients, the penalty."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from artjax.losses import adversarial

REAL = jnp.array([[2.0], [-1.0]])
FAKE = jnp.array([[0.5], [-3.0]])


def both(name):
  return [float(x) for x in adversarial.get(name)(REAL, FAKE, jnp.mean)]


def softplus(x):
  return np.log1p(np.exp(x)).mean()


def test_values_by_hand():
  real, fake = np.array(REAL), np.array(FAKE)
  assert both('vanilla') == pytest.approx(
    [softplus(-real) + softplus(fake), softplus(-fake)], rel=1e-5
  )
  assert both('least_squares') == pytest.approx(
    [0.5 * (1 + 4) / 2 + 0.5 * (0.25 + 9) / 2, 0.5 * (0.25 + 16) / 2]
  )
  # max(0, 1 - real): 0, 2; max(0, 1 + fake): 1.5, 0.
  assert both('hinge') == pytest.approx([1.0 + 0.75, 1.25])
  ours, theirs = fake - real.mean(), real - fake.mean()
  assert both('relativistic') == pytest.approx(
    [
      0.5 * (softplus(-theirs) + softplus(ours)),
      0.5 * (softplus(-ours) + softplus(theirs)),
    ],
    rel=1e-5,
  )


@pytest.mark.parametrize('name', adversarial.LOSSES)
def test_each_player_is_drawn_its_way(name):
  loss = adversarial.get(name)
  for player, sign in ((0, 1), (1, -1)):
    slope = jax.grad(lambda fake, p=player: loss(REAL, fake, jnp.mean)[p])(
      jnp.array([[0.5], [0.2]])
    )
    assert (sign * slope > 0).all()


def test_unknown_loss_names_the_known():
  with pytest.raises(ValueError, match='hinge'):
    adversarial.get('hing')


def test_feature_matching_is_zero_for_equal_and_leaves_the_real_alone():
  features = [jnp.ones([1, 2, 2, 3]), jnp.zeros([1, 1, 1, 5])]
  assert float(adversarial.feature_matching(features, features)) == 0
  more = [f + 2.0 for f in features]
  assert float(adversarial.feature_matching(features, more)) == 2
  slope = jax.grad(lambda r: adversarial.feature_matching(r, more))(features)
  assert all((s == 0).all() for s in slope)


def test_r1_is_the_squared_gradient_at_any_number_of_logits():
  pictures = jnp.ones([2, 4, 4, 3])
  one = lambda x: 3 * x.sum(axis=(1, 2, 3))[:, None]
  many = lambda x: jnp.broadcast_to(one(x)[..., None, None], [2, 5, 4, 1])
  for logits in (one, many):
    assert float(adversarial.r1_penalty(logits, pictures)) == pytest.approx(
      9 * 4 * 4 * 3
    )
