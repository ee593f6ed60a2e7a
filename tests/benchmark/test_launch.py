"""What a training waits for, read from runs that are made up."""

import argparse
import json
import pathlib

import pytest

from artjax.benchmark import launch

ARGS = argparse.Namespace(
  config='unet', batch=2, steps=20, override=['--config.seed=3']
)


class Run:
  """A training that takes no time: 0.5 s a step, the first report 9 s."""

  returncode = 0
  seen: list[dict] = []

  def __init__(self, command, **_):
    fields = dict(flag.lstrip('-').split('=', 1) for flag in command[3:])
    self.seen.append(fields)
    folder = pathlib.Path(fields['workdir'])
    folder.mkdir()
    lines = [{'eval/mae': 1.0}]
    every = int(fields['config.log_every'])
    for step in range(every, int(fields['config.steps']) + 1, every):
      lines.append(
        {'step': step, 'steps_per_s': 2.0 if step > every else 1 / 9}
      )
    text = ''.join(f'{json.dumps(line)}\n' for line in lines)
    (folder / 'metrics.jsonl').write_text(text)

  def poll(self):
    return None

  def communicate(self):
    pauses = {'evaluation': 3.0, 'checkpoint': 0.25}
    return f'table\n{json.dumps({"pauses_s": pauses})}\n', 'one\nlast\n'


@pytest.fixture
def run(monkeypatch):
  monkeypatch.setattr(launch.subprocess, 'Popen', Run)
  monkeypatch.setattr(Run, 'seen', [])
  return Run


def test_a_step_and_its_pauses_are_told(run):
  found = launch.speed(ARGS)
  assert found['step_s'] == 0.5
  assert (found['evaluation_s'], found['checkpoint_s']) == (3.0, 0.25)
  assert 0 <= found['cold_s'] < 5 and 0 <= found['cached_s'] < 5
  first, _, whole = run.seen
  assert first['config.eval_every'] == '0' and first['config.steps'] == '2'
  assert whole['config.eval_every'] == whole['config.checkpoint_every'] == '10'
  assert all(fields['config.seed'] == '3' for fields in run.seen)


def test_a_run_that_fails_is_one_line(run, monkeypatch):
  monkeypatch.setattr(run, 'returncode', 1)
  with pytest.raises(ValueError, match='^the run failed: last$'):
    launch.speed(ARGS)
