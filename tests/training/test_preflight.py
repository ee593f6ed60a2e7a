"""Mistakes that are found before the first step."""

import re
import resource

from conftest import smallest_config
from conftest import tiny_config
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from artjax import registry
from artjax import tasks
from artjax.evaluation import metrics
from artjax.evaluation import runner
from artjax.inference import network
from artjax.training import preflight

# Counts and weights, and the least that each can be.
LEAST = {
  'seed': 0,
  'steps': 0,
  'batch_size': 1,
  'accumulate': 1,
  'max_bad_steps': 1,
  'log_every': 1,
  'checkpoint_every': 1,
  'keep_checkpoints': 1,
  'eval_every': 0,
  'losses.l1': 0.0,
  'data.min_size': 0,
  'data.workers': 0,
  'data.cache_mb': 0,
  'data.prefetch': 0,
  'adversary.size': 1,
  'adversary.r1': 0.0,
  'eval.max_pictures': 0,
  'eval.training_pictures': 0,
  'eval.min_size': 0,
  'eval.panels': 0,
  'eval.worst': 0,
  'eval.crop': 0,
  'optimizer.learning_rate': 0.0,
  'optimizer.warmup_steps': 0,
  'optimizer.weight_decay': 0.0,
  'adversary.optimizer.clip_norm': 0.0,
}


@pytest.mark.parametrize(
  'field, value',
  [
    *((field, least - 1) for field, least in LEAST.items()),
    ('dtype', 'float61'),
    ('data.loader', 'thread'),
    ('best_mode', 'most'),
    ('ema_decay', 1.0),
    ('ema_decay', -0.1),
    ('optimizer.b1', 1.0),
    ('adversary.optimizer.b2', -0.1),
    ('optimizer.final_fraction', 1.1),
    ('optimizer.decay_share', -0.1),
    ('data.validation', 2.0),
    ('eval.threshold', 1.5),
    ('optimizer.learning_rate', float('nan')),
    ('losses.ssim', float('inf')),
    ('profile_steps', '3-9'),
  ],
)
def test_fields_that_would_fail_later_are_refused(field, value):
  preflight.check_fields(tiny_config())
  with pytest.raises(ValueError, match=f'^{field}='):
    preflight.check_fields(tiny_config(**{field: value}))


@pytest.mark.parametrize(
  'field, value',
  [
    *LEAST.items(),
    ('ema_decay', 0.0),
    ('dtype', 'bfloat16'),
    ('optimizer.final_fraction', 1.0),
    ('best_mode', ''),
    ('profile_steps', '3-4'),
  ],
)
def test_the_least_values_pass(field, value):
  preflight.check_fields(tiny_config(**{field: value}))


def test_a_run_that_would_learn_nothing_is_refused():
  config = tiny_config()
  for name in config.losses:
    config.losses[name] = 0.0
  with pytest.raises(ValueError, match='all weights in losses are 0'):
    preflight.check_fields(config)
  config.adversary.weight = 0.1
  preflight.check_fields(config)
  config.adversary.weight, config.teacher.weights = 0.0, 'structure'
  preflight.check_fields(config)
  config.teacher.weight = 0.0
  with pytest.raises(ValueError, match='all weights in losses are 0'):
    preflight.check_fields(config)
  config.teacher.weight = -1.0
  with pytest.raises(ValueError, match='teacher.weight=-1.0 is less than 0'):
    preflight.check_fields(config)


def test_a_batch_that_does_not_divide_is_refused(monkeypatch):
  monkeypatch.setattr(preflight.jax, 'process_count', lambda: 3)
  with pytest.raises(ValueError, match='^batch_size=4 does not divide'):
    preflight.check_training(tiny_config(batch_size=4))


def check_network(**overrides):
  config = runner.with_best(smallest_config(**overrides))
  params = jax.tree.map(
    lambda x: np.zeros(x.shape, x.dtype), registry.variables(config)['params']
  )
  evaluator = runner.evaluator(runner.while_training(config))
  preflight.check_network(config, evaluator, params)


