"""Two processes of two devices, on this machine.

One session serves nearly all tests; the second process is killed in its end.
"""

import contextlib
import json
import shutil
import socket
import subprocess
import sys

from conftest import environment
from conftest import ROOT
from conftest import smallest_config
from conftest import tiny_config
import jax
import numpy as np
import pytest

from artjax.evaluation import runner
from artjax.training import checkpoint
from artjax.training import loop

LIMIT = 600  # s; what hangs is killed then

# Both processes join and can train; the second may send itself a signal.
JOIN = """
import itertools, json, os, signal, sys
sys.modules['tensorflow'] = sys.modules['clu'] = None  # seconds each
sys.path[:0] = ['tests', 'tests/training/hosts']
import jax
import test_two_processes as test
from artjax.evaluation import runner
from artjax.training import distributed
from artjax.training import loop
from artjax.training.hosts import joining
from artjax.training.hosts import watch
jax.config.update('jax_disable_most_optimizations', True)
index, address, folder = int(sys.argv[1]), sys.argv[2], sys.argv[3]
joining.join(address, 2, index, timeout=8)

def train(name, send=None):
  report = loop.report
  def at_third_step(writer, step, *args):
    report(writer, step, *args)
    if step == 3 and index == 1 and send:
      os.kill(os.getpid(), send)
  loop.report = at_third_step
  try:
    return loop.train_and_evaluate(test.to_train(), f'{folder}/{name}')
  finally:
    loop.report = report

def train_until_the_other_is_gone(name, send):
  try:
    train(name, send)
  except Exception as error:
    watch.leave(error, f'artjax: {error}')
"""

# What each of both does, in turn.
SESSION = """
seen, found = [], {}

def restorer(picture):
  seen.append(picture)
  return picture // 2

def evaluate(restorer):
  evaluator = runner.evaluator(test.to_evaluate())
  return runner.evaluate(evaluator, [restorer], distributed.gather)

results = evaluate(restorer)
found['evaluated'] = [
  len(seen), results.figures(), [r.name for r in results.records]]
try:
  evaluate(restorer if index else lambda picture: 1 // 0)
except (ValueError, ZeroDivisionError) as error:
  found['failed'] = str(error)

found['whole'] = train('whole')
found['stopped'] = train('stopped', signal.SIGTERM)
found['resumed'] = train('stopped')
print(json.dumps(found), flush=True)
train_until_the_other_is_gone('killed', signal.SIGKILL)
"""
HANGS = "train_until_the_other_is_gone('hung', signal.SIGSTOP)"


def to_evaluate():
  return tiny_config(
    **{'eval.max_pictures': 5, 'eval.split': 'all', 'eval.metrics': ['mae']}
  )


def to_train(**overrides):
  config = {'steps': 8, 'log_every': 1, 'eval_every': 4, 'checkpoint_every': 4}
  return smallest_config(**config, **overrides).lock()


@contextlib.contextmanager
def started(code, folder):
  """Two processes that run `code`; none of them is left in the end."""
  with socket.socket() as free:
    free.bind(('127.0.0.1', 0))
    address = f'127.0.0.1:{free.getsockname()[1]}'
  processes = [
    subprocess.Popen(
      [sys.executable, '-c', JOIN + code, str(i), address, str(folder)],
      cwd=ROOT,
      env=environment(devices=2),
      stdout=subprocess.PIPE,
      stderr=subprocess.PIPE,
      text=True,
    )
    for i in range(2)
  ]
  try:
    yield processes
  finally:
    for process in processes:
      process.kill()
      process.communicate()


@pytest.fixture(scope='module')
def session(tmp_path_factory):
  """(what each process found, exit statuses, stderrs, folder of the runs)."""
  folder = tmp_path_factory.mktemp('session')
  found, errors = [], []
  with started(SESSION, folder) as processes:
    for process in processes:
      out, err = process.communicate(timeout=LIMIT)
      lines = [line for line in out.splitlines() if line.startswith('{')]
      assert lines, err[-3000:]
      found.append(json.loads(lines[-1]))
      errors.append(err)
  return found, [p.returncode for p in processes], errors, folder


@pytest.fixture(scope='module')
def alone(session):
  """The folder of the same run by one process with four devices."""
  folder = session[3] / 'alone'
  loop.train_and_evaluate(to_train(), str(folder))
  return folder


def losses(folder):
  """{step: loss} of a run, each step once."""
  lines = (folder / 'metrics.jsonl').read_text().splitlines()
  found = [
    (r['step'], r['loss']) for r in map(json.loads, lines) if 'loss' in r
  ]
  assert len(found) == len(dict(found))
  return dict(found)


def test_an_uneven_evaluation_is_shared_and_all_have_all_of_it(session):
  alone = runner.evaluate(
    runner.evaluator(to_evaluate()), [lambda picture: picture // 2]
  )
  for found, count in zip(session[0], (3, 2)):
    seen, figures, names = found['evaluated']
    assert seen == count
    assert names == [record.name for record in alone.records]
    np.testing.assert_equal(figures, alone.figures())


def test_what_fails_in_one_process_fails_in_all(session):
  first, second = (found['failed'] for found in session[0])
  assert 'by zero' in first and second == f'process 0: {first}'


def test_a_run_is_that_of_one_process(session, alone):
  whole = session[3] / 'whole'
  ours, theirs = losses(whole), losses(alone)
  assert ours.keys() == theirs.keys() == set(range(1, 9))
  np.testing.assert_allclose([*ours.values()], [*theirs.values()], rtol=1e-5)
  same_weights(whole, alone)
  shas = {found['whole']['params_sha256'] for found in session[0]}
  assert len(shas) == 1


def same_weights(folder, other):
  """To the rounding of sums whose order depends on the processes."""
  mine, theirs = (checkpoint.load_generator(f, 8)[1] for f in (folder, other))
  for a, b in zip(jax.tree.leaves(mine), jax.tree.leaves(theirs), strict=True):
    np.testing.assert_allclose(a, b, atol=1e-6)


def test_a_signal_to_one_stops_all_at_the_same_step(session):
  for found in session[0]:
    assert found['stopped']['stopped'] == 'SIGTERM'
    assert found['stopped']['step'] == 5


def test_resumed_equals_unbroken_to_the_bit(session):
  for found in session[0]:
    assert found['resumed']['step'] == 8
    assert found['resumed']['params_sha256'] == found['whole']['params_sha256']


def test_one_process_goes_on_from_what_two_have_saved(session, alone, tmp_path):
  shutil.copytree(session[3] / 'whole', tmp_path, dirs_exist_ok=True)
  shutil.rmtree(tmp_path / 'checkpoints' / '8')
  result = loop.train_and_evaluate(to_train(), str(tmp_path))
  assert result['step'] == 8
  same_weights(tmp_path, alone)


def test_a_killed_process_ends_the_other_which_names_it(session):
  _, (first, second), errors, _ = session
  assert first == 1 and second < 0
  last = errors[0].strip().splitlines()[-1]
  assert last.startswith(f'artjax: process 1 ({socket.gethostname()}) has been')
  assert 'silent for 8 s' in last and 'last checkpoint' in last


def test_a_process_that_hangs_ends_the_other_which_names_it(tmp_path):
  with started(HANGS, tmp_path) as (first, _):
    _, err = first.communicate(timeout=LIMIT)
  assert first.returncode == 1
  last = err.strip().splitlines()[-1]
  assert last.startswith(f'artjax: process 1 ({socket.gethostname()}) has been')
  assert 'silent for 8 s' in last and 'last checkpoint' in last
