"""Presets: order of causes, range, severity."""

import functools

import numpy as np
from preset_plans import names_of
from preset_plans import picture
from preset_plans import PRESETS
import pytest

from artjax import registry
from artjax.data.degradations import plans as tables
from artjax.data.degradations import presets

# What the camera and the file add, after all that befell the object.
CAMERA = {
  'gaussian_blur',
  'anisotropic_blur',
  'motion_blur',
  'defocus_blur',
  'rescale',
  'gaussian_noise',
  'poisson_noise',
  'speckle_noise',
  'salt_and_pepper',
  'scan_lines',
  'jpeg',
}


def psnr(factory, severity, image, seeds):
  """Mean over draws, dB, of pictures of 8 bits."""
  values = []
  for seed in seeds:
    out = factory(severity)({'image': image}, np.random.default_rng(seed))
    error = np.rint(out['image'] * np.float32(255)) - image
    values.append(10 * np.log10(255**2 / np.mean(error**2)))
  return np.mean(values)


def test_all_are_there():
  assert set(PRESETS) == {
    'aged',
    'old_painting',
    'old_photo',
    'stained',
    'structure',
    'undamaged',
    'damaged_or_clean',
  }


def test_stains_are_what_image_and_target_differ_in(monkeypatch):
  translucent = {factory.__name__ for factory, _, _ in tables.STAINS}
  image, clean = picture(32, 32), 0
  stained, run = functools.partial(PRESETS['stained'], camera=0.0), tables.run
  stained = functools.partial(stained, clean=0.3)
  for seed in range(40):
    shared, *own = names_of(run, monkeypatch, stained, [seed])
    assert not translucent & set(shared)
    assert all(set(plan) <= translucent and plan for plan in own)
    clean += not own
    out = stained(0.5)({'image': image}, np.random.default_rng(seed))
    if not own:
      np.testing.assert_array_equal(out['image'], out['target'])
      assert 'mask' not in out
    elif (stain := out['mask'][..., 2] > 0).any() and not stain.all():
      assert not out['mask'][..., :2].any()
      apart = np.abs(out['image'] - out['target']).max(-1)
      assert apart[stain].mean() > 2 * apart[~stain].mean()
  assert 4 <= clean <= 20


def test_stains_and_what_is_below_are_seen_by_one_camera():
  image, seen = picture(64, 80), 0
  for seed in range(12):
    ops = PRESETS['stained'](0.4, camera=1.0)
    out = ops({'image': image}, np.random.default_rng(seed))
    stain = out['mask'].max(-1) > 0
    if stain.mean() < 0.5:
      seen += 1
      apart = np.abs(out['image'] - out['target']).max(-1)
      assert np.median(apart[~stain]) < 0.02
  assert seen >= 3


def test_as_many_are_clean_as_asked_for_and_the_rest_is_damaged():
  image = picture(64, 64)

  def damaged(clean):
    ops = PRESETS['damaged_or_clean'](0.8, clean=clean)
    found = [ops({'image': image}, np.random.default_rng(i)) for i in range(60)]
    return [out.get('mask', np.zeros(3)).any() for out in found], found

  none, found = damaged(1.0)
  assert not any(none)
  # Clean is not untouched: noise and fading are there to be told from damage.
  touched = [out['image'] is not image for out in found]
  assert 0.3 < np.mean(touched) < 0.95
  assert np.mean(damaged(0.0)[0]) > 0.85
  assert 0.4 < np.mean(damaged(0.4)[0]) < 0.75


def test_every_kind_of_local_damage_is_drawn(monkeypatch):
  plans = names_of(
    tables.run, monkeypatch, PRESETS['damaged_or_clean'], range(150)
  )
  drawn = {name for plan in plans for name in plan}
  assert drawn >= {f.__name__ for f, _, _ in tables.PAINT_DAMAGE}


