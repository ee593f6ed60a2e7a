"""The wheel: what is in it, and that it works far from the repository."""

import shutil
import subprocess
import sys
import zipfile

from conftest import ROOT
import pytest


@pytest.fixture(scope='module')
def wheel(tmp_path_factory):
  """The path of the wheel, built from a copy of the repository."""
  source = tmp_path_factory.mktemp('source')
  for name in ('artjax', 'configs', 'pretrained', 'requirements'):
    shutil.copytree(
      ROOT / name,
      source / name,
      symlinks=True,
      ignore=shutil.ignore_patterns('__pycache__'),
    )
  for name in ('pyproject.toml', 'README.md', 'LICENSE'):
    shutil.copy(ROOT / name, source)
  command = '-m pip wheel --quiet --no-deps --no-build-isolation --no-index .'
  subprocess.run(
    [sys.executable, *command.split()],
    cwd=source,
    check=True,
    capture_output=True,
  )
  (path,) = source.glob('*.whl')
  return path


def test_wheel_holds_the_package_and_no_more(wheel):
  with zipfile.ZipFile(wheel) as archive:
    names = set(archive.namelist())
  top = {name.partition('/')[0] for name in names}
  assert {name for name in top if not name.endswith('.dist-info')} == {'artjax'}
  code = {
    str(path.relative_to(ROOT)) for path in (ROOT / 'artjax').rglob('*.py')
  }
  assert code <= names
  data = {
    f'artjax/pretrained/{path.name}'
    for path in (ROOT / 'pretrained').iterdir()
    if path.suffix in ('.safetensors', '.json')
  }
  data |= {f'artjax/configs/{p.name}' for p in (ROOT / 'configs').glob('*.py')}
  assert 'artjax/pretrained/manifest.json' in data <= names
  assert 'artjax/web/static/index.html' in names


def test_wheel_is_small(wheel):
  assert wheel.stat().st_size < 45e6


def test_wheel_works_elsewhere(wheel, tmp_path):
  folder = tmp_path / 'site'
  with zipfile.ZipFile(wheel) as archive:
    archive.extractall(folder)
  code = (
    'from artjax import config_files, registry\n'
    'from artjax.configs import esrgan\n'
    'print(config_files.resolve("esrgan:quick"), '
    'esrgan.get_config("quick").model.name)'
  )
  out = subprocess.run(
    [sys.executable, '-c', code],
    cwd=tmp_path,
    env={'PYTHONPATH': str(folder), 'PATH': ''},
    check=True,
    capture_output=True,
    text=True,
  )
  path, model = out.stdout.split()
  assert path == f'{folder}/artjax/configs/esrgan.py:quick'
  assert model == 'rrdb.RRDBNet'
