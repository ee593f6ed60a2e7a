"""A picture that crashes a library has failed, and the others are restored."""

import json
import os
import signal
import subprocess
import sys
import textwrap
import time

import numpy as np
from PIL import Image
import pytest
from restore_command import FAKE_CHAIN
from restore_command import listed

from artjax.restoration import supervised
from artjax.restoration.batch import steps

# What the child runs: a restoration that copies pictures, or crashes.
CHILD = (
  FAKE_CHAIN
  + """
import os, shutil, signal, sys, time
from artjax.restoration import chain, restore_file, supervised

def restore(source, chain, outputs, *more):
  name = os.path.basename(source)
  if name.startswith(('crash', 'stdin')):
    signal.raise_signal(signal.SIGSEGV)
  more[-1].opened(1)
  while name.startswith('slow'):
    more[-1].tiles(lambda done, total: None, 0, 1)
    time.sleep(0.05)
  if name.startswith('bad'):
    raise ValueError(f'{source}: bad')
  more[-1].write()
  shutil.copyfile(source, outputs.picture)
  return {'notices': [], 'tiling': []}

chain.Chain, restore_file.restore_file = FakeChain, restore
sys.exit(supervised.main(sys.argv[1:]))
"""
)


@pytest.fixture
def command(tmp_path, monkeypatch):
  """Arguments of a run on pictures with some names, in a process."""
  script = tmp_path / 'child.py'
  script.write_text(CHILD)
  parent = tmp_path / 'parent.py'
  parent.write_text(
    textwrap.dedent(f"""
      import sys
      from artjax.restoration import supervised
      supervised._command = lambda: [sys.executable, {str(script)!r}]
      sys.exit(supervised.main(sys.argv[1:]))
    """)
  )
  monkeypatch.setenv('TMPDIR', str(tmp_path / 'tmp'))
  (tmp_path / 'tmp').mkdir()

  def arguments(*names):
    (tmp_path / 'in').mkdir()
    for name in names:
      Image.fromarray(np.zeros([8, 8, 3], np.uint8)).save(
        tmp_path / 'in' / name
      )
    out = str(tmp_path / 'out')
    return [sys.executable, str(parent), str(tmp_path / 'in'), '-o', out]

  return arguments


def test_a_crash_is_one_failed_picture(tmp_path, command):
  names = ('a.png', 'bad.png', 'crash.png', 'd.png')
  done = subprocess.run(command(*names), capture_output=True, text=True)
  assert done.returncode == 1
  result = json.loads(done.stdout.splitlines()[-1])
  assert (result['done'], result['failed'], result['not_tried']) == (2, 2, 0)
  assert 'crash.png: it crashed the process that read it (SIGSEGV)' in (
    done.stderr
  )
  assert done.stderr.count('a.png: done') == 1  # not once a process
  assert listed(tmp_path / 'out') == ['a.png', 'd.png', 'restore.jsonl']
  # One that was reported just before the crash is tried and reported again.
  lines = (tmp_path / 'out' / 'restore.jsonl').read_text().splitlines()
  entries = map(json.loads, lines)
  last = {os.path.basename(one['source']): one['status'] for one in entries}
  assert last == dict(zip(names, ['done', 'failed', 'failed', 'done']))
  assert not os.listdir(tmp_path / 'tmp')


@pytest.mark.parametrize('number', [signal.SIGINT, signal.SIGTERM])
def test_signals_are_passed_on(tmp_path, command, number):
  run = subprocess.Popen(
    command('a.png', 'slow.png'), stdout=subprocess.PIPE, text=True
  )
  while not (tmp_path / 'out' / 'a.png').exists():
    time.sleep(0.05)
  run.send_signal(number)
  out, _ = run.communicate()
  assert run.returncode == 128 + number
  result = json.loads(out.splitlines()[-1])
  assert (result['done'], result['not_tried']) == (1, 1)
  assert result['stopped'] == number.name


def test_a_child_ends_with_its_parent(tmp_path, command):
  run = subprocess.Popen(
    command('a.png', 'slow.png'), stdout=subprocess.PIPE, text=True
  )
  while not (tmp_path / 'out' / 'a.png').exists():
    time.sleep(0.05)
  run.kill()
  out, _ = run.communicate(timeout=60)  # its stdout is the child's too
  assert json.loads(out.splitlines()[-1])['stopped'] == 'SIGTERM'


def test_a_stream_is_read_once(command):
  *run, folder, option, out = command('a.png')
  with open(f'{folder}/a.png', 'rb') as file:
    done = subprocess.run(
      [*run, '-', option, out], stdin=file, capture_output=True, text=True
    )
  assert done.returncode == 128 + signal.SIGSEGV
  assert done.stderr.endswith('artjax restore: ended by SIGSEGV\n')


def test_wrong_usage_needs_no_other_process(capsys, monkeypatch):
  monkeypatch.setattr(subprocess, 'Popen', None)
  with pytest.raises(SystemExit):
    supervised.main(['a.png', '-o', 'out', '--no_such_option'])
  assert '--no_such_option' in capsys.readouterr().err


def test_steps_are_read_again(tmp_path):
  path = str(tmp_path / 'steps.jsonl')
  first = steps.Steps(path)
  first.begin('a')
  first.end('a', 'done')
  first.begin('b\udcff')
  first.close()
  second = steps.Steps(path)
  assert second.begun == ['b\udcff'] and second.ended == {'a': ['done', '']}
  second.end('b\udcff', 'crashed', 'why')
  second.close()
  assert steps.Steps(path).begun == []
