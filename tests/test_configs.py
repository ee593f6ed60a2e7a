"""Every configuration takes a step, is locked, and says what it needs."""

import importlib

from conftest import drawn_digits
from conftest import ROOT
import pytest

from artjax import config as defaults
from artjax.training import loop

CONFIGS = sorted(
  p.stem for p in (ROOT / 'configs').glob('*.py') if p.stem != '__init__'
)


def load(name, variant=''):
  return importlib.import_module(f'configs.{name}').get_config(variant)


# Deep Image Prior is fitted to one picture: test_deep_image_prior.py runs it.
TRAINED = [name for name in CONFIGS if 'data' in load(name)]


@pytest.mark.parametrize('name', TRAINED)
def test_one_step(name, tmp_path):
  config = load(name, 'quick').unlock()
  config.steps = config.eval_every = config.checkpoint_every = 1
  config.data.loader = 'threads'
  config.eval.max_pictures = 1
  if config.data.source == 'tfds:mnist':  # not here before it is fetched
    config.data.source = f'idx:{drawn_digits(tmp_path / "digits")}'
  result = loop.train_and_evaluate(config.lock(), str(tmp_path / 'run'))
  assert result['step'] == 1
  assert result['skipped'] == 0
  assert result['eval']['pictures'] == 1


@pytest.mark.parametrize('name', CONFIGS)
def test_locked(name):
  with pytest.raises(AttributeError):
    load(name).stepz = 3


@pytest.mark.parametrize('name', TRAINED)
def test_only_known_fields(name):
  config, known = load(name), defaults.get_config()
  for field in ('data', 'eval', 'losses', 'optimizer'):
    assert set(config[field]) == set(known[field])
  assert set(config) == set(known)


@pytest.mark.parametrize('name', CONFIGS)
def test_unknown_variant_is_refused(name):
  with pytest.raises(ValueError, match='no variant'):
    load(name, 'nonsense')


@pytest.mark.parametrize('name', CONFIGS)
def test_docstring_gives_the_command(name):
  text = importlib.import_module(f'configs.{name}').__doc__
  assert f'--config=configs/{name}.py' in text


def test_every_field_of_common_is_explained():
  lines = (ROOT / 'artjax' / 'config.py').read_text().splitlines()
  for i, line in enumerate(lines):
    if line.startswith('  config.') and 'ConfigDict()' not in line:
      near = ' '.join(lines[max(i - 3, 0) : i + 4])
      assert '#' in near, line
