"""The training step: what it computes, averages, skips and keeps."""

import functools

from conftest import tiny_config
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from artjax import registry
from artjax.training import distributed
from artjax.training import optim
from artjax.training import state as states
from artjax.training import train_step


def batch(seed=0, devices=1, size=8):
  rng = np.random.default_rng(seed)
  target = rng.integers(0, 256, [size, 16, 16, 3], dtype=np.uint8)
  image = (target * 0.7).astype(np.uint8)
  shape = [devices, size // devices, 16, 16, 3]
  return {
    'image': image.reshape(shape),
    'target': target.reshape(shape),
    'context': np.full([*shape[:2], 8, 8, 3], 200, np.uint8),
  }


def player(config):
  return states.Player(
    registry.model(config), optim.optimizer(config.optimizer, config.steps)
  )


@functools.cache
def setup(**overrides):
  config = tiny_config(**{'optimizer.warmup_steps': 0, 'steps': 100})
  model = registry.model(config)
  generator = player(config)
  state = jax.device_get(states.create_state(config, generator))
  step = train_step.make_train_step(
    config, generator, None, optim.schedule(config.optimizer, config.steps)
  )
  return config, model, state, step


def on_one_device(step):
  return jax.pmap(
    step,
    axis_name=distributed.BATCH_AXIS,
    in_axes=(None, 0, None),
    out_axes=(None, None),
    devices=jax.devices()[:1],
  )


@functools.cache
def mapped():
  """The step on one device; compiled once for all tests."""
  return on_one_device(setup()[3])


@functools.cache
def on_all_devices():
  """The same as training maps it."""
  return distributed.map_step(setup()[3])


def test_loss_falls_and_everything_moves():
  _, _, state, _ = setup()
  step = mapped()
  first = None
  new = state
  for _ in range(30):
    new, metrics = step(new, batch(), {})
    first = first or float(metrics['loss'])
  assert float(metrics['loss']) < 0.7 * first
  assert int(new.step) == 30
  for path, old in jax.tree.leaves_with_path(state.generator.params):
    now = dict(jax.tree.leaves_with_path(new.generator.params))[path]
    assert np.abs(np.asarray(now) - old).max() > 0, path


def test_one_and_four_devices_agree():
  _, _, state, _ = setup()
  one, four = state, distributed.replicate(state)
  for i in range(3):
    one, a = mapped()(one, batch(i, 1), {})
    four, b = on_all_devices()(four, batch(i, 4), {})
    assert float(a['loss']) == pytest.approx(float(b['loss']), abs=1e-5)
    assert float(a['grad_norm']) == pytest.approx(
      float(b['grad_norm']), rel=1e-3
    )


def test_a_batch_in_parts_is_the_same_step():
  _, _, state, _ = setup()
  config = tiny_config(
    **{'optimizer.warmup_steps': 0, 'steps': 100, 'accumulate': 2}
  )
  step = train_step.make_train_step(
    config, player(config), None, optim.schedule(config.optimizer, config.steps)
  )
  whole, a = mapped()(state, batch(), {})
  parts, b = on_one_device(step)(state, batch(), {})
  for name in a:
    assert float(a[name]) == pytest.approx(float(b[name]), rel=1e-5), name
  # First steps of Adam are signs: the gradient is compared where it is kept.
  for ours, theirs in zip(
    jax.tree.leaves(parts.generator.opt_state),
    jax.tree.leaves(whole.generator.opt_state),
  ):
    np.testing.assert_allclose(ours, theirs, rtol=1e-4, atol=1e-6)


def test_parallel_map_step_runs_twice_on_all_devices_with_donation():
  old = distributed.replicate(setup()[2])
  new = old
  for i in range(2):
    new, metrics = on_all_devices()(new, batch(i, jax.local_device_count()), {})
  assert int(new.step) == 2
  assert np.isfinite(metrics['loss'])
  assert all(x.is_deleted() for x in jax.tree.leaves(old))


def test_a_step_that_is_not_finite_changes_nothing_but_its_number():
  _, _, state, _ = setup()
  poisoned = state.replace(
    generator=state.generator.replace(
      params=jax.tree.map(
        lambda p: np.full_like(p, np.nan), state.generator.params
      )
    )
  )
  new, metrics = mapped()(poisoned, batch(), {})
  assert float(metrics['skipped']) == 1.0
  assert int(new.step) == 1
  for a, b in zip(
    jax.tree.leaves((new.ema, new.generator.opt_state)),
    jax.tree.leaves((state.ema, state.generator.opt_state)),
  ):
    np.testing.assert_array_equal(a, b)
  good, metrics = mapped()(state, batch(), {})
  assert float(metrics['skipped']) == 0.0


def test_the_rate_that_is_reported_is_the_one_in_use():
  # As after 60 skipped steps: the optimizer has taken none of its own.
  config, _, state, _ = setup()
  rate = optim.schedule(config.optimizer, config.steps)
  late = state.replace(step=jnp.asarray(60, jnp.int32))
  new, metrics = mapped()(late, batch(), {})
  assert float(metrics['learning_rate']) == pytest.approx(float(rate(0)))
  _, metrics = mapped()(jax.device_get(new), batch(), {})
  assert float(metrics['learning_rate']) == pytest.approx(float(rate(1)))


def test_average_warms_up_then_follows_the_decay():
  config, _, state, _ = setup()
  new, _ = mapped()(state, batch(), {})
  # At step 0 the decay is 1 / 10, not config.ema_decay.
  for e, p, old in zip(
    jax.tree.leaves(new.ema),
    jax.tree.leaves(new.generator.params),
    jax.tree.leaves(state.ema),
  ):
    np.testing.assert_allclose(e, 0.1 * old + 0.9 * p, atol=1e-6)
  late = state.replace(step=jnp.asarray(10**6, jnp.int32))
  new, _ = mapped()(late, batch(), {})
  d = config.ema_decay
  for e, p, old in zip(
    jax.tree.leaves(new.ema),
    jax.tree.leaves(new.generator.params),
    jax.tree.leaves(late.ema),
  ):
    np.testing.assert_allclose(e, d * old + (1 - d) * p, atol=1e-6)


def test_the_average_is_a_copy():
  _, model, _, _ = setup()
  config = tiny_config()
  state = states.create_state(config, player(config))
  for e, p in zip(
    jax.tree.leaves(state.ema), jax.tree.leaves(state.generator.params)
  ):
    assert e.unsafe_buffer_pointer() != p.unsafe_buffer_pointer()


def test_seed_decides_the_start():
  config, model, state, _ = setup()
  other = tiny_config(seed=config.seed + 1)
  again = states.create_state(config, player(config))
  new = states.create_state(other, player(other))
  same = lambda a, b: all(
    map(np.array_equal, jax.tree.leaves(a), jax.tree.leaves(b))
  )
  assert same(again.ema, state.ema)
  assert not same(new.ema, state.ema)


def test_the_context_of_a_batch_reaches_the_model():
  # Moved a step first: the colour transform starts at zero whatever it is told.
  step = mapped()
  state, _ = step(setup()[2], batch(), {})
  losses = []
  for value in (0, 255):
    context = np.full([1, 8, 8, 8, 3], value, np.uint8)
    metrics = step(state, {**batch(), 'context': context}, {})[1]
    losses.append(float(metrics['loss']))
  assert abs(losses[0] - losses[1]) > 1e-5
