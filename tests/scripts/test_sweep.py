"""A sweep: every combination once, one table, failures named."""

import json
import subprocess
import sys

from conftest import script
import pytest

sweep = script('sweep')


def test_values_are_split_at_commas_outside_of_brackets_and_quotes():
  assert sweep.split('1,2') == ['1', '2']
  assert sweep.split('(8, 16),(4,)') == ['(8, 16)', '(4,)']
  assert sweep.split('"a,b",c') == ['"a,b"', 'c']


def test_the_last_field_changes_fastest():
  assert sweep.combinations(['a=1,2', 'b.c=x=y,z']) == [
    {'a': '1', 'b.c': 'x=y'},
    {'a': '1', 'b.c': 'z'},
    {'a': '2', 'b.c': 'x=y'},
    {'a': '2', 'b.c': 'z'},
  ]


@pytest.mark.parametrize(
  'given, says',
  [
    (['--set=seed'], 'expected FIELD=VALUE'),
    (['--set=seed=1', '--jobs=0'], 'neither a number above 0 nor slurm'),
    (['--set=seed=1', '--jobs=slurm'], 'there is no sbatch here'),
    (['--set=seed=1', '--set=seed=2'], '--set seed=2: its field or a value'),
    (['--set=seed=1,2,1'], 'is there twice'),
    (['--set=seed=1', f'--workdir={__file__}'], 'cannot be used: File exists'),
    ([], '--set'),
  ],
)
def test_mistakes_are_said(given, says, capsys, monkeypatch):
  monkeypatch.setattr(sweep.shutil, 'which', lambda name: None)
  with pytest.raises(SystemExit):
    sweep.parse(['unet', *given])
  assert says in capsys.readouterr().err


def train(command, stdout, stderr):
  """What a training prints, of a command that fails with seed 2."""
  fields = dict(flag.lstrip('-').split('=', 1) for flag in command[3:])
  assert fields['config'] == 'unet' and fields['config.steps'] == '3'
  if fields['config.seed'] == '2':
    stderr.write('artjax: no pictures|here\n')
    return subprocess.CompletedProcess(command, 1)
  output = {'output': {'psnr_rgb': 20 + float(fields['config.seed'])}}
  print('table', file=stdout)
  print(json.dumps({'step': 3, 'loss': 0.5, 'eval': output}), file=stdout)
  return subprocess.CompletedProcess(command, 0)


def test_runs_on_this_machine_end_in_a_table(tmp_path, monkeypatch, capsys):
  monkeypatch.setattr(subprocess, 'run', train)
  monkeypatch.setattr(
    sys,
    'argv',
    [
      *('sweep.py', 'unet', '--set=seed=1,2', '--jobs=2'),
      *(f'--workdir={tmp_path}', '--', '--config.steps=3'),
    ],
  )
  assert sweep.main() == 1
  table = capsys.readouterr().out
  assert table.splitlines() == [
    '| seed | step | loss | psnr_rgb |',
    '|---|---|---|---|',
    '| 1 | 3 | 0.5000 | 21.0000 |',
    '| 2 | artjax: no pictures/here |  |  |',
  ]
  assert (tmp_path / 'table.md').read_text() == table
  assert (tmp_path / 'seed=1' / 'stdout.txt').exists()


def test_slurm_gets_a_job_each_that_is_waited_for(tmp_path, monkeypatch):
  jobs = []

  def sbatch(command):
    jobs.append(command)
    [out] = [c.partition('=')[2] for c in command if c.startswith('--output')]
    with open(out, 'w') as file:
      file.write('{"step": 1, "loss": 0.1, "eval": null}\n')
    return subprocess.CompletedProcess(command, 0)

  monkeypatch.setattr(sweep.shutil, 'which', lambda name: f'/bin/{name}')
  monkeypatch.chdir(tmp_path)
  monkeypatch.setattr(subprocess, 'run', sbatch)
  args = sweep.parse(
    ['unet', '--set=seed=7', '--jobs=slurm', '--sbatch=--gpus=1 --time=8:00']
  )
  result = sweep.run(args, tmp_path, {'seed': '7'})
  assert result['step'] == 1
  [job] = jobs
  assert job[:2] == ['sbatch', '--wait'] and '--gpus=1' in job
  assert '-m artjax.main --config=unet' in job[-1] and 'seed=7' in job[-1]
