"""Configurations by name, and as files anywhere."""

import pathlib

from conftest import ROOT
import pytest

from artjax import config_files
from artjax.configs import unet


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


def test_of_a_field_given_twice_the_last_counts():
  given = ['--config.eval.metrics=("mae",)', '--config.steps=3', '--x=1']
  again = ['--config.eval.metrics=("psnr_rgb",)', '--x=2']
  assert config_files.resolve_flags([*given, *again]) == [*given[1:], *again]


def take(*flags):
  argv = config_files.resolve_flags(['artjax', '--config=unet:plain', *flags])
  rest, fields = config_files.take_module_fields(argv)
  return rest[2:], fields


def test_fields_of_the_model_that_no_configuration_names_can_be_set():
  mine = '--config.model.args.width=3', '--config.model.args.features=(4, 8)'
  name = '--config.model.name=nafnet.NAFNet'
  rest, fields = take(name, *mine)
  assert rest == [name, mine[1]]  # features are in the configuration
  assert fields == {'model.args.width': 3}
  config = unet.get_config('plain')
  config_files.set_fields(config, fields)
  assert config.model.args.width == 3 and config.is_locked


@pytest.mark.parametrize(
  'flag, says',
  [
    (
      '--config.model.args.widht=3',
      'no field .*args.widht: nafnet.NAFNet has ',
    ),
    ('--config.model.args.widht=3', 'did you mean width'),
    ('--config.model.args.width=wide', r'args.width=wide is no int'),
  ],
)
def test_fields_that_the_model_lacks_are_named(flag, says):
  with pytest.raises(ValueError, match=says):
    take('--config.model.name=nafnet.NAFNet', flag)
