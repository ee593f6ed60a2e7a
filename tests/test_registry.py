"""Names in configs: found where they are defined, or a helpful error."""

import sys
import types

import numpy as np
import pytest

from artjax import registry


def test_get_finds_in_a_package_and_in_modules():
  from artjax.data.ops import geometry

  assert registry.get('artjax.data', 'ops.flip') is geometry.flip
  assert registry.get(registry.OPS, 'flip') is geometry.flip


def test_every_ops_module_exists():
  for module in registry.OPS:
    __import__(module)
    assert registry.public(sys.modules[module])


@pytest.mark.parametrize(
  'modules, name, advice',
  [
    ('artjax.data', 'ops.flp', 'did you mean ops.flip'),
    ('artjax.data', 'opps.flip', 'did you mean ops.flip'),
    ('artjax.data.ops.geometry', 'random_crp', 'did you mean random_crop'),
    (registry.OPS, 'zzzzzz', 'known: .*center_crop'),
    ('artjax.data.ops.geometry', '_pad', "no '_pad'"),  # private
    ('artjax.data.ops.geometry', 'resize', "no 'resize'"),  # a module
    ('artjax.data.sources.base', 'NamedTuple', "no 'NamedT"),  # merely imported
  ],
)
def test_unknown_names_list_what_comes_close(modules, name, advice):
  with pytest.raises(ValueError, match=advice):
    registry.get(modules, name)


def test_errors_inside_a_module_are_not_hidden(monkeypatch, tmp_path):
  (tmp_path / 'broken_module.py').write_text('import no_such_dependency')
  monkeypatch.syspath_prepend(tmp_path)
  with pytest.raises(ModuleNotFoundError, match='no_such_dependency'):
    registry.get('broken_module', 'anything')


@pytest.fixture
def recorder(monkeypatch):
  """A module of ops for the chain: `note` and `fail`."""
  module = types.ModuleType('recorder')

  def note(*args, **kwargs):
    def fn(example, rng):
      drawn = float(rng.uniform())
      return {**example, 'log': example['log'] + [(args, kwargs, drawn)]}

    return fn

  def fail():
    def fn(example, rng):
      del example, rng
      raise KeyError('oops')

    return fn

  def forget():
    return lambda example, rng: None

  def not_an_op():
    return 3

  for value in (note, fail, forget, not_an_op):
    value.__module__ = 'recorder'
    setattr(module, value.__name__, value)
  monkeypatch.setitem(sys.modules, 'recorder', module)
  monkeypatch.setattr(registry, 'OPS', ('recorder',))


def _run(ops):
  return registry.chain(ops)(
    {'name': 'x.png', 'log': []}, np.random.default_rng(0)
  )


@pytest.mark.usefixtures('recorder')
def test_chain_runs_in_order_with_literal_arguments():
  result = _run("""note
                   | note(1, (0.0, -1.5), "a|b", key=[True, None])|note()""")
  draws = np.random.default_rng(0).uniform(size=3).tolist()
  assert result['log'] == [
    ((), {}, draws[0]),
    ((1, (0.0, -1.5), 'a|b'), {'key': [True, None]}, draws[1]),
    ((), {}, draws[2]),
  ]


def test_empty_chain_is_the_identity():
  example = {'name': 'x'}
  assert registry.chain('')(example, None) is example
  assert registry.chain('  ')(example, None) is example


@pytest.mark.usefixtures('recorder')
@pytest.mark.parametrize(
  'ops, advice',
  [
    ('note|', 'cannot be read'),
    ('note(1', 'cannot be read'),
    ('note + note', 'neither name nor'),
    ('os.remove("x")', 'neither name nor'),
    ('note(open("x"))', 'must be literals'),
    ('noote', 'did you mean note'),
    ('fail(3)', r'fail\(3\).*takes 0 positional'),
    ('not_an_op', 'makes no op'),
  ],
)
def test_chain_says_what_is_wrong(ops, advice):
  with pytest.raises(ValueError, match=advice):
    registry.chain(ops)


@pytest.mark.usefixtures('recorder')
@pytest.mark.parametrize(
  'ops, message',
  [
    ('note|fail', r"fail failed on picture 'x.png': KeyError: 'oops'"),
    ('forget', r"forget failed on picture 'x.png'.*NoneType"),
  ],
)
def test_a_failing_op_names_itself_and_the_picture(ops, message):
  with pytest.raises(ValueError, match=message):
    _run(ops)
