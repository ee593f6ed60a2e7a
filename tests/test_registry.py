"""Names in configs: found where they are defined, or a helpful error."""

import numpy as np
import pytest

from artjax import registry


def test_get_finds_in_a_package_and_in_modules():
  from artjax.data.ops import geometry

  assert registry.get('artjax.data.ops.geometry', 'flip') is geometry.flip
  assert registry.get('artjax.data.ops', 'geometry.flip') is geometry.flip


def test_ops_are_what_declares_itself_one_wherever_it_is():
  from artjax.data.degradations import decorators
  from artjax.data.degradations import presets
  from artjax.data.ops import geometry
  from artjax.data.ops import resize

  ops = registry.ops()
  assert ops['flip'] is geometry.flip
  assert ops['structure'] is presets.structure
  # Public functions that make no op are none.
  assert resize.shrink.__name__ == 'shrink' and 'shrink' not in ops
  assert decorators.tonal.__name__ == 'tonal' and 'tonal' not in ops
  assert not {'blur', 'walks', 'Op', 'op', 'as_float'} & set(ops)


def test_every_op_of_the_last_version_is_still_there():
  names = """
    anisotropic_blur center_crop colour_cast copy craquelure damaged_or_clean
    defocus_blur difference_mask downscale dust fading fit flip folds foxing
    gaussian_blur gaussian_noise greyscale hair holes jpeg keep kind luma
    mask_target masks_from missing missing_from mod_crop motion_blur mould
    old_painting old_photo paint_losses pencil place poisson_noise random_crop
    random_scale_crop rescale reveal rotate90 salt_and_pepper scale scratches
    second_order sepia sharpen sketch speckle_noise structure tears thumbnail
    uneven_light varnish water_stains xdog
  """
  for name in names.split():
    assert registry._factory(name).makes_op


def test_an_old_name_says_the_new_one(caplog):
  with caplog.at_level('WARNING'):
    registry.chain('kind')
  assert 'op kind is called class_label now' in caplog.text


def test_two_ops_of_one_name_are_refused(monkeypatch, tmp_path):
  package = tmp_path / 'doubled'
  package.mkdir()
  (package / '__init__.py').touch()
  for module in 'ab':
    (package / f'{module}.py').write_text(
      'def same(): pass\nsame.makes_op = True\n'
    )
  monkeypatch.syspath_prepend(tmp_path)
  monkeypatch.setattr(registry, 'OP_PACKAGES', ('doubled',))
  with pytest.raises(ValueError, match="called 'same': in doubled.a and in"):
    registry._all_ops.__wrapped__()


@pytest.mark.parametrize(
  'package, name, advice',
  [
    ('artjax.data.ops', 'geometry.flp', 'did you mean geometry.flip'),
    ('artjax.data.ops', 'geomtry.flip', 'did you mean geometry.flip'),
    ('artjax.data.ops.geometry', 'random_crp', 'did you mean random_crop'),
    ('artjax.data.ops.geometry', 'zzzzzz', 'known: .*center_crop'),
    ('artjax.data.ops.geometry', '_pad', "no '_pad'"),  # private
    ('artjax.data.ops.geometry', 'resize', "no 'resize'"),  # a module
    ('artjax.data.sources.base', 'NamedTuple', "no 'NamedT"),  # merely imported
  ],
)
def test_unknown_names_list_what_comes_close(package, name, advice):
  with pytest.raises(ValueError, match=advice):
    registry.get(package, name)


def test_errors_inside_a_module_are_not_hidden(monkeypatch, tmp_path):
  (tmp_path / 'broken_module.py').write_text('import no_such_dependency')
  monkeypatch.syspath_prepend(tmp_path)
  with pytest.raises(ModuleNotFoundError, match='no_such_dependency'):
    registry.get('broken_module', 'anything')


@pytest.fixture
def recorder(monkeypatch):
  """Ops for the chain: `note`, `fail` and others."""

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

  ops = {op.__name__: op for op in (note, fail, forget)}
  monkeypatch.setattr(registry, 'ops', lambda: ops)


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
    ('zzzz', 'known: fail, forget, note'),
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