def test_what_it_compiles_is_that_of_the_evaluation():
  config = runner.with_best(
    smallest_config(**{'eval.max_pictures': 1, 'eval.training_skip': ()})
  )
  # Of its own, as other tests have compiled this network before.
  with config.unlocked():
    config.model.args.features = 5
  params = jax.tree.map(
    lambda x: np.zeros(x.shape, x.dtype), registry.variables(config)['params']
  )
  evaluator = runner.evaluator(runner.while_training(config))
  preflight.check_evaluation(config, evaluator)
  preflight.check_network(config, evaluator, params)
  compiled = (
    network._compiled(registry.model(config), tasks.get(config.task)),
    metrics._lpips,
  )
  counts = [run._cache_size() for run in compiled]
  restorers = runner.on_devices(config, params)
  assert len(restorers) > 1
  runner.evaluate(evaluator, restorers)
  assert [run._cache_size() for run in compiled] == counts


def test_a_network_whose_results_do_not_fit_the_targets_is_named():
  says = '^srvgg.SRVGGNetCompact cannot be evaluated .*: pred '
  with pytest.raises(ValueError, match=says):
    check_network(**{'model.args.scale': 2})


def test_a_self_ensemble_that_is_not_possible_is_said(monkeypatch):
  monkeypatch.setattr(network.Restorer, 'turns', False)
  with pytest.raises(ValueError, match='eval.self_ensemble=True'):
    check_network(**{'eval.self_ensemble': True})


def check(**overrides):
  config = runner.with_best(tiny_config(**overrides))
  preflight.check_evaluation(
    config, runner.evaluator(runner.while_training(config))
  )


def test_an_evaluation_that_works_passes():
  check()


@pytest.mark.parametrize(
  'overrides, says',
  [
    ({'eval.ops': 'fit(64)'}, r"leave no 'target'.*copy\("),
    ({'eval.ops': 'fit(64)|gausian_noise(0.5)'}, 'did you mean'),
    ({'data.validation': 0.0}, 'validation'),
  ],
)
def test_what_an_evaluation_would_fail_of_is_said(overrides, says):
  with pytest.raises(ValueError, match=says):
    check(**overrides)


@pytest.mark.parametrize('ops', ['random_crop(32)|flip', 'flip|keep("image")'])
def test_training_ops_that_leave_no_target_are_said(ops):
  preflight.check_training(tiny_config())
  with pytest.raises(ValueError, match=r"data.ops=.* leave no 'target'.*copy"):
    preflight.check_training(tiny_config(**{'data.ops': ops}))


def test_a_disk_without_room_for_a_checkpoint_is_said(tmp_path, monkeypatch):
  state = {'w': np.zeros([2**20], np.float32)}
  preflight.check_space(str(tmp_path), state)
  usage = preflight.shutil.disk_usage(tmp_path)
  monkeypatch.setattr(
    preflight.shutil, 'disk_usage', lambda path: usage._replace(free=2**20)
  )
  with pytest.raises(ValueError, match='has 1 MiB left, .* takes 4 MiB'):
    preflight.check_space(str(tmp_path), state)
  monkeypatch.setattr(
    preflight.shutil, 'disk_usage', lambda path: usage._replace(free=100)
  )
  with pytest.raises(ValueError, match='has 0 MiB left, .* takes 1 MiB'):
    preflight.check_space(str(tmp_path), {'w': np.zeros([100])})


STATE = {'step': jnp.zeros([], jnp.int32), 'w': jnp.zeros([2**18])}


def test_a_checkpoint_is_tried_and_leaves_nothing(tmp_path):
  (tmp_path / 'trial' / 'checkpoints' / '0').mkdir(parents=True)  # of a kill
  preflight.check_writing(str(tmp_path), STATE, tiny_config())
  assert not list(tmp_path.iterdir())


def test_a_folder_that_takes_no_checkpoint_is_one_line(tmp_path):
  noise = {'w': np.random.default_rng(0).random([2**16])}
  soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
  resource.setrlimit(resource.RLIMIT_FSIZE, (2**14, hard))
  try:
    with pytest.raises(ValueError) as error:
      preflight.check_writing(str(tmp_path), noise, tiny_config())
  finally:
    resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
  assert re.fullmatch(
    '--workdir=.* takes no checkpoint: .*File too large.*', str(error.value)
  )
  assert not list(tmp_path.iterdir())
