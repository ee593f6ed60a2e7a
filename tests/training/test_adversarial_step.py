"""The adversary in the training step: both players, their health, refusals."""

import functools

from conftest import tiny_config
import jax
import jax.numpy as jnp
import ml_collections
import numpy as np
import pytest

from artjax import registry
from artjax.interop import safetensors_io
from artjax.training import distributed
from artjax.training import loop
from artjax.training import optim
from artjax.training import state as states
from artjax.training import train_step


def configuration(norm='batch', **overrides):
  config = tiny_config(
    **{
      'optimizer.warmup_steps': 0,
      'steps': 100,
      'optimizer.learning_rate': 1e-3,
    }
  )
  config.model.name = 'srresnet.SRResNet'  # with batch norm
  config.model.args = ml_collections.ConfigDict({'features': 4, 'blocks': 1})
  for name in config.losses:
    config.losses[name] = 0.0
  config.losses.l1 = 1.0
  config.adversary.name = 'patchgan.PatchGAN'
  config.adversary.args = ml_collections.ConfigDict(
    {'features': 4, 'n_layers': 1, 'norm': norm}
  )
  config.adversary.size = 32
  config.adversary.weight = 0.1
  config.adversary.optimizer.warmup_steps = 0
  config.update_from_flattened_dict(
    {f'adversary.{name}': value for name, value in overrides.items()}
  )
  return config


def batch(seed=0, devices=1, size=4):
  rng = np.random.default_rng(seed)
  target = rng.integers(0, 256, [size, 32, 32, 3], dtype=np.uint8)
  cut = lambda x: x.reshape([devices, size // devices, *x.shape[1:]])
  return {'image': cut(target[:, ::4, ::4]), 'target': cut(target)}


@functools.cache
def setup(norm='batch', **overrides):
  config = configuration(norm, **overrides)
  generator, adversary = loop.players(config)
  state = jax.device_get(states.create_state(config, generator, adversary))
  return state, train_step.make_train_step(
    config, generator, adversary, optim.schedule(config.optimizer, config.steps)
  )


@functools.cache
def mapped(step, devices):
  return jax.pmap(
    step,
    axis_name=distributed.BATCH_AXIS,
    in_axes=(None, 0, None),
    out_axes=(None, None),
    devices=jax.devices()[:devices],
  )


def take(state, step, data):
  return mapped(step, data['image'].shape[0])(state, data, {})


def differ(a, b):
  return [
    bool(np.any(np.asarray(x) != y))
    for x, y in zip(jax.tree.leaves(a), jax.tree.leaves(b))
  ]


def test_both_players_and_their_statistics_move():
  state, step = setup()
  new, metrics = take(state, step, batch())
  # A second step, for the last kernel of a generator may start at zero.
  new, metrics = take(new, step, batch(1))
  assert all(differ(new.generator.params, state.generator.params))
  assert all(differ(new.discriminator.params, state.discriminator.params))
  assert all(differ(new.generator.stats, state.generator.stats))
  assert all(differ(new.discriminator.stats, state.discriminator.stats))
  for name in (
    'loss',
    'grad_norm',
    'real_logit',
    'fake_logit',
    'real_accuracy',
    'fake_accuracy',
  ):
    assert np.isfinite(metrics[f'discriminator/{name}'])
  assert {n for n in metrics if n.startswith('loss/')} == {
    'loss/l1',
    'loss/adversarial',
  }
  assert float(
    metrics['share/l1'] + metrics['share/adversarial']
  ) == pytest.approx(1)


def test_the_average_carries_the_statistics_and_restores():
  state, step = setup()
  new, _ = take(state, step, batch())
  assert safetensors_io.STATS in new.ema
  variables = safetensors_io.variables(jax.device_get(new.ema))
  model = registry.model(configuration())
  y = model.apply(variables, jnp.ones([1, 8, 8, 3]) / 2)
  assert y.shape == (1, 32, 32, 3) and np.isfinite(y).all()


def test_one_and_four_devices_agree():
  state, step = setup(loss='relativistic', feature_matching=0.1, r1=0.01)
  one = four = state
  for i in range(2):
    one, a = take(one, step, batch(i, 1))
    four, b = take(four, step, batch(i, 4))
    for name in (
      'loss',
      'grad_norm',
      'discriminator/loss',
      'discriminator/grad_norm',
    ):
      assert float(a[name]) == pytest.approx(float(b[name]), rel=2e-3), name


@pytest.mark.parametrize('player', ['generator', 'discriminator'])
def test_a_step_that_is_not_finite_changes_neither(player):
  state, step = setup()
  network = getattr(state, player)
  poisoned = state.replace(
    **{
      player: network.replace(
        params=jax.tree.map(lambda p: np.full_like(p, np.nan), network.params)
      )
    }
  )
  new, metrics = take(poisoned, step, batch())
  assert float(metrics['skipped']) == 1 and int(new.step) == 1
  other = {'generator': 'discriminator', 'discriminator': 'generator'}[player]
  assert not any(differ(getattr(new, other), getattr(state, other)))


def test_the_discriminator_sees_real_in_place_of_the_sharpened_target():
  state, step = setup()
  data = batch()
  _, plain = take(state, step, data)
  _, other = take(state, step, {**data, 'real': data['target'] // 2})
  assert float(plain['loss/l1']) == float(other['loss/l1'])
  assert float(plain['discriminator/real_logit']) != float(
    other['discriminator/real_logit']
  )


def test_a_conditional_discriminator_sees_the_input_too():
  config = configuration('none', condition=True)
  config.model.name = 'srvgg.SRVGGNetCompact'
  config.model.args = ml_collections.ConfigDict(
    {'features': 4, 'convs': 1, 'scale': 1}
  )
  generator, adversary = loop.players(config)
  state = states.create_state(config, generator, adversary)
  assert state.discriminator.params['conv0']['kernel'].shape[2] == 6
  step = train_step.make_train_step(config, generator, adversary, lambda i: 0.0)
  data = batch()
  data['image'] = data['target'] // 2
  _, first = take(state, step, data)
  data['image'] = data['target'] // 3
  _, second = take(state, step, data)
  assert float(first['discriminator/real_logit']) != float(
    second['discriminator/real_logit']
  )


def test_an_unknown_loss_or_discriminator_is_named():
  config = configuration(loss='wasserstein')
  with pytest.raises(ValueError, match='wasserstein.*hinge'):
    train_step.make_train_step(config, *loop.players(config), None)
  config.adversary.name = 'patchgan.PatchGun'
  with pytest.raises(ValueError, match='PatchGAN'):
    loop.players(config)


def test_a_batch_in_parts_is_refused():
  config = configuration()
  config.accumulate = 2
  with pytest.raises(ValueError, match='accumulate=2.*with an adversary'):
    train_step.make_train_step(config, *loop.players(config), None)