def test_the_few_kinds_can_be_of_one_part_alone(monkeypatch):
  of_part = lambda part: {
    kind.__name__ for kind, _, _ in tables.PAINT_DAMAGE if kind.part == part
  }
  stained = of_part('stain')
  assert {'water_stains', 'foxing'} <= stained and len(of_part('crack')) == 4

  def share(part):
    """Of the damage drawn, how much is stains."""
    factory = lambda severity: PRESETS['damaged_or_clean'](severity, part=part)
    plans = names_of(tables.run, monkeypatch, factory, range(150))
    drawn = [
      name
      for plan in plans
      for name in plan
      if name in of_part('crack') | of_part('loss') | stained
    ]
    return np.mean([name in stained for name in drawn])

  assert share('stain') > 1.3 * share(None)
  with pytest.raises(ValueError, match="damage 'rust'.* crack, loss"):
    PRESETS['damaged_or_clean'](0.5, part='rust')(
      {'image': picture()}, np.random.default_rng(0)
    )


def test_further_kinds_are_drawn_where_breadth_is_asked_for(monkeypatch):
  further = {kind.__name__ for kind, _ in tables.LAID_OVER + tables.MEDIUM} - {
    'tape'
  }

  def drawn(**options):
    factory = lambda s: PRESETS['damaged_or_clean'](s, clean=0, **options)
    plans = names_of(tables.run, monkeypatch, factory, range(80))
    return [further & set(plan) for plan in plans], plans

  assert not any(drawn()[0])
  found, plans = drawn(breadth=0.5, without=('tape',))
  assert set.union(*found) == further
  assert 0.3 < np.mean([bool(kinds) for kinds in found]) < 0.65
  # What lies over a painting comes after its age and before the camera.
  order = [kind.__name__ for kind, *_ in tables.AGED_PAINT]
  for plan in plans:
    over = [i for i, name in enumerate(plan) if name in ('labels', 'grime')]
    aged = [i for i, name in enumerate(plan) if name in order]
    assert not over or not aged or max(aged) < min(over)
    assert 'jpeg' not in plan[: max(over, default=0)]


def test_filled_holes_and_grey_pictures_are_drawn_as_often_as_asked(
  monkeypatch,
):
  draw = PRESETS['damaged_or_clean']
  factory = lambda s: draw(s, clean=0.5, filled=0.5, breadth=0.1)
  plans = names_of(tables.run, monkeypatch, factory, range(120))
  # Of the half that is damaged, half.
  assert 0.15 < np.mean(['filled_holes' in plan for plan in plans]) < 0.35
  monkeypatch.setattr(tables, 'run', lambda _, example, *__: example)
  for share, least, most in ((0.0, 0, 0), (0.5, 0.35, 0.65)):
    op = draw(0.5, clean=0.5, grey=share)
    outs = [
      op({'image': picture()}, np.random.default_rng(i))['image']
      for i in range(80)
    ]
    assert least <= np.mean([is_neutral(out) for out in outs]) <= most


def is_neutral(image):
  """Whether all colours are shades of one, as of a print."""
  flat = image.reshape(-1, 3).astype(np.float32)
  spread = np.linalg.svd(flat - flat.mean(0), compute_uv=False)
  return spread[1] < 0.06 * spread[0]


def test_a_share_of_old_paintings_is_as_it_was():
  example = {'image': picture(48, 48)}
  ops = PRESETS['old_painting'](0.5, clean=0.4)
  same = [
    ops(example, np.random.default_rng(i))['image'] is example['image']
    for i in range(80)
  ]
  assert 0.25 < np.mean(same) < 0.55


@pytest.mark.parametrize('name', PRESETS)
def test_severity_zero_is_the_identity(name):
  example = {'image': picture(), 'name': 'a'}
  out = PRESETS[name](0.0)(example, np.random.default_rng(0))
  assert out['image'] is example['image'] and out == example


@pytest.mark.parametrize('name', PRESETS)
@pytest.mark.parametrize('shape', [(97, 131), (33, 40)])
def test_shape_range_and_input_are_kept(name, shape):
  image = picture(*shape)
  kept = image.copy()
  changed = 0
  for seed in range(15):
    out = PRESETS[name]((0.0, 1.0))(
      {'image': image, 'target': image}, np.random.default_rng(seed)
    )
    if out['image'] is image:  # a clean one
      continue
    changed += 1
    assert out['image'].shape == image.shape
    assert out['image'].dtype == np.float32
    assert np.isfinite(out['image']).all()
    assert 0 <= out['image'].min() and out['image'].max() <= 1
    if name not in (
      'structure',
      'aged',
      'stained',
    ):  # which make a target of their own
      assert out['target'] is image
  some_are_clean = name in ('damaged_or_clean', 'undamaged')
  assert changed > 9 if some_are_clean else changed == 15
  np.testing.assert_array_equal(image, kept)


