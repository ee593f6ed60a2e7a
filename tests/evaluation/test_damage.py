"""Figures of detection: pooled counts, thin lines, the command's report."""

import json
import subprocess
import sys

from conftest import random_params
from conftest import ROOT
from conftest import tiny_config
import cv2
import numpy as np
import pytest

from artjax import damage_classes
from artjax import registry
from artjax.evaluation import damage
from artjax.evaluation import metrics
from artjax.inference import loading
from artjax.interop import safetensors_io

DAMAGE = (
  'fit(64)|copy("image", "real")|craquelure(0.8)|water_stains(0.8)|mask_target'
)


def config(**overrides):
  return tiny_config(**{'task': 'detect', 'eval.ops': DAMAGE, **overrides})


def pair(seed=0, shape=(20, 30, 3)):
  rng = np.random.default_rng(seed)
  mask = np.where(rng.random(shape) < 0.2, 255, 0).astype(np.uint8)
  chances = rng.integers(0, 200, shape) + mask // 5
  return chances.astype(np.uint8), mask


def test_pictures_are_pooled_pixel_by_pixel():
  tally, pairs = damage.Tally(), [pair(0), pair(1, (7, 9, 3))]
  for chances, mask in pairs:
    tally.add(chances, mask)
  # Side by side they are one picture, which the metric can measure.
  chances, mask = (
    np.concatenate([p[i].reshape(-1, 3) for p in pairs]) for i in (0, 1)
  )
  whole = metrics.average_precision(chances[None, None], mask[None, None])
  figures = tally.figures('any', 0.5)
  np.testing.assert_allclose(figures['average_precision'], whole)
  for i, name in enumerate(damage_classes.CLASSES):
    figures = tally.figures(name, 0.5)
    found, damaged = chances[:, i] >= 127.5, mask[:, i] > 0
    hits = (found & damaged).sum()
    np.testing.assert_allclose(figures['share'], damaged.mean())
    np.testing.assert_allclose(figures['precision'], hits / found.sum())
    np.testing.assert_allclose(figures['recall'], hits / damaged.sum())
    np.testing.assert_allclose(figures['iou'], hits / (found | damaged).sum())
    p, r = figures['precision'], figures['recall']
    np.testing.assert_allclose(figures['f1'], 2 * p * r / (p + r))


def test_every_level_is_its_own_threshold():
  assert [damage.level_of(level / 255) for level in range(1, 256)] == list(
    range(1, 256)
  )
  assert damage.level_of(0.5) == 128


def test_best_threshold_has_the_best_f1():
  tally = damage.Tally()
  tally.add(*pair())
  best = tally.figures('any', tally.best_threshold())['f1']
  assert best == max(
    tally.figures('any', t)['f1'] for t in (np.arange(1, 256) / 255)
  )


def test_nothing_there_and_nothing_found_is_no_error():
  tally, empty = damage.Tally(), np.zeros([8, 8, 3], np.uint8)
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
  lines = damage.thin(mask)
  assert lines[5, 5:50].all() and lines[10:12, 5:50].all()
  assert lines[np.arange(30, 50), np.arange(2, 22)].all()
  assert not lines[20:23].any() and not lines[30:50, 30:50].any()
  disc = cv2.circle(np.zeros([60, 60], np.uint8), (30, 30), 9, 1, -1)
  assert not damage.thin(disc > 0).any()


def test_recall_of_thin_cracks_exact_and_within_a_pixel():
  chances, mask = np.zeros((2, 20, 20, 3), np.uint8)
  mask[10, :, 0] = mask[15, :, 2] = 255
  chances[10, :5, 0] = chances[11, 5:12, 0] = 200
  tally = damage.Tally()
  tally.add(chances, mask)
  # Of 20 px 5 are found, and 8 more are next to what was.
  np.testing.assert_allclose(tally.thin_recall(0.5), (5 / 20, 13 / 20))
  np.testing.assert_allclose(tally.thin_recall(0.9), (0, 0))


def test_area_marked_of_clean_pictures():
  tally, chances = damage.Tally(), np.zeros([10, 10, 3], np.uint8)
  tally.add_clean('a', chances)
  chances[0, :4, 1] = 128
  tally.add_clean('b', chances)
  np.testing.assert_allclose(tally.false_area(0.5), (0.02, 0.04))
  np.testing.assert_allclose(tally.false_area(0.51), (0, 0))
  with pytest.raises(ValueError, match='threshold'):
    tally.false_area(0)


def test_the_filter_finds_lines_and_no_edges():
  picture = np.full([60, 60, 3], 90, np.uint8)
  picture[:, 30:] = 180
  picture[10] += 60
  picture[40:42] -= 60
  found = damage.line_filter(picture)
  assert found[[10, 40, 41], 5:25].min() > 60
  assert found[20:30, 10:50].max() == 0


def test_measures_what_the_restorer_gives():
  seen = []

  def oracle(picture):
    seen.append(picture)
    return np.full_like(picture, 128)

  results = damage.measure(config(), oracle)
  assert results['pictures'] == 2 and len(seen) == 4  # damaged and clean
  assert results['network'].false_area(0.5) == (1, 1)
  share = results['network'].figures('any', 0.5)
  assert 0 < share['share'] == share['precision'] < 1
  assert len(results['network'].clean) == 2
  # Without a clean copy there is nothing to say of clean pictures.
  results = damage.measure(
    config(**{'eval.ops': DAMAGE.replace('copy("image", "real")|', '')}), oracle
  )
  assert damage.as_json(results, 0.5)['clean_area_mean'] is None
  json.dumps(damage.as_json(results, 0.5), allow_nan=False)


def test_a_picture_for_a_target_is_refused():
  with pytest.raises(ValueError, match='mask_target'):
    damage.measure(
      config(**{'eval.ops': 'fit(64)|copy("image", "target")'}), lambda p: p
    )


def test_command_prints_tables_and_writes_a_report(tmp_path):
  small = config(
    **{
      'model.args.context_size': 0,
      'model.args.features': (4,),
      'model.args.blocks': (0,),
    }
  )
  safetensors_io.save(
    str(tmp_path / 'small.safetensors'),
    random_params(registry.model(small), 0.1),
    small,
  )
  out = subprocess.run(
    [
      sys.executable,
      '-m',
      'artjax.main',
      '--config=configs/detect.py:quick',
      f'--weights={tmp_path / "small.safetensors"}',
      '--mode=evaluate',
      f'--output={tmp_path}',
      f'--config.eval.ops={DAMAGE}',
      '--config.eval.max_pictures=2',
    ],
    cwd=ROOT,
    capture_output=True,
    text=True,
    timeout=240,
  )
  assert out.returncode == 0, out.stderr
  last = json.loads(out.stdout.splitlines()[-1])
  assert set(last['output']) == set(damage.CLASSES)
  assert 0 <= last['output']['any']['average_precision'] <= 1
  assert last['filter']['any']['average_precision'] > 0
  assert last['threshold'] == 0.5 and last['pictures'] == 2
  report = (tmp_path / 'report.md').read_text()
  assert '| crack |' in report and DAMAGE in report
  assert len(list((tmp_path / 'panels').glob('*.jpg'))) == 2
  assert len((tmp_path / 'per_picture.csv').read_text().splitlines()) == 3


def test_weights_of_another_task_are_refused(monkeypatch):
  other = loading.restorer('unet')
  monkeypatch.setattr(loading, 'restorer', lambda where: other)
  with pytest.raises(ValueError, match='task is restore, not detect'):
    damage.evaluate_and_report(config(), 'unet')
