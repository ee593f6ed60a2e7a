"""Configurations by name, and as files anywhere."""

import pathlib

from conftest import ROOT
import pytest

from artjax import config_files


def test_names_are_those_of_the_folder():
  expected = {p.stem for p in (ROOT / 'configs').glob('*.py')} - {'__init__'}
  assert set(config_files.names()) == expected
  assert config_files.names() == sorted(expected)


@pytest.mark.parametrize('variant', ['', ':quick', ':dirt=/a/b'])
def test_a_name_becomes_a_file(variant):
  path, colon, rest = config_files.resolve(f'unet{variant}').partition(':')
  assert pathlib.Path(path).samefile(ROOT / 'configs' / 'unet.py')
  assert colon + rest == variant


def test_a_file_stays_what_it_is(tmp_path, monkeypatch):
  (tmp_path / 'mine.py').touch()
  assert (
    config_files.resolve(f'{tmp_path}/mine.py:x') == f'{tmp_path}/mine.py:x'
  )
  monkeypatch.chdir(tmp_path)
  assert config_files.resolve('mine.py') == 'mine.py'


@pytest.mark.parametrize('spec', ['unett', 'configs/gone.py', '__init__', ''])
def test_what_is_neither_is_refused_with_the_names(spec):
  with pytest.raises(ValueError, match='no configuration of that name.*unet'):
    config_files.resolve(spec)


def test_flags_of_both_forms_are_resolved():
  unet = config_files.resolve('unet')
  assert config_files.resolve_flags(
    ['a', '--config=unet', '--config.steps=3', '--config']
  ) == ['a', f'--config={unet}', '--config.steps=3', '--config']
  assert config_files.resolve_flags(['--config', 'unet']) == ['--config', unet]
