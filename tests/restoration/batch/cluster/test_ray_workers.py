"""`artjax restore --runner=ray` on a cluster of this machine."""

import json
import os
import subprocess
import sys

from conftest import ROOT
import faulty_actor
import numpy as np
from PIL import Image
import pytest
from restore_command import listed

from artjax.restoration import options
from artjax.restoration.batch import arguments
from artjax.restoration.batch import finding
from artjax.restoration.batch.cluster import ray_workers


@pytest.mark.parametrize(
  'args, message',
  [
    (['--workers=2'], '--workers needs --runner=ray'),
    (['--address=auto'], '--address needs --runner=ray'),
    (['--num_gpus=0'], '--num_gpus needs --runner=ray'),
    (['--runner=ray'], "Ray is not installed: 'artjax[ray]' has it"),
  ],
)
def test_wrong_use_is_one_line(capsys, monkeypatch, args, message):
  monkeypatch.setattr(arguments.importlib.util, 'find_spec', lambda name: None)
  with pytest.raises(SystemExit) as end:
    arguments.parse(['in', '-o', 'out', *args])
  assert end.value.code == 2
  assert message in capsys.readouterr().err.splitlines()[-1]


@pytest.mark.parametrize(
  'args, message',
  [
    (['--workers=0'], '--workers=0 is less than 1'),
    (['--num_gpus=-1'], '--num_gpus=-1 is less than 0'),
  ],
)
def test_wrong_numbers_are_one_line(capsys, monkeypatch, args, message):
  monkeypatch.setattr(arguments.importlib.util, 'find_spec', lambda name: name)
  with pytest.raises(SystemExit):
    arguments.parse(['in', '-o', 'out', '--runner=ray', *args])
  assert message in capsys.readouterr().err.splitlines()[-1]


def test_an_actor_that_cannot_work_says_why(tmp_path, monkeypatch):
  monkeypatch.chdir(tmp_path)
  item = finding.Item('a.png', 'a.png')

  def result(weights, settings, folder=tmp_path):
    job = ray_workers.Job(weights, options.Options(), '', settings, str(folder))
    return ray_workers.Actor(job).restore(item, '')

  for found, why in [
    (result('none', ''), 'none'),
    (result('tone', 'others'), 'its weights or its version of artjax are'),
    (result('tone', '', tmp_path / 'gone'), 'gone'),
  ]:
    assert found.how == 'failed' and 'cannot work: ' in found.stop
    assert why in found.stop and found.stop in found.reason


def test_pictures_are_restored_by_two_actors(tmp_path):
  pytest.importorskip('ray', reason="needs the extra ray: 'artjax[ray]'")
  for i, name in enumerate(['a', 'b', 'kill', 'c', 'd']):
    (tmp_path / 'in').mkdir(exist_ok=True)
    Image.fromarray(np.full([8, 8, 3], i, np.uint8)).save(
      tmp_path / 'in' / f'{name}.png'
    )
  done = subprocess.run(
    [
      *(sys.executable, '-c', faulty_actor.COMMAND, 'Copies'),
      *('in', '--output=out', '--runner=ray', '--workers=2'),
    ],
    env=os.environ
    | {'PYTHONPATH': os.pathsep.join([str(ROOT / 'tests'), str(ROOT)])},
    cwd=tmp_path,
    capture_output=True,
    text=True,
  )
  assert done.returncode == 1, done.stderr
  result = json.loads(done.stdout.splitlines()[-1])
  assert (result['done'], result['failed']) == (4, 1)
  assert 'in/kill.png: the worker that restored it ended, 2 times' in (
    done.stderr
  )
  names = [f'{name}.png' for name in 'abcd']
  assert listed(tmp_path / 'out') == [*names, 'restore.jsonl']
  for name in names:
    wanted = (tmp_path / 'in' / name).read_bytes()
    assert (tmp_path / 'out' / name).read_bytes() == wanted
