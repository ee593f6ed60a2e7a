"""The command line: help, one JSON line, one clear line for each mistake."""

import json
import logging as pylogging
import subprocess
import sys

from conftest import ROOT
from conftest import smallest_config
import pytest

from artjax import main
from artjax.training import loop

NO_TF = '--config.data.loader=threads'


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


MISTAKES = [
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
  (
    ['--config=configs/unet.py', '--config.model.args.depth=3'],
    'no field --config.model.args.depth: nafnet.NAFNet has width, ',
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
  (
    ['--config=configs/unet.py', '--workdir=run', NO_TF],
    'no data.source given',
  ),
  (
    [
      *('--config=configs/unet.py:quick', '--workdir=nowhere'),
      *('--config.data.source=folder:no/pictures', NO_TF),
    ],
    'no/pictures',
  ),
]

# One process imports what takes seconds; a fork of it runs each command line.
FORKS = """
import json, os, sys
sys.modules['tensorflow'] = None  # takes seconds, tells of no mistake
from artjax import main
for number, arguments in enumerate(json.loads(sys.argv[1])):
  child = os.fork()
  if not child:
    for stream, name in ((1, 'out'), (2, 'err')):
      os.dup2(os.open(f'{number}.{name}', os.O_CREAT | os.O_WRONLY), stream)
    sys.argv[1:] = arguments
    main.run()
    raise SystemExit
  _, status = os.waitpid(child, 0)
  print(os.waitstatus_to_exitcode(status))
"""


@pytest.fixture(scope='module')
def answers(tmp_path_factory):
  """(exit status, stdout, stderr) of each of MISTAKES, and where they ran."""
  folder = tmp_path_factory.mktemp('mistakes')
  (folder / 'configs').symlink_to(ROOT / 'configs')
  # JAX warns of forks; none of it has run yet.
  command = [sys.executable, '-W', 'ignore::RuntimeWarning', '-c', FORKS]
  forked = subprocess.run(
    [*command, json.dumps([args for args, _ in MISTAKES])],
    cwd=folder,
    capture_output=True,
    text=True,
    timeout=240,
    check=True,
  )
  read = lambda i, name: (folder / f'{i}.{name}').read_text()
  return folder, [
    (int(status), read(i, 'out'), read(i, 'err'))
    for i, status in enumerate(forked.stdout.split())
  ]


@pytest.mark.parametrize('number', range(len(MISTAKES)))
def test_mistakes_are_one_line(answers, number):
  (args, says), (status, out, err) = MISTAKES[number], answers[1][number]
  assert status == 1
  assert says in err.splitlines()[-1], args
  assert 'Traceback (most recent call last)' not in err
  assert out.count('{') == 0  # No result is claimed.


def test_a_run_without_pictures_makes_no_folder(answers):
  folder, said = answers
  [line] = [
    err.splitlines()[-1] for _, _, err in said if 'no data.source' in err
  ]
  assert 'folder:PATH' in line and not (folder / 'run').exists()


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


def test_evaluate_prints_table_and_json_last(tmp_path):
  config = smallest_config(steps=1, eval_every=0)
  loop.train_and_evaluate(config, str(tmp_path / 'run'))
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


def test_an_interrupt_before_the_first_step_is_one_line():
  code = (
    'import sys\n'
    'sys.modules["tensorflow"] = None\n'
    'from artjax import main\n'
    'def interrupted(argv):\n'
    '  raise KeyboardInterrupt\n'
    'main.main = interrupted\n'
    'main.run(["artjax", "--config=configs/unet.py"])\n'
  )
  out = subprocess.run(
    [sys.executable, '-c', code], cwd=ROOT, capture_output=True, text=True
  )
  assert out.returncode == 130
  assert out.stderr.splitlines()[-1] == 'artjax: interrupted'
  assert 'Traceback' not in out.stderr


@pytest.mark.parametrize('level', ['INFO', 'WARNING', 'ERROR'])
def test_orbax_is_silent_unless_asked(level, monkeypatch):
  line = lambda path: pylogging.LogRecord(
    'absl', pylogging.getLevelName(level), path, 1, 'text', (), None
  )
  assert main.is_told(line('/site-packages/artjax/training/loop.py'))
  orbax = line('/site-packages/orbax/checkpoint/checkpoint_manager.py')
  assert not main.is_told(orbax)
  monkeypatch.setattr(main.logging, 'get_verbosity', lambda: 1)
  assert main.is_told(orbax)


def test_what_orbax_abandons_is_not_told(capsys):
  main.tell(RuntimeError, RuntimeError('Event loop is closed'), None)
  assert not capsys.readouterr().err
  main.tell(RuntimeError, RuntimeError('another'), None)
  assert capsys.readouterr().err == 'RuntimeError: another\n'
