"""The presets that train tones and structure apart: `aged` and `structure`."""

import functools

import cv2
import numpy as np
from preset_plans import names_of
from preset_plans import picture
from preset_plans import PRESETS
import pytest

from artjax import registry
from artjax.data.degradations import plans as tables
from artjax.data.degradations import presets
from artjax.data.degradations.local import lines
from artjax.data.degradations.local import losses


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
  for table in (tables.MEDIUM, tables.LAID_OVER, tables.SCANNER)
  for kind, _ in table
}


def test_breadth_adds_one_to_three_kinds_each_in_its_place(monkeypatch):
  factory = functools.partial(PRESETS['structure'], breadth=1.0)
  plans = names_of(tables.run, monkeypatch, factory, range(120))[1::2]
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
  plans = names_of(tables.run, monkeypatch, factory, range(150))[1::2]
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


def test_kinds_that_are_held_out_of_breadth_are_never_drawn():
  kinds = tables.further(('tape', 'labels'))
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
  kinds = tables.further((), ('tape', 'labels'))
  assert sorted(f.__name__ for f, _ in kinds) == ['labels', 'tape']
  every = tables.further(())
  assert tables.further(('tape',), ('tape', 'labels')) == [
    kind for kind in every if kind[0].__name__ == 'labels'
  ]
  for seed in range(8):  # one, two or three are wanted, of two
    rng = np.random.default_rng(seed)
    plan = tables.broadened([], [], kinds, rng)
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


def test_losses_can_be_left_to_a_filler(monkeypatch):
  # A print is scratched before paint is lost: the loss is kept all the same.
  plan = [(lines.scratches, 1.0), (losses.paint_losses, 1.0)]
  monkeypatch.setattr(
    tables, 'some', lambda table, *_: [] if table is tables.AGED_PAINT else plan
  )
  monkeypatch.setattr(tables, 'camera', lambda rng: [])
  image = picture(96, 96)
  made = presets.structure(0.9, keep_losses=True)(
    {'image': image}, np.random.default_rng(3)
  )
  crack, loss, _ = np.moveaxis(made['mask'] > 0, -1, 0)
  assert loss.mean() > 0.01
  wrong = np.abs(made['image'] - made['target']).max(-1)
  assert np.median(wrong[loss & ~crack]) == 0  # soft edges of scratches apart
  assert wrong[crack].mean() > 0.02
  lost = np.abs(made['target'] - image / np.float32(255)).max(-1)
  assert lost[loss].mean() > 0.05
  assert np.median(lost[~loss]) < 1e-6
