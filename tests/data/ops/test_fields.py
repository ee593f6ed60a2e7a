"""Fields of examples: copied, dropped, filled in."""

from drawn_pictures import pair_of_places
from drawn_pictures import places
import numpy as np
import pytest

from artjax.data.ops import fields


def _rng(seed=0):
  return np.random.default_rng(seed)


def test_an_empty_mask_of_a_pair_is_that_of_the_target():
  pair = pair_of_places(10, 12, 4)
  del pair['mask']
  kept = fields.keep('image', 'target', 'mask')(pair, _rng())
  assert kept['mask'].shape == (40, 48, 3) and not kept['mask'].any()


def test_keep_drops_the_rest_and_fills_in_masks():
  example = places(masks=False)
  kept = fields.keep('image', 'mask')(example, _rng())
  assert set(kept) == {'name', 'image', 'mask'}
  assert kept['mask'].shape == (50, 70, 3) and kept['mask'].dtype == np.uint8
  assert not kept['mask'].any()
  with pytest.raises(ValueError, match="no 'target'"):
    fields.keep('target')({'name': 'x', 'image': example['image']}, _rng())
  with pytest.raises(ValueError, match="no 'depth' among"):
    fields.copy('depth', 'target')(example, _rng())


def test_the_mask_becomes_the_target_and_is_empty_where_nothing_was_drawn():
  example = places()
  out = fields.mask_target()(example, _rng())
  assert out['target'] is example['mask'] and out['image'] is example['image']
  del example['mask']
  out = fields.mask_target()(example, _rng())
  assert out['target'].shape == example['image'].shape
  assert out['target'].dtype == np.uint8 and not out['target'].any()


def test_a_mask_of_some_classes_is_empty_of_the_others():
  example = places()
  mask = np.full(example['mask'].shape, 255, np.uint8)
  out = fields.mask_classes('stain', 'crack')({**example, 'mask': mask}, _rng())
  assert (out['mask'] == np.uint8([255, 0, 255])).all() and mask.all()
  del example['mask']
  assert not fields.mask_classes('loss')(example, _rng())['mask'].any()
  with pytest.raises(ValueError, match="no class of damage 'dent'"):
    fields.mask_classes('dent')
  with pytest.raises(ValueError, match='name some of crack, loss'):
    fields.mask_classes()


def test_where_pairs_differ_is_a_mask():
  target = np.full([6, 8, 3], 100, np.uint8)
  image = target.copy()
  image[2:4, 3:5, 1] = 120
  image[0, 0] = 104  # not to be seen
  old = np.zeros([6, 8, 3], np.uint8)
  old[5, :, 1] = 255
  example = {'image': image, 'target': target, 'mask': old, 'name': 'a'}
  mask = fields.difference_mask('loss')(example, _rng())['mask']
  want = old.copy()
  want[2:4, 3:5, 1] = 255
  np.testing.assert_array_equal(mask, want)
  assert (
    fields.difference_mask(least=0.0)(example, _rng())['mask'][0, 0, 0] == 255
  )
  for broken, problem in (
    ({'target': target[:3]}, 'differ in size'),
    ({'target': None}, 'no target'),
  ):
    broken = {k: v for k, v in {**example, **broken}.items() if v is not None}
    with pytest.raises(ValueError, match=problem):
      fields.difference_mask()(broken, _rng())
  with pytest.raises(ValueError, match="no class of damage 'dirt'"):
    fields.difference_mask('dirt')
  with pytest.raises(ValueError, match='least'):
    fields.difference_mask(least=8)


def test_the_old_name_of_a_field_is_kept_and_said(caplog):
  example = {'name': 'x', 'class_label': np.uint8(3), 'image': _rng()}
  with caplog.at_level('WARNING'):
    assert set(fields.keep('kind')(example, _rng())) == {'name', 'class_label'}
  assert "'kind' is called 'class_label' now" in caplog.text


def test_the_class_label_is_that_of_the_source():
  example = fields.class_label()({'name': 'x', 'label': 7}, _rng())
  assert (
    example['class_label'].dtype == np.uint8 and example['class_label'] == 7
  )
  assert fields.keep('class_label')(example, _rng())['class_label'] == 7
  for without in ({'name': 'x'}, {'name': 'x', 'label': 1000}):
    with pytest.raises(ValueError, match='no label in'):
      fields.class_label()(without, _rng())