@pytest.mark.parametrize('name', PRESETS)
def test_same_generator_same_damage(name):
  op = PRESETS[name]((0.0, 1.0))
  one, two, other = (
    op({'image': picture()}, np.random.default_rng(seed)) for seed in (1, 1, 2)
  )
  np.testing.assert_array_equal(one['image'], two['image'])
  assert np.abs(one['image'] - other['image']).max() > 0


@pytest.mark.parametrize('name', PRESETS)
def test_the_camera_comes_after_all_damage(name, monkeypatch):
  factory = PRESETS[name]
  if name == 'aged':  # whose damage is on demand
    factory = functools.partial(factory, damaged=1.0)
  plans = names_of(tables.run, monkeypatch, factory, range(160))
  seen = set()
  for plan in plans:
    kinds = [step in CAMERA for step in plan]
    assert kinds == sorted(kinds), plan
    assert 'jpeg' not in plan[:-1]
    seen |= set(plan)
  assert len(seen & CAMERA) >= 8
  local = set(registry.ops('artjax.data.degradations.local'))
  if name == 'undamaged':
    assert not local & seen
  else:
    assert {kind.__name__ for kind, _, _ in tables.PAINT_DAMAGE} <= seen


def test_without_a_camera_nothing_follows_the_damage(monkeypatch):
  plans = names_of(
    tables.run,
    monkeypatch,
    functools.partial(presets.old_painting, camera=False),
    range(40),
  )
  assert not CAMERA & set().union(*plans)
  assert {'scratches', 'fading'} <= set().union(*plans)


def test_colours_change_in_most_old_paintings(monkeypatch):
  plans = names_of(tables.run, monkeypatch, presets.old_painting, range(200))
  coloured = [
    bool({'fading', 'varnish', 'colour_cast'} & set(plan)) for plan in plans
  ]
  assert np.mean(coloured) >= 0.9


@pytest.mark.parametrize('name', PRESETS)
def test_severity_orders_the_whole_range(name):
  levels = [
    psnr(PRESETS[name], severity, picture(), range(40))
    for severity in (0.05, 0.3, 0.55, 0.8, 1.0)
  ]
  assert all(a > b for a, b in zip(levels, levels[1:])), levels


def test_mild_and_heavy_old_paintings():
  """Near what they are on paintings: 23.0 and 17.6 dB."""
  image = picture(192, 192)
  assert 20 < psnr(presets.old_painting, 0.3, image, range(40)) < 26
  assert 15 < psnr(presets.old_painting, 0.8, image, range(40)) < 20.5


def test_factories_come_from_their_modules():
  every = (
    tables.AGED_PAINT,
    tables.PAINT_DAMAGE,
    tables.AGED_PRINT,
    tables.PRINT_DAMAGE,
    tables.BLUR,
    tables.NOISE,
  )
  known = {
    **registry.ops('artjax.data.degradations.global_'),
    **registry.ops('artjax.data.degradations.local'),
  }
  for table in every:
    for factory, probability, factor in table:
      assert known[factory.__name__] is factory
      # A factor above 1 saturates: the severity is bounded when it is applied.
      assert 0 < probability <= 1 and 0 < factor <= 1.5
  for table in (tables.BLUR, tables.NOISE):
    assert sum(row[1] for row in table) == pytest.approx(1)


def test_undamaged_pictures_have_no_mask_but_are_not_as_they_were():
  image = picture(64, 64)
  out = [
    PRESETS['undamaged'](0.8)({'image': image}, np.random.default_rng(i))
    for i in range(40)
  ]
  assert not any('mask' in example for example in out)
  changed = [example['image'] is not image for example in out]
  assert 0.7 < np.mean(changed) < 1
