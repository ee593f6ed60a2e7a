"""Evaluation of detection, and the report of the command."""

import json
import subprocess
import sys

from conftest import random_params
from conftest import ROOT
from conftest import tiny_config
import numpy as np
import pytest

from artjax import registry
from artjax.evaluation import damage_tally
from artjax.evaluation import runner
from artjax.interop import safetensors_io

DAMAGE = (
  'fit(64)|copy("image", "real")|craquelure(0.8)|water_stains(0.8)|mask_target'
)


def config(**overrides):
  return tiny_config(**{'task': 'detect', 'eval.ops': DAMAGE, **overrides})


def evaluate(restorer, **overrides):
  return runner.evaluate(runner.evaluator(config(**overrides)), [restorer])


def test_measures_what_the_restorer_gives():
  seen = []

  def oracle(picture):
    seen.append(picture)
    return np.full_like(picture, 128)

  results = evaluate(oracle)
  assert len(results.records) == 2 and len(seen) == 4  # damaged and clean
  assert results.network.false_area(0.5) == (1, 1)
  share = results.network.figures('any', 0.5)
  assert 0 < share['share'] == share['precision'] < 1
  assert len(results.network.clean) == 2
  figures = results.figures()
  assert figures['precision'] == share['precision'] and figures['recall'] == 1
  assert figures['clean_area_max'] == 1
  assert results.scalars()['eval/iou'] == figures['iou']
  assert results.images()['picture | probabilities | mask'].shape[0] == 2
  # Without a clean copy there is nothing to say of clean pictures.
  without = DAMAGE.replace('copy("image", "real")|', '')
  found = evaluate(oracle, **{'eval.ops': without}).as_json()
  assert found['clean_area_mean'] is None
  json.dumps(found, allow_nan=False)


def test_the_worst_maps_are_named_and_shown():
  masks = [e['target'] for e in runner.evaluator(config()).examples()]
  seen = []

  def misses_the_second(picture):
    seen.append(picture)
    # Each damaged picture comes before what it was.
    return masks[0] if len(seen) == 1 else np.zeros_like(picture)

  settings = {'eval.panels': 0, 'eval.worst': 1, 'best_metric': 'recall'}
  found = evaluate(misses_the_second, **settings)
  assert found.worst == ('recall', [(found.records[1], 0.0)])
  assert [bool(r.panel) for r in found.records] == [False, True]
  assert f'Worst by recall: {found.records[1].name} 0.0000.' in found.table()
  shown = found.images()['worst: picture | probabilities | mask']
  assert shown.shape[0] == 1


def test_a_picture_without_a_figure_is_none_of_the_worst():
  nothing = 'fit(64)|copy("image", "real")|craquelure(0.0)|mask_target'
  found = evaluate(np.zeros_like, **{'eval.ops': nothing})
  assert found.worst == ('average_precision', [])
  assert 'Worst' not in found.table()


def test_the_filter_is_left_out_where_no_baseline_is_wanted():
  half = lambda picture: np.full_like(picture, 128)
  results = evaluate(half, **{'eval.baselines': False})
  assert results.filter is None and 'filter' not in results.as_json()
  assert 'ilter' not in results.table()
  assert 'AP, filter' in evaluate(half).table()


def test_a_picture_for_a_target_is_refused():
  with pytest.raises(ValueError, match='mask_target'):
    evaluate(lambda p: p, **{'eval.ops': 'fit(64)|copy("image", "target")'})


def test_fields_that_cannot_be_used_are_refused_at_once():
  with pytest.raises(ValueError, match='threshold must be in'):
    runner.evaluator(config(**{'eval.threshold': 0.0}))
  with pytest.raises(ValueError, match="'psnr_rgb' for the task detect"):
    runner.evaluator(config(**{'eval.metrics': ('psnr_rgb',)}))


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
  assert set(last['output']) == set(damage_tally.CLASSES)
  assert 0 <= last['output']['any']['average_precision'] <= 1
  assert last['filter']['any']['average_precision'] > 0
  assert last['threshold'] == 0.5 and last['pictures'] == 2
  report = (tmp_path / 'report.md').read_text()
  assert '| crack |' in report and DAMAGE in report
  assert len(list((tmp_path / 'panels').glob('*.jpg'))) == 2
  assert len((tmp_path / 'per_picture.csv').read_text().splitlines()) == 3
