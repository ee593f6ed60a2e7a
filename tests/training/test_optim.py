"""Schedules and optimizers of a configuration."""

from conftest import tiny_config
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from artjax.training import optim


def test_schedule_warms_up_and_ends_at_its_fraction():
  config = tiny_config(
    **{
      'steps': 100,
      'optimizer.learning_rate': 0.5,
      'optimizer.warmup_steps': 10,
      'optimizer.final_fraction': 0.1,
    }
  )
  rate = optim.schedule(config.optimizer, config.steps)
  assert float(rate(0)) == 0.0
  assert float(rate(5)) == pytest.approx(0.25)
  assert float(rate(10)) == pytest.approx(0.5)
  assert float(rate(55)) == pytest.approx(0.5 * 0.55)  # middle of the cosine
  assert float(rate(100)) == pytest.approx(0.05)


def test_no_warmup_starts_at_the_peak():
  config = tiny_config(**{'optimizer.warmup_steps': 0})
  assert float(
    optim.schedule(config.optimizer, config.steps)(0)
  ) == pytest.approx(config.optimizer.learning_rate)


@pytest.mark.parametrize('name', optim.OPTIMIZERS)
def test_every_optimizer_descends(name):
  config = tiny_config(
    **{
      'optimizer.name': name,
      'optimizer.warmup_steps': 0,
      'steps': 80,
      'optimizer.learning_rate': 0.3,
    }
  )
  tx = optim.optimizer(config.optimizer, config.steps)
  params = {'w': jnp.array([[1.0, -2.0]])}
  state = tx.init(params)

  @jax.jit
  def step(params, state):
    grads = jax.grad(lambda p: (p['w'] ** 2).sum())(params)
    updates, state = tx.update(grads, state, params)
    return {'w': params['w'] + updates['w']}, state

  for _ in range(80):
    params, state = step(params, state)
  assert np.abs(params['w']).max() < 0.5


def test_steps_of_muon_are_orthogonal_and_as_large_as_adams():
  config = tiny_config(
    **{
      'optimizer.name': 'muon',
      'optimizer.warmup_steps': 0,
      'optimizer.clip_norm': 0.0,
      'optimizer.learning_rate': 1.0,
    }
  )
  tx = optim.optimizer(config.optimizer, config.steps)
  params = {'kernel': jnp.zeros([3, 3, 16, 16]), 'bias': jnp.zeros([16])}
  scales = jnp.logspace(-1, 1, 16)[None, None, None]
  gradient = {
    'kernel': scales * jax.random.normal(jax.random.key(0), [3, 3, 16, 16]),
    'bias': jnp.ones([16]),
  }
  updates, _ = tx.update(gradient, tx.init(params), params)
  singular = np.linalg.svd(updates['kernel'].reshape(144, 16), compute_uv=False)
  assert singular.max() < 2 * singular.min()  # of the gradient: 60 times
  rms = np.sqrt(np.mean(np.square(updates['kernel'])))
  assert 0.1 < rms < 0.3
  assert (np.abs(updates['bias'] + 1) < 0.6).all()  # Adam's, and Nesterov's


def test_decay_spares_biases():
  config = tiny_config(
    **{
      'optimizer.name': 'adamw',
      'optimizer.weight_decay': 0.5,
      'optimizer.warmup_steps': 0,
      'optimizer.learning_rate': 0.1,
    }
  )
  tx = optim.optimizer(config.optimizer, config.steps)
  params = {'kernel': jnp.ones([2, 2]), 'bias': jnp.ones([2])}
  zero = jax.tree.map(jnp.zeros_like, params)
  updates, _ = tx.update(zero, tx.init(params), params)
  assert (np.asarray(updates['kernel']) < 0).all()
  assert not np.asarray(updates['bias']).any()


def test_clipping_bounds_what_reaches_the_optimizer():
  config = tiny_config(
    **{'optimizer.clip_norm': 1.0, 'optimizer.warmup_steps': 0}
  )
  tx = optim.optimizer(config.optimizer, config.steps)
  params = {'w': jnp.zeros([2])}
  _, state = tx.update({'w': jnp.array([3e4, 4e4])}, tx.init(params), params)
  moment = jax.tree.leaves(state)[1]  # of Adam: (1 - b1) times the gradient
  np.testing.assert_allclose(moment, [0.06, 0.08], rtol=1e-5)


def test_refuses_what_would_be_ignored():
  with pytest.raises(ValueError, match='not one of adam'):
    optim.optimizer(tiny_config(**{'optimizer.name': 'sgd'}).optimizer, 1)
  with pytest.raises(ValueError, match='adamw'):
    optim.optimizer(tiny_config(**{'optimizer.weight_decay': 0.1}).optimizer, 1)
