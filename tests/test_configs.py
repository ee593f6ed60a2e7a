"""Every configuration takes a step, is locked, and says what it needs."""

import ast
import importlib
import io
import pathlib
import re
import tokenize

from conftest import drawn_digits
from conftest import ROOT
import pytest

from artjax import config as defaults
from artjax.data import pipeline
from artjax.evaluation import runner
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


@pytest.mark.parametrize('name', TRAINED)
def test_only_what_differs_from_the_evaluator_is_said_of_the_best(name):
  config = load(name)
  assert config.best_metric != runner.evaluator(config).best
  assert config.best_mode == ''  # the evaluator knows it of every figure


@pytest.mark.parametrize('name', CONFIGS)
def test_unknown_variant_is_refused(name):
  with pytest.raises(ValueError, match='no variant'):
    load(name, 'nonsense')


@pytest.mark.parametrize('name', CONFIGS)
def test_docstring_gives_the_command(name):
  text = importlib.import_module(f'configs.{name}').__doc__
  assert f'--config=configs/{name}.py' in text


def unexplained(source):
  """Fields that no comment explains: beside the value, or right above it.

  A comment after a blank line is the heading of several fields and explains
  none of them.
  """
  lines = source.splitlines()
  alone = {}  # number of a line with a comment -> whether nothing else is there
  for token in tokenize.generate_tokens(io.StringIO(source).readline):
    if token.type == tokenize.COMMENT:
      alone[token.start[0]] = token.line.strip().startswith('#')
  found = []
  tree = ast.parse(source)
  tree.body = [part for part in tree.body if part_name(part) != 'make_quick']
  for node in ast.walk(tree):
    if not isinstance(node, ast.Assign):
      continue
    name = ast.unparse(node.targets[0])
    if not name.startswith('config.') or ast.unparse(node.value) == EMPTY:
      continue
    beside = range(node.lineno, node.end_lineno + 1)
    if any(line in alone and not alone[line] for line in beside):
      continue
    above = node.lineno - 1
    while alone.get(above):
      above -= 1
    if above == node.lineno - 1 or not lines[above - 1].strip():
      found.append(name)
  return found


def part_name(node):
  return getattr(node, 'name', '')


EMPTY = 'ml_collections.ConfigDict()'


def test_every_field_is_explained():
  assert unexplained(pathlib.Path(defaults.__file__).read_text()) == []


def test_a_field_whose_comment_is_deleted_is_found():
  """Deletes the comments beside all fields, one at a time."""
  lines = pathlib.Path(defaults.__file__).read_text().splitlines()
  deleted = 0
  for i, line in enumerate(lines):
    field, mark, _ = line.partition('  # ')
    if not mark or not field.startswith('  config.') or EMPTY in field:
      continue
    left = '\n'.join([*lines[:i], field, *lines[i + 1 :]])
    assert unexplained(left) == [field.split(' = ')[0].strip()], line
    deleted += 1
  assert deleted > 60


def test_a_heading_explains_nothing():
  source = '\n# Losses.\nconfig.l1 = 0.0\nconfig.l2 = 0.0  # squares\n'
  assert unexplained(source) == ['config.l1']
  source = 'config.a = 0  # so\n# Two lines about\n# the next.\nconfig.b = 0\n'
  assert unexplained(source) == []


def test_nothing_in_the_package_imports_a_configuration():
  for path in (ROOT / 'artjax').rglob('*.py'):
    if (ROOT / 'configs').resolve() in path.resolve().parents:
      continue
    for node in ast.walk(ast.parse(path.read_text())):
      names = []
      if isinstance(node, ast.Import):
        names = [alias.name for alias in node.names]
      elif isinstance(node, ast.ImportFrom):
        names = [f'{node.module}.{alias.name}' for alias in node.names]
      for name in names:
        assert not f'{name}.'.startswith(('configs.', 'artjax.configs.')), path


@pytest.mark.parametrize('name', sorted(set(TRAINED) - {'mnist_gan'}))
def test_pictures_must_be_named(name, tmp_path):
  """Only `:quick` and `:demo` train on the bundled photographs unasked."""
  config = load(name)
  assert config.data.source == ''
  with pytest.raises(ValueError, match='no data.source given') as error:
    pipeline.batches(config)
  assert '\n' not in str(error.value)
  assert load(name, 'quick').data.source == 'sample'


@pytest.mark.parametrize('name', TRAINED)
def test_quick_runs_are_small(name):
  """What `:quick` should shrink is smaller: nothing fails in silence."""
  config, quick = load(name), load(name, 'quick')
  assert quick.steps <= 40 < config.steps
  sides = [
    max(map(int, re.findall(r'crop\((\d+)', ops.data.ops)), default=28)
    for ops in (config, quick)
  ]
  assert sides[1] <= 128 and (sides[1] < sides[0] or name == 'mnist_gan')


def test_the_old_spelling_of_dirt_names_the_new_one(caplog):
  with caplog.at_level('WARNING'):
    config = load('structure', 'dirt=masks')
  assert "dirt='masks'" in config.data.ops
  assert '--config.data.ops=' in caplog.text
