"""Counts of damage: pooled figures, thin lines, undamaged pictures."""

import cv2
import numpy as np
import pytest

from artjax import damage_classes
from artjax.evaluation import damage_tally
from artjax.evaluation import metrics


def pair(seed=0, shape=(20, 30, 3)):
  rng = np.random.default_rng(seed)
  mask = np.where(rng.random(shape) < 0.2, 255, 0).astype(np.uint8)
  probabilities = rng.integers(0, 200, shape) + mask // 5
  return probabilities.astype(np.uint8), mask


def test_pictures_are_pooled_pixel_by_pixel():
  tally, pairs = damage_tally.Tally(), [pair(0), pair(1, (7, 9, 3))]
  for probabilities, mask in pairs:
    tally.add(probabilities, mask)
  # Side by side they are one picture, which the metric can measure.
  probabilities, mask = (
    np.concatenate([p[i].reshape(-1, 3) for p in pairs]) for i in (0, 1)
  )
  whole = metrics.average_precision(probabilities[None, None], mask[None, None])
  figures = tally.figures('any', 0.5)
  np.testing.assert_allclose(figures['average_precision'], whole)
  for i, name in enumerate(damage_classes.CLASSES):
    figures = tally.figures(name, 0.5)
    found, damaged = probabilities[:, i] >= 127.5, mask[:, i] > 0
    hits = (found & damaged).sum()
    np.testing.assert_allclose(figures['share'], damaged.mean())
    np.testing.assert_allclose(figures['precision'], hits / found.sum())
    np.testing.assert_allclose(figures['recall'], hits / damaged.sum())
    np.testing.assert_allclose(figures['iou'], hits / (found | damaged).sum())
    p, r = figures['precision'], figures['recall']
    np.testing.assert_allclose(figures['f1'], 2 * p * r / (p + r))


def test_every_level_is_its_own_threshold():
  assert [
    damage_tally.level_of(level / 255) for level in range(1, 256)
  ] == list(range(1, 256))
  assert damage_tally.level_of(0.5) == 128


def test_best_threshold_has_the_best_f1():
  tally = damage_tally.Tally()
  tally.add(*pair())
  best = tally.figures('any', tally.best_threshold())['f1']
  assert best == max(
    tally.figures('any', t)['f1'] for t in (np.arange(1, 256) / 255)
  )


def test_nothing_there_and_nothing_found_is_no_error():
  tally, empty = damage_tally.Tally(), np.zeros([8, 8, 3], np.uint8)
  tally.add(empty, empty)
  figures = tally.figures('any', 0.5)
  assert figures['share'] == 0 and np.isnan(figures['iou'])
  assert np.isnan(tally.thin_recall(0.5)).all()
  assert np.isnan(tally.false_area(0.5)).all()
  assert 0 < tally.best_threshold() <= 1


def test_thin_is_at_most_two_px_wide():
  mask = np.zeros([60, 60], bool)
  mask[5, 5:50] = True  # 1 px
  mask[10:12, 5:50] = True  # 2 px
  mask[20:23, 5:50] = True  # 3 px
  mask[30:50, 30:50] = True  # a loss
  mask[np.arange(30, 50), np.arange(2, 22)] = True  # a diagonal
  lines = damage_tally.thin(mask)
  assert lines[5, 5:50].all() and lines[10:12, 5:50].all()
  assert lines[np.arange(30, 50), np.arange(2, 22)].all()
  assert not lines[20:23].any() and not lines[30:50, 30:50].any()
  disc = cv2.circle(np.zeros([60, 60], np.uint8), (30, 30), 9, 1, -1)
  assert not damage_tally.thin(disc > 0).any()


def test_recall_of_thin_cracks_exact_and_within_a_pixel():
  probabilities, mask = np.zeros((2, 20, 20, 3), np.uint8)
  mask[10, :, 0] = mask[15, :, 2] = 255
  probabilities[10, :5, 0] = probabilities[11, 5:12, 0] = 200
  tally = damage_tally.Tally()
  tally.add(probabilities, mask)
  # Of 20 px 5 are found, and 8 more are next to what was.
  np.testing.assert_allclose(tally.thin_recall(0.5), (5 / 20, 13 / 20))
  np.testing.assert_allclose(tally.thin_recall(0.9), (0, 0))


def test_area_marked_of_clean_pictures():
  tally, probabilities = damage_tally.Tally(), np.zeros([10, 10, 3], np.uint8)
  tally.add_clean('a', probabilities)
  probabilities[0, :4, 1] = 128
  tally.add_clean('b', probabilities)
  np.testing.assert_allclose(tally.false_area(0.5), (0.02, 0.04))
  np.testing.assert_allclose(tally.false_area(0.51), (0, 0))
  with pytest.raises(ValueError, match='threshold'):
    tally.false_area(0)


def test_merged_counts_are_those_of_all_pictures():
  together, merged = damage_tally.Tally(), damage_tally.Tally()
  for seed in range(3):
    one = damage_tally.Tally()
    for tally in (one, together):
      tally.add(*pair(seed))
      tally.add_clean(str(seed), pair(seed)[0])
    merged.merge(one)
  np.testing.assert_array_equal(merged.pixels, together.pixels)
  np.testing.assert_array_equal(merged.thin, together.thin)
  assert merged.clean.keys() == together.clean.keys() == {'0', '1', '2'}
