"""docs/extend.md, followed literally: in a copy of the package, and without."""

import json
import re
import shutil
import subprocess
import sys

from conftest import environment
from conftest import ROOT
import pytest

_TEXT = (ROOT / 'docs' / 'extend.md').read_text()
_BLOCKS = re.findall(
  r'```python\n# (new file|add to|your file): (\S+)\n(.*?)```', _TEXT, re.S
)


@pytest.fixture(scope='module')
def extended(tmp_path_factory):
  """A copy of the package with every block of the document in its place."""
  folder = tmp_path_factory.mktemp('extended')
  leave_out = shutil.ignore_patterns(
    '__pycache__', 'web', 'pretrained', 'configs'
  )
  shutil.copytree(ROOT / 'artjax', folder / 'artjax', ignore=leave_out)
  (folder / 'configs').mkdir()
  (folder / 'artjax' / 'configs').symlink_to('../configs')
  assert len(_BLOCKS) == _TEXT.count('```python')
  for how, path, code in _BLOCKS:
    if how == 'your file':
      continue
    file = folder / path
    assert file.exists() == (how == 'add to'), path
    with file.open('a') as out:
      out.write(code if how == 'new file' else f'\n\n{code}')
  return folder


# What `python -m artjax.main` does, without what takes seconds to import.
COMMAND = (
  '-c',
  "import sys; sys.modules['tensorflow'] = sys.modules['clu'] = None; "
  'from artjax import main; main.run()',
)


def run(folder, *arguments):
  """Runs Python in the folder; the completed process."""
  return subprocess.run(
    [sys.executable, *arguments],
    cwd=folder,
    env=environment(devices=1, PYTHONPATH=str(folder)),
    capture_output=True,
    text=True,
  )


def test_what_was_added_trains_and_is_measured(extended):
  done = run(
    extended,
    *COMMAND,
    '--config=configs/clean.py:quick',
    '--workdir=run',
    '--config.data.loader=threads',
    '--config.batch_size=4',
    '--config.eval_every=0',
  )
  assert done.returncode == 0, done.stderr[-2000:]
  done = run(
    extended,
    *COMMAND,
    '--config=configs/clean.py:quick',
    '--workdir=run',
    '--mode=evaluate',
  )
  assert done.returncode == 0, done.stderr[-2000:]
  result = json.loads(done.stdout.splitlines()[-1])
  assert set(result['output']) == {'psnr_rgb', 'brightness'}
  # Soot is so simple that twenty steps take some of it away.
  assert result['output']['brightness'] < result['input']['brightness']


def test_parameters_of_the_model_are_those_its_docstring_says(extended):
  done = run(
    extended,
    '-c',
    'import jax, numpy as np\n'
    'from artjax.models import tiny\n'
    'variables = jax.eval_shape(tiny.Tiny().init, jax.random.key(0), '
    'np.zeros([1, 8, 8, 3], np.float32))\n'
    'print(f"{sum(x.size for x in jax.tree.leaves(variables)):,} parameters")\n'
    'print(tiny.__doc__)',
  )
  counted, said = done.stdout.split('\n', 1)
  assert counted in said


def test_a_package_of_ones_own_trains_in_an_empty_folder(tmp_path):
  for how, path, code in _BLOCKS:
    if how == 'your file':
      (tmp_path / path).write_text(code)
  commands = re.findall(r'^artjax (train|evaluate) (.*)$', _TEXT, re.M)
  assert [name for name, _ in commands] == ['train', 'evaluate']
  for name, arguments in commands:
    done = subprocess.run(
      [
        *(sys.executable, '-m', 'artjax.cli', name, *arguments.split()),
        '--config.data.loader=threads',
        '--config.batch_size=4',
      ],
      cwd=tmp_path,
      env=environment(devices=1, PYTHONPATH=str(ROOT)),
      capture_output=True,
      text=True,
    )
    assert done.returncode == 0, done.stderr[-2000:]
  result = json.loads(done.stdout.splitlines()[-1])
  assert result['output']['brightness'] < result['input']['brightness']
