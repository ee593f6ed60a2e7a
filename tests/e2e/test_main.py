"""The command line: help, one JSON line, one clear line for each mistake."""

import json
import subprocess
import sys

from conftest import ROOT
from conftest import tiny_config
import pytest

from artjax.training import loop


def run(*args):
  return subprocess.run(
    [sys.executable, '-m', 'artjax.main', *args],
    cwd=ROOT,
    capture_output=True,
    text=True,
    timeout=240,
  )


def test_help():
  out = run('--help')
  assert '--workdir' in out.stdout and '--mode' in out.stdout
  assert 'Traceback' not in out.stderr


@pytest.mark.parametrize(
  'args, says',
  [
    ([], '--config=configs/NAME.py is needed'),
    (['--config=configs/unet.py'], '--workdir=FOLDER is needed'),
    (
      ['--config=configs/unet.py', '--config.stepss=3'],
      'did you mean --config.steps',
    ),
    (
      ['--config=configs/unet.py', '--config.optimizer.learning=3'],
      'did you mean --config.optimizer.learning_rate',
    ),
    (
      ['--config=configs/unet.py', '--config.steps=many'],
      "invalid literal for int() with base 10: 'many'",
    ),
    (['--config=configs/unet.py:fast'], "no variant 'fast'"),
    (['--config=unet'], '--workdir=FOLDER is needed'),
    (['--config=unett'], 'no configuration of that name'),
    (
      ['--config=configs/unet.py', '--workdir=/tmp/x', 'extra'],
      "unexpected argument 'extra'",
    ),
    (
      ['--config=configs/unet.py', '--mode=evaluate', '--weights=gone.st'],
      'gone.st: no such weights',
    ),
  ],
)
def test_mistakes_are_one_line(args, says):
  out = run(*args)
  assert out.returncode != 0
  assert says in out.stderr + out.stdout
  assert 'Traceback (most recent call last)' not in out.stderr
  assert out.stdout.count('{') == 0  # No result is claimed.


def test_a_file_outside_the_repository_may_build_on_a_shipped_one(tmp_path):
  (tmp_path / 'mine.py').write_text(
    'from artjax.configs import unet\n'
    'def get_config(variant=""):\n'
    '  raise ValueError(f"{unet.get_config().task} {variant}")\n'
  )
  out = subprocess.run(
    [sys.executable, '-m', 'artjax.cli', 'train', '--config=mine.py:red'],
    cwd=tmp_path,
    capture_output=True,
    text=True,
  )
  assert out.returncode == 1
  assert out.stderr.splitlines()[-1] == 'artjax: restore red'


@pytest.mark.parametrize('mode', ['train', 'evaluate'])
def test_help_of_the_subcommand_names_flags_and_configurations(mode):
  out = subprocess.run(
    [sys.executable, '-m', 'artjax.cli', mode, '--help'],
    capture_output=True,
    text=True,
    check=True,
  )
  assert f'usage: artjax {mode} --config=' in out.stdout
  assert 'esrgan_psnr' in out.stdout and '--workdir' in out.stdout


def test_unusable_source_is_one_line(tmp_path):
  out = run(
    '--config=configs/unet.py:quick',
    f'--workdir={tmp_path / "run"}',
    f'--config.data.source=folder:{tmp_path / "nothing"}',
    '--config.data.loader=threads',
  )
  assert out.returncode == 1
  assert 'nothing' in out.stderr.splitlines()[-1]
  assert 'Traceback' not in out.stderr


def test_evaluate_prints_table_and_json_last(tmp_path):
  loop.train_and_evaluate(
    tiny_config(steps=2, eval_every=0), str(tmp_path / 'run')
  )
  out = run(
    '--config=configs/unet.py:quick',
    f'--workdir={tmp_path / "run"}',
    '--mode=evaluate',
    '--config.eval.max_pictures=1',
    '--config.eval.metrics=("psnr_rgb", "accuracy")',
    f'--output={tmp_path / "report"}',
  )
  assert out.returncode == 0, out.stderr[-2000:]
  *table, last = out.stdout.strip().splitlines()
  result = json.loads(last)
  assert result['pictures'] == 1
  assert (
    set(result['output']) == set(result['input']) == {'psnr_rgb', 'accuracy'}
  )
  assert any(line.startswith('| psnr_rgb') for line in table)
  assert (tmp_path / 'report' / 'report.md').exists()
