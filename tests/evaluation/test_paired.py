"""Evaluation: means, tables, reports."""

import csv
import json

from conftest import tiny_config
import numpy as np
import pytest

from artjax import resampling
from artjax.data import pipeline
from artjax.evaluation import metrics
from artjax.evaluation import report
from artjax.evaluation import runner
from artjax.inference import confidence as calibrations

NAMES = ('psnr_rgb', 'mae')


def evaluate(restorer, names=NAMES, **overrides):
  config = tiny_config(**{'eval.metrics': names, **overrides})
  return runner.evaluate(runner.evaluator(config), [restorer])


def darker(picture):
  return picture // 2


@pytest.fixture(scope='module')
def results():
  return evaluate(darker)


def test_measures_output_and_input_of_every_picture(results):
  examples = list(pipeline.pictures(tiny_config()))
  assert len(results.records) == len(examples)
  for example, record in zip(examples, results.records):
    image, target = example['image'], example['target']
    assert record.name == example['name']
    for measured, picture in (
      (record.input, image),
      (record.output, image // 2),
    ):
      assert (
        measured['psnr_rgb']
        == (metrics.psnr_rgb(picture[None], target[None])[0])
      )
  for name in NAMES:
    for found, part in (
      (results.figures(), [r.output for r in results.records]),
      (results.inputs(), [r.input for r in results.records]),
    ):
      assert found[name] == pytest.approx(np.mean([row[name] for row in part]))


def test_counts_the_pictures_that_are_worse_than_before(results):
  assert results.worse() == len(results.records)
  assert 'more than 0.1 dB of psnr_rgb' in results.table()
  assert results.as_json()['worse'] == len(results.records)
  unchanged = evaluate(lambda picture: picture)
  assert unchanged.worse() == 0
  undamaged = evaluate(darker, **{'eval.ops': 'copy("image", "target")'})
  assert undamaged.worse() is None and 'Worse than' not in undamaged.table()
  assert evaluate(darker, ('mae',)).worse() is None


def test_lpips_of_a_damaged_picture_is_worse_than_of_itself():
  found = evaluate(lambda p: p, ('lpips',), **{'eval.max_pictures': 1})
  assert found.figures()['lpips'] == found.inputs()['lpips'] > 1e-3


def test_super_resolution_stands_beside_bicubic_and_its_input():
  low_resolution = {
    'eval.ops': 'fit(64)|mod_crop(4)|copy("image", "target")|downscale(4)',
    'eval.crop': 4,
  }
  nearest = lambda low: low.repeat(4, 0).repeat(4, 1)
  results = evaluate(nearest, **low_resolution)
  example = next(iter(pipeline.pictures(tiny_config(**low_resolution))))
  bicubic = resampling.imresize(example['image'], 4)
  before = results.records[0].input
  assert (
    before['psnr_rgb']
    == metrics.psnr_rgb(bicubic[None], example['target'][None], crop=4)[0]
  )
  # Repeated pixels shrink to what they were, but for the kernel's overshoot;
  # the consistency is measured up to the border.
  again = resampling.imresize(nearest(example['image']), 1 / 4)
  assert (
    results.records[0].output['consistency']
    == metrics.psnr_rgb(again[None], example['image'][None])[0]
    > before['psnr_rgb']
  )
  assert '| metric | bicubic |' in results.table()
  (middle,) = report.closeup(example['target'], side=16)
  height, width = example['target'].shape[:2]
  top, left = (height - 16) // 2, (width - 16) // 2
  assert middle.shape == (32, 32, 3)
  assert (
    middle[::2, 1::2] == example['target'][top : top + 16, left : left + 16]
  ).all()


def test_unknown_metric_is_named():
  with pytest.raises(ValueError, match="eval.metrics: no 'pnsr_y'.*psnr_y"):
    evaluate(darker, ('pnsr_y',))


def test_report_holds_table_csv_and_panels(tmp_path):
  results = evaluate(darker, **{'eval.crop': 4})
  results.write(str(tmp_path), {'weights': 'w'})
  rows = list(
    csv.DictReader((tmp_path / 'per_picture.csv').read_text().splitlines())
  )
  assert [row['picture'] for row in rows] == [r.name for r in results.records]
  assert float(rows[0]['input_mae']) == results.records[0].input['mae']
  text = (tmp_path / 'report.md').read_text()
  assert f'{results.figures()["psnr_rgb"]:.4f}' in text
  assert 'border of 4 px' in text
  for name in ('panels/000.jpg', 'before_after.png'):
    assert (tmp_path / name).stat().st_size > 1000


def test_tensorboard_gets_figures_and_panels(results):
  scalars = results.scalars()
  assert scalars['eval/psnr_rgb'] == results.figures()['psnr_rgb']
  assert scalars['eval_input/mae'] == results.inputs()['mae']
  panels = results.images()['degraded | restored | target']
  assert panels.shape[0] == len(results.records)


def test_an_identical_picture_is_counted_and_hides_no_other():
  first, second = (e['target'] for e in pipeline.pictures(tiny_config()))
  count = iter(range(2))
  results = evaluate(lambda p: first if next(count) == 0 else second // 2)
  other = metrics.psnr_rgb((second // 2)[None], second[None])[0]
  assert results.figures()['psnr_rgb'] == other
  found = json.loads(json.dumps(results.as_json(), allow_nan=False))
  assert found['output']['psnr_rgb'] == other
  assert found['identical'] == {'output': 1, 'input': 0}
  assert 'Identical to the target: 1 restored, 0 degraded' in results.table()
  assert results.scalars()['eval/identical'] == 1
  # The mean absolute error of an identical picture is a number like others.
  assert results.figures()['mae'] == results.records[1].output['mae'] / 2


def test_json_has_no_infinity_where_all_are_identical():
  same = {'eval.ops': 'fit(64)|copy("image", "target")'}
  results = evaluate(lambda p: p, **same)
  assert results.figures()['psnr_rgb'] == np.inf  # the best there is
  found = json.loads(json.dumps(results.as_json(), allow_nan=False))
  assert found['output'] == {'psnr_rgb': None, 'mae': 0.0}
  assert found['identical'] == {'output': 2, 'input': 2}


COLORIZE = {
  'task': 'colorize',
  'eval.ops': 'fit(48)|copy("image", "target")|reveal(10, 10, 0)|luma|'
  'keep("image", "target", "hints")',
}


def test_colours_stand_beside_grey_and_sepia():
  given = []

  def restorer(picture, hints=None):
    assert hints.shape == picture.shape[:2] + (4,) and hints.any()
    assert np.ptp(picture, -1).max() == 0
    given.append(hints)
    return np.uint8(np.clip(np.float32(picture) * [1.2, 1, 0.8], 0, 255))

  names = ('ciede2000', 'colourfulness')
  results = evaluate(restorer, names, **COLORIZE)
  assert len(given) == len(results.records) == 2
  assert results.inputs()['colourfulness'] < 0.01
  sepia = results.baselines()['sepia']
  # The best constant is no worse than none.
  assert sepia['ciede2000'] <= results.inputs()['ciede2000'] + 0.05
  head, *_ = results.table().splitlines()
  assert head == '| metric | grey | restored | change | sepia |'
  assert f'| {sepia["ciede2000"]:.4f} |' in results.table()
  assert results.as_json()['sepia'].keys() == set(names)


def test_sepia_is_left_out_where_no_baseline_is_wanted():
  grey = lambda picture, hints=None: picture
  quick = {'eval.baselines': False, 'eval.max_pictures': 1}
  results = evaluate(grey, ('ciede2000',), **COLORIZE, **quick)
  assert not results.baselines() and 'sepia' not in results.table()


def test_what_weights_predict_stands_beside_what_is_so():
  tables = calibrations.Calibration((-5.0, 0.0), (3.0, 3.0), *[(0.5, 0.5)] * 3)

  class Foretelling:
    calibration = tables

    def __call__(self, picture):
      return picture

    def with_scale(self, picture):
      return picture / np.float32(255), np.full(picture.shape[:2], -3.0)

  found = evaluate(Foretelling(), ('mae',), **{'eval.max_pictures': 1})
  (example,) = pipeline.pictures(tiny_config(**{'eval.max_pictures': 1}))
  error = np.abs(example['image'].astype(int) - example['target']).max(-1)
  said = found.as_json()['confidence']
  assert said['within_80'] == pytest.approx(np.mean(error <= 3), abs=1e-3)
  assert said['right'] == pytest.approx(np.mean(error <= 5), abs=1e-3)
  assert said['right_expected'] == 0.5
  assert f'at 80 %, {np.mean(error <= 3):.1%} are' in found.table()
  plain = evaluate(lambda p: p, ('mae',), **{'eval.max_pictures': 1})
  assert 'confidence' not in plain.as_json() and '80 %' not in plain.table()


def test_the_worst_pictures_are_named_and_shown():
  seen = []

  def spoils_the_third(picture):
    seen.append(picture)
    return np.zeros_like(picture) if len(seen) == 3 else picture

  found = evaluate(
    spoils_the_third,
    ('mae', 'psnr_rgb'),
    **{
      'best_metric': 'mae',
      'eval.max_pictures': 4,
      'eval.split': 'all',
      'eval.panels': 1,
      'eval.worst': 1,
    },
  )
  third = found.records[2]
  assert found.worst.records() == [third]
  assert [bool(r.panel) for r in found.records] == [True, False, True, False]
  assert found.images()['worst: degraded | restored | target'].shape[0] == 1
  assert f'Worst by mae: {third.name} {third.output["mae"]:.4f}.' in (
    found.table()
  )
