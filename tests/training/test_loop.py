"""Training end to end on a tiny model: resume, stop, divergence, records."""

import json
import os
import signal
import subprocess
import sys
import time

from conftest import environment
from conftest import random_params
from conftest import ROOT
from conftest import smallest_config
from conftest import tiny_config
import jax
import numpy as np
import pytest

from artjax import registry
from artjax import train
from artjax.inference import network
from artjax.interop import safetensors_io
from artjax.training import checkpoint
from artjax.training import loop

# What `python -m artjax.main` does, without what takes seconds to import.
LIGHT = "import sys; sys.modules['tensorflow'] = sys.modules['clu'] = None"
COMMAND = [
  sys.executable,
  '-c',
  f'{LIGHT}; from artjax import main; main.run()',
  '--config=configs/unet.py:plain_quick',
  '--config.model.args.features=(4,)',
  '--config.model.args.blocks=(1,)',
  '--config.model.args.context_size=0',
  '--config.data.loader=threads',
  '--config.batch_size=2',
  '--config.losses.ssim=0.0',
  '--config.eval_every=0',
  '--config.log_every=1',
  '--config.steps=100000',
  '--config.checkpoint_every=100000',
]


def start(workdir):
  return subprocess.Popen(
    [*COMMAND, f'--workdir={workdir}'],
    cwd=ROOT,
    env=environment(devices=1),
    stdout=subprocess.PIPE,
    stderr=subprocess.PIPE,
    text=True,
  )


def last_line(process):
  out, err = process.communicate(timeout=240)
  assert process.returncode == 0, err[-2000:]
  return json.loads(out.splitlines()[-1])


def test_trains_measures_and_records(tmp_path):
  result = loop.train_and_evaluate(smallest_config().lock(), str(tmp_path))
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
  again = loop.train_and_evaluate(smallest_config().lock(), str(tmp_path))
  assert again['params_sha256'] == result['params_sha256']
  config, params, step = checkpoint.load_generator(tmp_path)
  assert step in (2, 4) and config.model.args.features == 4
  assert all(np.isfinite(x).all() for x in jax.tree.leaves(params))


# Kills itself in the middle of a step, once there is a checkpoint.
KILLED = """
import os, pathlib, signal, sys, time
sys.path[:0] = ['tests', 'tests/training']
import test_loop
from artjax.training import loop
saved = pathlib.Path(sys.argv[1], 'checkpoints', '10')
report = loop.report
def kill(writer, step, *args):
  report(writer, step, *args)
  if step == 14:
    deadline = time.time() + 60
    while not saved.exists() and time.time() < deadline:
      time.sleep(0.01)
    os.kill(os.getpid(), signal.SIGKILL)
loop.report = kill
loop.train_and_evaluate(test_loop.long_run(), sys.argv[1])
"""


def long_run():
  """Twenty steps, one checkpoint in their middle."""
  return smallest_config(steps=20, eval_every=0, checkpoint_every=10)


def test_killed_and_resumed_equals_unbroken(tmp_path):
  unbroken = loop.train_and_evaluate(long_run(), str(tmp_path / 'a'))
  assert unbroken['step'] == 20
  broken = subprocess.run(
    [sys.executable, '-c', LIGHT + KILLED, str(tmp_path / 'b')],
    cwd=ROOT,
    capture_output=True,
    text=True,
    timeout=240,
  )
  assert broken.returncode == -signal.SIGKILL, broken.stderr[-2000:]
  saved = checkpoint.Checkpoints(tmp_path / 'b')
  assert saved.latest_step() == 10
  saved.close()
  resumed = loop.train_and_evaluate(long_run(), str(tmp_path / 'b'))
  assert resumed['params_sha256'] == unbroken['params_sha256']
  assert resumed['step'] == 20


def test_sigterm_saves_and_ends_cleanly(tmp_path):
  process = start(tmp_path)
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
  config = smallest_config(checkpoint_every=100, eval_every=0)
  result = loop.train_and_evaluate(config.lock(), str(tmp_path))
  assert result['stopped'] == 'SIGTERM' and result['step'] == 2
  assert checkpoint.Checkpoints(tmp_path).latest_step() == 2


