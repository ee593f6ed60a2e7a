"""Training end to end on a tiny model: resume, stop, divergence, records."""

import json
import os
import signal
import subprocess
import sys
import time

from conftest import ROOT
from conftest import tiny_config
import jax
import ml_collections
import numpy as np
import pytest

from artjax import registry
from artjax.interop import safetensors_io
from artjax.training import checkpoint
from artjax.training import loop

COMMAND = [
  sys.executable,
  '-m',
  'artjax.main',
  '--config=configs/unet.py:quick',
  '--config.model.args.features=(8, 16)',
  '--config.model.args.blocks=(1, 1)',
  '--config.data.loader=threads',
  '--config.batch_size=2',
  '--config.losses.ssim=0.0',
  '--config.eval_every=0',
]


def start(workdir, *more):
  environment = {**os.environ, 'XLA_FLAGS': ''}
  return subprocess.Popen(
    [*COMMAND, f'--workdir={workdir}', *more],
    cwd=ROOT,
    env=environment,
    stdout=subprocess.PIPE,
    stderr=subprocess.PIPE,
    text=True,
  )


def last_line(process):
  out, err = process.communicate(timeout=240)
  assert process.returncode == 0, err[-2000:]
  return json.loads(out.splitlines()[-1])


def test_trains_measures_and_records(tmp_path):
  result = loop.train_and_evaluate(tiny_config().lock(), str(tmp_path))
  assert result['step'] == 4 and result['stopped'] is None
  assert result['images_per_s'] > 0 and 0 <= result['data_wait'] < 1
  assert result['skipped'] == 0
  assert result['eval']['pictures'] == 2
  assert set(result['eval']['output']) == set(result['eval']['input'])
  records = [
    json.loads(line)
    for line in (tmp_path / 'metrics.jsonl').read_text().splitlines()
  ]
  trained = [r for r in records if 'loss' in r]
  assert [r['step'] for r in trained] == [2, 4]
  for name in (
    'loss/charbonnier',
    'learning_rate',
    'grad_norm',
    'steps_per_s',
    'images_per_s',
    'data_wait',
    'skipped',
  ):
    assert name in trained[0]
  assert any('eval/psnr_rgb' in r for r in records)
  assert json.loads((tmp_path / 'config.json').read_text())['steps'] == 4
  # The very same command again has nothing left to do.
  again = loop.train_and_evaluate(tiny_config().lock(), str(tmp_path))
  assert again['params_sha256'] == result['params_sha256']
  config, params, step = checkpoint.load_generator(tmp_path)
  assert step in (2, 4) and config.model.args.features == [8, 16]
  assert all(np.isfinite(x).all() for x in _leaves(params))


def _leaves(tree):
  return jax.tree.leaves(tree)


def test_killed_and_resumed_equals_unbroken(tmp_path):
  unbroken = last_line(start(tmp_path / 'a'))
  assert unbroken['step'] == 20
  process = start(tmp_path / 'b')
  folder = tmp_path / 'b' / 'checkpoints' / '10'
  deadline = time.time() + 200
  while not folder.exists() and time.time() < deadline:
    assert process.poll() is None or folder.exists()
    time.sleep(0.005)
  process.send_signal(signal.SIGKILL)
  process.communicate()
  resumed = last_line(start(tmp_path / 'b'))
  assert resumed['params_sha256'] == unbroken['params_sha256']
  assert resumed['step'] == 20


def test_sigterm_saves_and_ends_cleanly(tmp_path):
  process = start(
    tmp_path, '--config.steps=100000', '--config.checkpoint_every=100000'
  )
  deadline = time.time() + 200
  while not (tmp_path / 'metrics.jsonl').exists() and time.time() < deadline:
    time.sleep(0.05)
  process.send_signal(signal.SIGTERM)
  result = last_line(process)
  assert result['stopped'] == 'SIGTERM'
  assert 0 < result['step'] < 100000
  saved = checkpoint.Checkpoints(tmp_path)
  assert saved.latest_step() == result['step']
  saved.close()


def test_a_signal_at_the_end_of_a_step_loses_nothing(tmp_path, monkeypatch):
  report = loop.report

  def interrupted(writer, step, *args):
    report(writer, step, *args)
    os.kill(os.getpid(), signal.SIGTERM)

  monkeypatch.setattr(loop, 'report', interrupted)
  config = tiny_config()
  config.checkpoint_every, config.eval_every = 100, 0
  result = loop.train_and_evaluate(config.lock(), str(tmp_path))
  assert result['stopped'] == 'SIGTERM' and result['step'] == 2
  assert checkpoint.Checkpoints(tmp_path).latest_step() == 2


def test_divergence_stops_and_names_the_last_good_checkpoint(tmp_path):
  config = tiny_config(
    **{
      'steps': 40,
      'log_every': 4,
      'checkpoint_every': 2,
      'eval_every': 0,
      'optimizer.learning_rate': 1e30,
      'optimizer.warmup_steps': 0,
    }
  )
  with pytest.raises(loop.DivergedError) as e:
    loop.train_and_evaluate(config, str(tmp_path))
  saved = checkpoint.Checkpoints(tmp_path)
  assert f'last good checkpoint is {saved.latest_step()}' in str(e.value)
  assert 'steps in a row' in str(e.value)
  saved.close()


def smallest(**overrides):
  """A run whose step compiles in no time."""
  config = tiny_config(**{'losses.ssim': 0.0, **overrides})
  config.model.name = 'srvgg.SRVGGNetCompact'
  config.model.args = ml_collections.ConfigDict(
    {'features': 4, 'convs': 1, 'scale': 1}
  )
  return config


