"""Presets: order of causes, range, severity."""

import functools

import cv2
import numpy as np
import pytest

from artjax import registry
from artjax.data.degradations import presets

PRESETS = registry.ops('artjax.data.degradations.presets')
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


def picture(height=128, width=128, seed=0):
  y, x = np.mgrid[:height, :width] / max(height, width)
  rng = np.random.default_rng(seed)
  image = np.stack(
    [
      0.45
      + 0.3 * np.sin(5 * x + phase + 4 * y * phase)
      + 0.15 * np.sin(60 * y * x + phase)
      for phase in rng.uniform(0.5, 3, 3)
    ],
    -1,
  )
  return np.rint(255 * image).astype(np.uint8)


def psnr(factory, severity, image, seeds):
  """Mean over draws, dB, of pictures of 8 bits."""
  values = []
  for seed in seeds:
    out = factory(severity)({'image': image}, np.random.default_rng(seed))
    error = np.rint(out['image'] * np.float32(255)) - image
    values.append(10 * np.log10(255**2 / np.mean(error**2)))
  return np.mean(values)


def names_of(run, monkeypatch, factory, seeds):
  """The degradations of each example, in order; `run` is the real one."""
  plans = []

  def spy(plan, example, severity, rng):
    plans.append([step.__name__ for step, _ in plan])
    return run(plan, example, severity, rng)

  monkeypatch.setattr(presets, '_run', spy)
  for seed in seeds:
    factory(0.5)({'image': picture(32, 32)}, np.random.default_rng(seed))
  return plans


def test_all_are_there():
  assert set(PRESETS) == {
    'aged',
    'old_painting',
    'old_photo',
    'structure',
    'undamaged',
    'damaged_or_clean',
  }


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
    presets._run, monkeypatch, PRESETS['damaged_or_clean'], range(150)
  )
  drawn = {name for plan in plans for name in plan}
  assert drawn >= {f.__name__ for f, _, _ in presets._PAINT_DAMAGE}


def test_the_few_kinds_can_be_of_one_part_alone(monkeypatch):
  of_part = lambda part: {
    kind.__name__ for kind, _, _ in presets._PAINT_DAMAGE if kind.part == part
  }
  stained = of_part('stain')
  assert {'water_stains', 'foxing'} <= stained and len(of_part('crack')) == 4

  def share(part):
    """Of the damage drawn, how much is stains."""
    factory = lambda severity: PRESETS['damaged_or_clean'](severity, part=part)
    plans = names_of(presets._run, monkeypatch, factory, range(150))
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
    if name not in ('structure', 'aged'):  # which make a target of their own
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
  plans = names_of(presets._run, monkeypatch, factory, range(160))
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
    assert {kind.__name__ for kind, _, _ in presets._PAINT_DAMAGE} <= seen


def test_without_a_camera_nothing_follows_the_damage(monkeypatch):
  plans = names_of(
    presets._run,
    monkeypatch,
    functools.partial(presets.old_painting, camera=False),
    range(40),
  )
  assert not CAMERA & set().union(*plans)
  assert {'scratches', 'fading'} <= set().union(*plans)


def test_colours_change_in_most_old_paintings(monkeypatch):
  plans = names_of(presets._run, monkeypatch, presets.old_painting, range(200))
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
  tables = (
    presets._AGED_PAINT,
    presets._PAINT_DAMAGE,
    presets._AGED_PRINT,
    presets._PRINT_DAMAGE,
    presets._BLUR,
    presets._NOISE,
  )
  known = {
    **registry.ops('artjax.data.degradations.global_'),
    **registry.ops('artjax.data.degradations.local'),
  }
  for table in tables:
    for factory, probability, factor in table:
      assert known[factory.__name__] is factory
      # A factor above 1 saturates: the severity is bounded when it is applied.
      assert 0 < probability <= 1 and 0 < factor <= 1.5
  for table in (presets._BLUR, presets._NOISE):
    assert sum(row[1] for row in table) == pytest.approx(1)


def test_aged_changes_tones_alone():
  image = picture(96, 96)
  for seed in range(10):
    rng = lambda seed=seed: np.random.default_rng(seed)
    out = PRESETS['aged'](0.6)({'image': image}, rng())
    assert out['target'] is image
    assert not np.array_equal(out['image'], image) and 'mask' not in out
    out = PRESETS['aged'](0.6, clean=1.0)({'image': image}, rng())
    assert out['image'] is image and out['target'] is image


def test_aged_has_damage_in_both_or_in_the_image_alone():
  image, alike = picture(96, 96), []
  for seed in range(20):
    out = PRESETS['aged'](0.6, clean=1.0, damaged=1.0)(
      {'image': image}, np.random.default_rng(seed)
    )
    alike.append(out['image'] is out['target'])
    assert not np.array_equal(out['image'], image)
  assert 4 < sum(alike) < 16


def test_aged_makes_photographs_grey_or_brown_in_the_target_too():
  image = picture(96, 96)
  for seed in range(5):
    out = PRESETS['aged'](0.6, grey=1.0)(
      {'image': image}, np.random.default_rng(seed)
    )
    assert not np.array_equal(out['target'], image)


