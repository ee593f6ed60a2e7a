"""Damage probability maps -> masks, shares, boxes."""

import numpy as np
import pytest

from artjax.restoration.masks import damage_map


def probabilities(*points, shape=(64, 80)):
  """u8[H, W, 3] that is 0 but at (row, column, channel, value)."""
  out = np.zeros([*shape, 3], np.uint8)
  for row, column, channel, value in points:
    out[row, column, channel] = value
  return out


def test_threshold_by_hand_in_both_types():
  found = probabilities((3, 4, 0, 128), (3, 5, 1, 127), (9, 9, 2, 255))
  mask = damage_map.binary(found, 0.5)
  assert mask.dtype == np.uint8
  assert [tuple(p) for p in np.argwhere(mask == 255)] == [(3, 4, 0), (9, 9, 2)]
  unit = found.astype(np.float32) / 255
  np.testing.assert_array_equal(damage_map.binary(unit, 0.5), mask)
  for level in range(1, 256):
    edge = probabilities((0, 0, 0, level), (0, 1, 0, level - 1))
    assert damage_map.binary(edge, level / 255)[0, :2, 0].tolist() == [255, 0]
  # One threshold a class.
  assert damage_map.binary(found, (0.6, 0.4, 1.0))[3].sum(0).tolist() == [
    0,
    255,
    0,
  ]


def test_nothing_found_is_nothing():
  mask = damage_map.binary(probabilities(), 0.5, min_area=4, dilate=3)
  assert not mask.any() and damage_map.regions(mask) == []
  assert damage_map.shares(mask) == {
    'crack': 0,
    'loss': 0,
    'stain': 0,
    'any': 0,
  }


def test_small_pieces_go_and_pieces_of_several_kinds_count_together():
  found = probabilities(
    *[(10, c, c % 2, 200) for c in range(5, 11)],  # 6 px in line
    *[(30 + d, 40 + d, 2, 200) for d in range(3)],
  )  # a diagonal
  assert (damage_map.binary(found, min_area=3) > 0).sum() == 9
  mask = damage_map.binary(found, min_area=4)
  assert (mask > 0).sum() == 6 and not mask[..., 2].any()
  assert not damage_map.binary(found, min_area=7).any()


def test_dilation_stays_in_its_channel():
  mask = damage_map.binary(probabilities((20, 20, 1, 255)), dilate=2)
  assert mask[20, 18:23, 1].all() and mask[18:23, 20, 1].all()
  assert not mask[20, 17, 1] and not mask[..., [0, 2]].any()


def test_shares_by_hand():
  mask = np.zeros([10, 10, 3], np.uint8)
  mask[:2, :, 0] = mask[:1, :, 2] = 255
  assert damage_map.shares(mask) == {
    'crack': 0.2,
    'loss': 0,
    'stain': 0.1,
    'any': 0.2,
  }


@pytest.mark.parametrize(
  'arguments',
  [
    {'threshold': 0},
    {'threshold': (0.5, 0.5, 1.2)},
    {'min_area': -1},
    {'dilate': 1.5},
  ],
  ids=str,
)
def test_bad_arguments_are_named(arguments):
  with pytest.raises(ValueError, match=next(iter(arguments))):
    damage_map.binary(probabilities(), **arguments)


def test_another_array_is_no_map():
  with pytest.raises(ValueError, match='damage probability map'):
    damage_map.binary(np.zeros([4, 4], np.uint8))


def test_a_craquelure_of_many_pieces_is_one_region():
  mask = np.zeros([400, 500, 3], np.uint8)
  rng = np.random.default_rng(0)
  pieces = rng.integers(0, 180, [300, 2])
  mask[100 + pieces[:, 0], 50 + pieces[:, 1], 0] = 255
  mask[390:, 470:, 2] = 255
  rows, columns = 100 + pieces[:, 0], 50 + pieces[:, 1]
  assert damage_map.regions(mask, 64) == [
    (columns.min(), rows.min(), np.ptp(columns) + 1, np.ptp(rows) + 1),
    (470, 390, 30, 10),
  ]


def test_only_neighbours_are_merged():
  mask = np.zeros([64, 400], np.uint8)
  mask[10, [5, 45, 300]] = 255
  assert damage_map.regions(mask, 64) == [(5, 10, 41, 1), (300, 10, 1, 1)]
  assert len(damage_map.regions(mask, 16)) == 3


def test_boxes_do_not_overlap_and_hold_everything():
  rng = np.random.default_rng(1)
  mask = np.where(rng.random([203, 307]) < 2e-4, 255, 0).astype(np.uint8)
  # A long diagonal, in whose box others lie.
  mask[np.arange(60), 2 * np.arange(60)] = 255
  count = np.zeros_like(mask)
  for x, y, w, h in damage_map.regions(mask, 16):
    assert x + w <= 307 and y + h <= 203
    count[y : y + h, x : x + w] += 1
  assert count.max() == 1 and count[mask > 0].all()
  assert 1 < len(damage_map.regions(mask, 16)) < (mask > 0).sum()