def test_divergence_stops_and_names_the_last_good_checkpoint(tmp_path):
  config = smallest_config(
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


class Figures:
  """Results of an evaluation that takes no time."""

  def figures(self):
    return {'psnr_rgb': 30.0}

  def as_json(self):
    return {'output': self.figures()}


def test_what_was_evaluated_is_saved_so_that_the_best_is_there(
  tmp_path, monkeypatch
):
  def measure(*args):
    # What ends the process now loses nothing.
    deadline = time.time() + 60
    while not (tmp_path / 'checkpoints' / str(args[4])).exists():
      assert time.time() < deadline
      time.sleep(0.01)
    return Figures()

  monkeypatch.setattr(loop, 'measure', measure)
  called = []
  train(
    smallest_config(checkpoint_every=100, eval_every=3),
    str(tmp_path),
    on_step=lambda step, metrics: called.append((step, float(metrics['loss']))),
    on_eval=lambda step, results: called.append((step, results.figures())),
  )
  assert [step for step, _ in called] == [1, 2, 3, 3, 4, 4]
  assert all(loss > 0 for _, loss in called[:3])
  assert called[3] == (3, {'psnr_rgb': 30.0})
  saved = checkpoint.Checkpoints(tmp_path, keep=2)
  assert saved.best_step() == 4  # the later one of two that are equal
  saved.close()
  assert {p.name for p in (tmp_path / 'checkpoints').iterdir()} == {'3', '4'}


def test_an_evaluation_that_cannot_be_made_is_found_before_the_first_step(
  tmp_path, monkeypatch
):
  monkeypatch.setattr(network.Restorer, 'turns', False)
  steps = []
  with pytest.raises(ValueError, match='eval.self_ensemble'):
    train(
      smallest_config(**{'eval.self_ensemble': True}),
      str(tmp_path),
      on_step=lambda step, metrics: steps.append(step),
    )
  assert not steps


def test_an_evaluation_that_fails_loses_no_steps(tmp_path, monkeypatch):
  def fail(*args):
    raise OSError('the disk of the pictures is gone')

  monkeypatch.setattr(loop, 'measure', fail)
  config = smallest_config(checkpoint_every=100)
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
  config = smallest_config(checkpoint_every=100)
  result = loop.train_and_evaluate(config, str(tmp_path))
  assert result['stopped'] == 'SIGINT' and result['step'] == 2
  saved = checkpoint.Checkpoints(tmp_path)
  assert saved.latest_step() == 2
  saved.close()


def test_an_evaluation_that_was_broken_off_is_done_once(tmp_path, monkeypatch):
  measured, called = [], []

  def broken_off(*args):
    measured.append(args[4])
    for _ in range(2):
      os.kill(os.getpid(), signal.SIGINT)

  def whole(*args):
    measured.append(args[4])
    return Figures()

  def go_on(steps, measure):
    monkeypatch.setattr(loop, 'measure', measure)
    return loop.train_and_evaluate(
      smallest_config(steps=steps, checkpoint_every=1),
      str(tmp_path),
      on_eval=lambda step, _: called.append(step),
    )

  go_on(3, broken_off)
  assert measured == [2] and called == []
  assert go_on(3, whole)['eval']['output'] == {'psnr_rgb': 30.0}
  assert measured == [2, 2, 3] and called == [2, 3]
  # All is done, and step 3 of a longer run is none that is to be evaluated.
  assert go_on(3, whole)['eval'] is None
  go_on(4, whole)
  assert measured == [2, 2, 3, 4] and called == [2, 3, 4]


def test_a_figure_without_a_value_is_not_measured_again(tmp_path, monkeypatch):
  nothing = Figures()
  nothing.figures = lambda: {'psnr_rgb': float('nan')}
  measured = []
  monkeypatch.setattr(
    loop, 'measure', lambda *args: measured.append(args[4]) or nothing
  )
  for _ in range(2):
    loop.train_and_evaluate(smallest_config(steps=2), str(tmp_path))
  assert measured == [2]
  saved = checkpoint.Checkpoints(tmp_path)
  assert saved.best_step() is None
  saved.close()


def test_start_weights_are_not_needed_to_go_on(tmp_path):
  start, run = tmp_path / 'start.safetensors', str(tmp_path / 'run')
  config = smallest_config(eval_every=0, steps=1)
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
  first = loop.train_and_evaluate(
    smallest_config(eval_every=0), str(tmp_path / 'a')
  )
  config = smallest_config(
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
  for a, b in zip(jax.tree.leaves(averaged), jax.tree.leaves(started)):
    np.testing.assert_allclose(a, b, atol=1e-6)
  assert first['params_sha256'] != second['params_sha256']


def test_tensors_start_from_the_first_run_that_has_them(tmp_path):
  part = tiny_config(**{'model.args.features': (), 'model.args.blocks': ()})
  paths, held = [], []
  for i, config in enumerate((part, tiny_config())):
    held.append(random_params(registry.model(config), 0.1 + i))
    paths.append(str(tmp_path / f'{i}.safetensors'))
    safetensors_io.save(paths[-1], held[-1], config)
  fresh = random_params(registry.model(tiny_config()), 0.3)
  fresh['new'] = {'kernel': np.ones([2, 2], np.float32)}
  start = loop.start_weights(','.join(paths), fresh)
  for i, tensor in enumerate((('context', 'dense1'), ('stem_in',))):
    have, want = start, held[i]
    for name in (*tensor, 'kernel'):
      have, want = have[name], want[name]
    np.testing.assert_array_equal(have, want)
  np.testing.assert_array_equal(start['new']['kernel'], np.ones([2, 2]))
  with pytest.raises(ValueError, match='1.safetensors has no tensor that fits'):
    loop.start_weights(paths[1], {'new': np.ones([2, 2], np.float32)})


def test_another_models_workdir_is_refused(tmp_path):
  config = smallest_config(steps=2, eval_every=0)
  loop.train_and_evaluate(config, str(tmp_path))
  config.model.args.features = 8
  with pytest.raises(ValueError, match='made with another model'):
    loop.train_and_evaluate(config, str(tmp_path))


def test_without_tensorflow_and_clu_a_step_is_taken(tmp_path):
  code = (
    'import sys\n'
    'for name in ("tensorflow", "clu", "tensorflow_datasets"):\n'
    '  sys.modules[name] = None\n'  # What a missing package does.
    'sys.path.insert(0, "tests")\n'
    'from conftest import smallest_config\n'
    'from artjax.training import loop\n'
    'config = smallest_config(steps=2)\n'
    f'print(loop.train_and_evaluate(config, {str(tmp_path)!r})["step"])'
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
