"""Evaluation: means, tables, reports."""

import csv
import json

from conftest import tiny_config
import numpy as np
import pytest

from artjax import resampling
from artjax.data import pipeline
from artjax.evaluation import metrics
from artjax.evaluation import paired

NAMES = ('psnr_rgb', 'mae')


def run(**overrides):
  config = tiny_config(**overrides)
  return config, paired.evaluate(
    config, lambda picture: picture // 2, metric_names=NAMES
  )


def test_measures_output_and_input_of_every_picture():
  config, results = run()
  examples = list(pipeline.pictures(config))
  assert results['pictures'] == len(examples) == len(results['rows'])
  for example, (name, after, before) in zip(examples, results['rows']):
    assert name == example['name']
    assert (
      before['psnr_rgb']
      == metrics.psnr_rgb(example['image'][None], example['target'][None])[0]
    )
    assert (
      after['psnr_rgb']
      == metrics.psnr_rgb(example['image'][None] // 2, example['target'][None])[
        0
      ]
    )
  for part, column in (('output', 1), ('input', 2)):
    for name in NAMES:
      assert results[part][name] == pytest.approx(
        np.mean([row[column][name] for row in results['rows']])
      )


def test_lpips_of_a_damaged_picture_is_worse_than_of_itself():
  config = tiny_config(**{'eval.max_pictures': 1})
  results = paired.evaluate(
    config, lambda picture: picture, metric_names=('lpips',)
  )
  assert results['output']['lpips'] == results['input']['lpips'] > 1e-3


def test_super_resolution_stands_beside_bicubic_and_its_input():
  config = tiny_config(
    **{
      'eval.ops': 'fit(64)|mod_crop(4)|copy("image", "target")|downscale(4)',
      'eval.crop': 4,
    }
  )
  nearest = lambda low: low.repeat(4, 0).repeat(4, 1)
  results = paired.evaluate(config, nearest, metric_names=NAMES)
  example = next(iter(pipeline.pictures(config)))
  bicubic = resampling.imresize(example['image'], 4)
  before = results['rows'][0][2]
  assert (
    before['psnr_rgb']
    == metrics.psnr_rgb(bicubic[None], example['target'][None], crop=4)[0]
  )
  # Repeated pixels shrink to what they were, but for the kernel's overshoot;
  # the consistency is measured up to the border.
  again = resampling.imresize(nearest(example['image']), 1 / 4)
  assert (
    results['rows'][0][1]['consistency']
    == metrics.psnr_rgb(again[None], example['image'][None])[0]
    > before['psnr_rgb']
  )
  assert '| metric | bicubic |' in paired.table(results)
  (middle,) = paired.closeup(example['target'], side=16)
  height, width = example['target'].shape[:2]
  top, left = (height - 16) // 2, (width - 16) // 2
  assert middle.shape == (32, 32, 3)
  assert (
    middle[::2, 1::2] == example['target'][top : top + 16, left : left + 16]
  ).all()


def test_unknown_metric_is_named():
  with pytest.raises(ValueError, match="'pnsr'"):
    paired.evaluate(tiny_config(), lambda p: p, metric_names=('pnsr',))


def test_report_holds_table_csv_and_panels(tmp_path):
  _, results = run()
  paired.write_report(
    results, str(tmp_path), title='Test', settings={'weights': 'w'}, crop=4
  )
  rows = list(
    csv.DictReader((tmp_path / 'per_picture.csv').read_text().splitlines())
  )
  assert [row['picture'] for row in rows] == [r[0] for r in results['rows']]
  assert float(rows[0]['input_mae']) == results['rows'][0][2]['mae']
  text = (tmp_path / 'report.md').read_text()
  assert f'{results["output"]["psnr_rgb"]:.4f}' in text
  assert 'border of 4 px' in text
  for name in ('panels/000.jpg', 'before_after.png'):
    assert (tmp_path / name).stat().st_size > 1000


def test_panels_for_tensorboard_are_one_batch():
  _, results = run()
  panels = paired.square_panels(results, side=32)
  assert panels.shape == (results['pictures'], 32, 96, 3)


def test_json_has_no_infinity():
  config, _ = run()
  config.eval.ops = 'fit(64)|copy("image", "target")'
  results = paired.evaluate(config, lambda p: p, metric_names=NAMES)
  assert results['output']['psnr_rgb'] == np.inf
  text = json.dumps(paired.as_json(results), allow_nan=False)
  assert json.loads(text)['output'] == {'psnr_rgb': None, 'mae': 0.0}


def test_colours_stand_beside_grey_and_sepia():
  config = tiny_config(
    **{
      'task': 'colorize',
      'eval.ops': 'fit(48)|copy("image", "target")|reveal(10, 10, 0)|luma|'
      'keep("image", "target", "hints")',
    }
  )
  given = []

  def restorer(picture, hints=None):
    assert hints.shape == picture.shape[:2] + (4,) and hints.any()
    assert np.ptp(picture, -1).max() == 0
    given.append(hints)
    return np.uint8(np.clip(np.float32(picture) * [1.2, 1, 0.8], 0, 255))

  names = ('ciede2000', 'colourfulness')
  results = paired.evaluate(config, restorer, metric_names=names)
  assert len(given) == results['pictures'] == 2
  assert results['input']['colourfulness'] < 0.01
  # The best constant is no worse than none.
  assert results['sepia']['ciede2000'] <= results['input']['ciede2000'] + 0.05
  head, *_ = paired.table(results).splitlines()
  assert head == '| metric | grey | restored | change | sepia |'
  sepia = f'{results["sepia"]["ciede2000"]:.4f}'
  assert f'| {sepia} |' in paired.table(results)
  assert paired.as_json(results)['sepia'].keys() == set(names)