class Figures:
  """Results of an evaluation that takes no time."""

  def figures(self):
    return {'psnr_rgb': 30.0}

  def as_json(self):
    return {'output': self.figures()}


def test_what_was_evaluated_is_saved_so_that_the_best_is_there(
  tmp_path, monkeypatch
):
  monkeypatch.setattr(loop, 'measure', lambda *args: Figures())
  config = smallest(checkpoint_every=100, eval_every=3)
  loop.train_and_evaluate(config, str(tmp_path))
  saved = checkpoint.Checkpoints(tmp_path, keep=2)
  assert saved.best_step() == 4  # the later one of two that are equal
  saved.close()
  assert {p.name for p in (tmp_path / 'checkpoints').iterdir()} == {'3', '4'}


def test_an_evaluation_that_fails_loses_no_steps(tmp_path, monkeypatch):
  def fail(*args):
    raise OSError('the disk of the pictures is gone')

  monkeypatch.setattr(loop, 'measure', fail)
  config = smallest(checkpoint_every=100)
  with pytest.raises(OSError, match='is gone'):
    loop.train_and_evaluate(config, str(tmp_path))
  saved = checkpoint.Checkpoints(tmp_path)
  assert saved.latest_step() == 2
  saved.close()


def test_a_second_signal_ends_an_evaluation(tmp_path, monkeypatch):
  def interrupted(*args):
    for _ in range(2):
      os.kill(os.getpid(), signal.SIGINT)
    raise AssertionError('was not broken off')

  monkeypatch.setattr(loop, 'measure', interrupted)
  config = smallest(checkpoint_every=100)
  result = loop.train_and_evaluate(config, str(tmp_path))
  assert result['stopped'] == 'SIGINT' and result['step'] == 2
  saved = checkpoint.Checkpoints(tmp_path)
  assert saved.latest_step() == 2
  saved.close()


def test_start_weights_are_not_needed_to_go_on(tmp_path):
  start, run = tmp_path / 'start.safetensors', str(tmp_path / 'run')
  config = smallest(eval_every=0, steps=1)
  params = jax.tree.map(
    lambda x: np.full(x.shape, 0.01, np.float32),
    registry.variables(config)['params'],
  )
  safetensors_io.save(str(start), params, config)
  config.init_from = str(start)
  loop.train_and_evaluate(config, run)
  start.unlink()
  config.steps = 2
  assert loop.train_and_evaluate(config, run)['step'] == 2


def test_starts_from_other_weights(tmp_path):
  first = loop.train_and_evaluate(tiny_config(), str(tmp_path / 'a'))
  config = tiny_config(
    **{
      'steps': 2,
      'optimizer.learning_rate': 0.0,
      'init_from': str(tmp_path / 'a'),
      'eval_every': 0,
    }
  )
  second = loop.train_and_evaluate(config, str(tmp_path / 'b'))
  _, averaged, _ = checkpoint.load_generator(tmp_path / 'a')
  _, started, _ = checkpoint.load_generator(tmp_path / 'b')
  for a, b in zip(_leaves(averaged), _leaves(started)):
    np.testing.assert_allclose(a, b, atol=1e-6)
  assert first['params_sha256'] != second['params_sha256']


def test_tensors_start_from_the_first_run_that_has_them(tmp_path):
  colour, whole = str(tmp_path / 'colour'), str(tmp_path / 'whole')
  quick = {'steps': 2, 'eval_every': 0}
  loop.train_and_evaluate(
    tiny_config(
      **quick, **{'seed': 1, 'model.args.features': (), 'model.args.blocks': ()}
    ),
    colour,
  )
  loop.train_and_evaluate(tiny_config(**quick), whole)
  fresh = checkpoint.load_generator(whole)[1]
  fresh = {**fresh, 'new': {'kernel': np.ones([2, 2], np.float32)}}
  start = loop.start_weights(f'{colour},{whole}', fresh)
  want = checkpoint.load_generator(colour)[1]
  np.testing.assert_array_equal(
    start['context']['dense1']['kernel'], want['context']['dense1']['kernel']
  )
  np.testing.assert_array_equal(
    start['stem_in']['kernel'], fresh['stem_in']['kernel']
  )
  np.testing.assert_array_equal(start['new']['kernel'], np.ones([2, 2]))
  with pytest.raises(ValueError, match='whole has no tensor that fits'):
    loop.start_weights(whole, {'new': np.ones([2, 2], np.float32)})


def test_another_models_workdir_is_refused(tmp_path):
  loop.train_and_evaluate(tiny_config(steps=2), str(tmp_path))
  other = tiny_config(**{'steps': 2, 'model.args.features': (8, 24)})
  with pytest.raises(ValueError, match='made with another model'):
    loop.train_and_evaluate(other, str(tmp_path))


def test_without_tensorflow_and_clu_a_step_is_taken(tmp_path):
  code = (
    'import sys\n'
    'for name in ("tensorflow", "clu", "tensorflow_datasets"):\n'
    '  sys.modules[name] = None\n'  # What a missing package does.
    'sys.path.insert(0, "tests")\n'
    'from conftest import tiny_config\n'
    'from artjax.training import loop\n'
    f'print(loop.train_and_evaluate(tiny_config(steps=2), {str(tmp_path)!r})'
    '["step"])'
  )
  out = subprocess.run(
    [sys.executable, '-c', code],
    cwd=ROOT,
    text=True,
    capture_output=True,
    timeout=240,
  )
  assert out.returncode == 0, out.stderr[-2000:]
  assert out.stdout.split()[-1] == '2'
