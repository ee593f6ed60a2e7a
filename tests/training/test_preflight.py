"""Mistakes that are found before the first step."""

import re
import resource

from conftest import tiny_config
import jax.numpy as jnp
import numpy as np
import pytest

from artjax.evaluation import runner
from artjax.training import preflight

# Counts, and the least that each can be.
LEAST = {
  'steps': 0,
  'batch_size': 1,
  'accumulate': 1,
  'max_bad_steps': 1,
  'log_every': 1,
  'checkpoint_every': 1,
  'keep_checkpoints': 1,
  'eval_every': 0,
  'eval.max_pictures': 0,
  'eval.training_pictures': 0,
  'eval.panels': 0,
  'eval.worst': 0,
  'eval.crop': 0,
  'optimizer.warmup_steps': 0,
}


@pytest.mark.parametrize(
  'field, value',
  [
    *((field, least - 1) for field, least in LEAST.items()),
    ('dtype', 'float61'),
    ('ema_decay', 1.0),
    ('ema_decay', -0.1),
  ],
)
def test_fields_that_would_fail_later_are_refused(field, value):
  preflight.check_fields(tiny_config())
  with pytest.raises(ValueError, match=f'^{field}='):
    preflight.check_fields(tiny_config(**{field: value}))


@pytest.mark.parametrize(
  'field, value', [*LEAST.items(), ('ema_decay', 0.0), ('dtype', 'bfloat16')]
)
def test_the_least_values_pass(field, value):
  preflight.check_fields(tiny_config(**{field: value}))


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