def test_structure_ages_tones_alike_and_damages_the_image_alone():
  image = picture(96, 96)
  for seed in range(10):
    out = PRESETS['structure'](0.6, clean=1.0)(
      {'image': image}, np.random.default_rng(seed)
    )
    assert out['image'] is out['target']
    out = PRESETS['structure'](0.6)(
      {'image': image}, np.random.default_rng(seed)
    )
    assert not np.array_equal(out['image'], out['target'])


def test_structure_draws_dirt_in_the_shape_of_given_masks(tmp_path):
  mask = np.zeros([64, 64], np.uint8)
  mask[:, 30:34] = 255
  cv2.imwrite(str(tmp_path / 'line.png'), mask)
  flat = {'image': np.full([64, 64, 3], 128, np.uint8)}
  marked = 0
  for seed in range(40):
    out = PRESETS['structure'](1.0, dirt=str(tmp_path))(
      flat, np.random.default_rng(seed)
    )
    marked += bool(out.get('mask', np.zeros(1)).any(-1).mean() > 0.04)
  assert marked > 10


BROAD = {
  kind.__name__
  for table in (presets._MEDIUM, presets._LAID_OVER, presets._SCANNER)
  for kind, _ in table
}


def test_breadth_adds_one_to_three_kinds_each_in_its_place(monkeypatch):
  factory = functools.partial(PRESETS['structure'], breadth=1.0)
  plans = names_of(presets._run, monkeypatch, factory, range(120))[1::2]
  local = set(registry.ops('artjax.data.degradations.local'))
  seen = set()
  for plan in plans:
    added = [name for name in plan if name in BROAD]
    assert 1 <= len(added) <= 3 and len(set(added)) == len(added)
    seen |= set(added)
    stage = [
      0
      if name in ('halftone', 'hard_grain')
      else 1
      if name in local
      else 2
      if name != 'jpeg'
      else 3
      for name in plan
    ]
    assert stage == sorted(stage), plan
  assert seen == BROAD and len(BROAD) == 10


def test_breadth_is_a_share_of_the_damaged_examples(monkeypatch):
  factory = functools.partial(PRESETS['structure'], breadth=0.3)
  plans = names_of(presets._run, monkeypatch, factory, range(150))[1::2]
  assert 0.15 < np.mean([bool(BROAD & set(plan)) for plan in plans]) < 0.45


def test_without_breadth_nothing_is_drawn_differently():
  """The damage of seed 3, as it was before there was breadth."""
  op = PRESETS['structure']((0.0, 1.0), clean=0.06)
  image = picture(64, 64)
  out = op({'image': image}, np.random.default_rng(3))
  none = PRESETS['structure']((0.0, 1.0), clean=0.06, breadth=0.0)
  same = none({'image': image}, np.random.default_rng(3))
  np.testing.assert_array_equal(out['image'], same['image'])
  plain = np.random.default_rng(3)
  op({'image': image}, plain)
  broad = np.random.default_rng(3)
  PRESETS['structure']((0.0, 1.0), clean=0.06, breadth=1e-9)(
    {'image': image}, broad
  )
  assert plain.bit_generator.state != broad.bit_generator.state


def test_undamaged_pictures_have_no_mask_but_are_not_as_they_were():
  image = picture(64, 64)
  out = [
    PRESETS['undamaged'](0.8)({'image': image}, np.random.default_rng(i))
    for i in range(40)
  ]
  assert not any('mask' in example for example in out)
  changed = [example['image'] is not image for example in out]
  assert 0.7 < np.mean(changed) < 1


def test_kinds_that_are_held_out_of_breadth_are_never_drawn():
  kinds = presets._further(('tape', 'labels'))
  names = {factory.__name__ for factory, _ in kinds}
  assert len(names) == 8 and not names & {'tape', 'labels'}
  example = {'image': picture(48, 48)}
  seen = []
  for seed in range(30):
    same = [
      PRESETS['structure'](0.7, breadth=1.0, without=without)(
        example, np.random.default_rng(seed)
      )['image']
      for without in ((), ('tape', 'labels'))
    ]
    seen.append(np.array_equal(*same))
  assert not all(seen)
  with pytest.raises(ValueError, match="without='tap' is not one of halftone"):
    PRESETS['structure'](0.7, without=('tap',))(
      example, np.random.default_rng(0)
    )


def test_only_some_of_the_further_kinds():
  kinds = [f.__name__ for f, _ in presets._further((), ('tape', 'labels'))]
  assert sorted(kinds) == ['labels', 'tape']
  every = presets._further(())
  assert presets._further(('tape',), ('tape', 'labels')) == [
    kind for kind in every if kind[0].__name__ == 'labels'
  ]
  for seed in range(8):  # one, two or three are wanted, of two
    rng = np.random.default_rng(seed)
    plan = presets._broadened([], presets._further((), ('tape', 'labels')), rng)
    assert {f.__name__ for f, _ in plan} <= {'tape', 'labels'} and plan
  for wrong, message in (
    ({'only': ('tap',)}, "only='tap' is not one of"),
    ({'only': ('tape',), 'without': ('tape',)}, 'leave no kind'),
  ):
    with pytest.raises(ValueError, match=message):
      PRESETS['structure'](0.7, **wrong)(
        {'image': np.zeros([32, 32, 3], np.float32), 'name': 'a'},
        np.random.default_rng(0),
      )
