"""Measure of fills: by band, inside the mask, beside the others."""

import csv
import json

from conftest import tiny_config
import numpy as np
import pytest

from artjax.data import pipeline
from artjax.evaluation import baselines
from artjax.evaluation import inpainting
from artjax.evaluation import metrics
from artjax.evaluation import runner

OPS = (
  'fit(64)|copy("image", "target")|missing((0.05, 0.5), "boxes")'
  '|keep("image", "target", "mask")'
)
FILLS = ('telea', 'mean_fill')


def config(**overrides):
  return tiny_config(
    **{'eval.ops': OPS, 'eval.fills': FILLS, 'task': 'inpaint', **overrides}
  )


def evaluate(fill, **overrides):
  return runner.evaluate(runner.evaluator(config(**overrides)), [fill])


@pytest.fixture(scope='module')
def results():
  return evaluate(baselines.navier_stokes)


def test_every_mask_is_measured_in_every_way(results):
  assert len(results.records) == 2 * inpainting.SEEDS
  example = next(iter(pipeline.pictures(config())))
  name, share, found = results.records[0][:3]
  hole = example['mask'].any(-1)
  assert name == example['name'] and share == hole.mean()
  assert list(found) == [inpainting.OURS, *FILLS]
  ours = baselines.navier_stokes(example['target'], hole)
  assert (
    found[inpainting.OURS]['psnr_rgb']
    == metrics.psnr_rgb(ours[None], example['target'][None])[0]
  )
  error = (ours[hole].astype(float) - example['target'][hole]) ** 2
  assert found[inpainting.OURS]['psnr_rgb_hole'] == pytest.approx(
    10 * np.log10(255**2 / error.mean())
  )
  # Inside is the worse part.
  for figures in found.values():
    assert figures['psnr_rgb_hole'] < figures['psnr_rgb']
    assert figures['ssim_rgb_hole'] < figures['ssim_rgb']
    assert figures['lpips_hole'] > figures['lpips']
  shares = [row[1] for row in results.records]
  assert len(set(shares)) == len(shares)  # another mask for each seed


def test_a_fill_is_not_shown_what_it_is_measured_by():
  seen = []

  def fill(picture, hole):
    seen.append(picture[hole].max())
    return baselines.telea(picture, hole)

  evaluate(fill, **{'eval.fills': (), 'eval.max_pictures': 1})
  assert seen == [0] * inpainting.SEEDS


def test_bands_and_means():
  assert [inpainting.band(x) for x in (0.01, 0.1, 0.11, 0.3, 0.5, 0.9)] == [
    0,
    0,
    1,
    1,
    2,
    3,
  ]
  names = ('psnr_rgb', 'ssim_rgb_hole')
  records = [
    inpainting.Record(
      'x',
      share,
      {inpainting.OURS: dict.fromkeys(names, value)},
      identical=np.isinf(value),
      pixels=1,
      seconds=0.0,
      panel={},
    )
    for share, value in ((0.05, 2.0), (0.2, 4.0), (0.25, np.nan), (0.3, np.inf))
  ]
  parts = inpainting.by_band(records)
  assert [(low, high, len(part)) for low, high, part in parts] == [
    (0.0, 0.1, 1),
    (0.1, 0.3, 3),
    (0.0, 1.0, 4),
  ]
  found = [
    inpainting.means(part)[inpainting.OURS]['ssim_rgb_hole']
    for *_, part in parts
  ]
  assert found == [2.0, 4.0, 3.0]


def test_comparison_is_with_the_best_of_each():
  of = lambda psnr, lpips: (
    dict.fromkeys(('psnr_rgb', 'ssim_rgb'), 0.0)
    | {'psnr_rgb_hole': psnr, 'lpips': lpips, 'lpips_hole': 2 * lpips}
  )
  found = {inpainting.OURS: of(21.0, 0.1), 'a': of(20.0, 0.4), 'b': of(19, 0.2)}
  assert inpainting.comparison(found) == {
    'psnr_gain_hole': 1.0,
    'lpips_ratio_hole': 0.5,
    'lpips_ratio': 0.5,
  }
  assert inpainting.comparison({inpainting.OURS: of(21.0, 0.1)}) == {}


def test_report_holds_tables_csv_and_panels(results, tmp_path):
  results.write(str(tmp_path), {'weights': 'w'})
  text = (tmp_path / 'report.md').read_text()
  found = inpainting.means(results.records)
  assert f'| telea | {found["telea"]["psnr_rgb"]:.2f} |' in text
  rows = list(
    csv.DictReader((tmp_path / 'per_picture.csv').read_text().splitlines())
  )
  assert len(rows) == 3 * len(results.records)
  assert float(rows[1]['lpips']) == results.records[0].fills['telea']['lpips']
  assert (tmp_path / 'panels' / '000.jpg').stat().st_size > 1000
  entry = json.loads(json.dumps(results.as_json(), allow_nan=False))
  assert entry['masks'] == len(results.records) and entry['pictures'] == 2
  assert entry['bands']['0-1']['telea']['psnr_rgb'] == pytest.approx(
    found['telea']['psnr_rgb'], abs=1e-4
  )
  assert results.figures() == found[inpainting.OURS]
  assert results.scalars()['eval_telea/lpips'] == found['telea']['lpips']
  title, worst = results.images()
  assert title == 'holes | network | telea | mean_fill | picture'
  assert worst == f'worst: {title}'


def test_a_perfect_fill_is_counted_and_hides_no_other():
  whole = {e['name']: e['target'] for e in pipeline.pictures(config())}
  first = next(iter(whole.values()))

  def fill(picture, hole):
    if picture.shape == first.shape:
      exact = np.where(hole[..., None], first, picture)
      if (exact == first).all():
        return exact
    return baselines.telea(picture, hole)

  quick = {'eval.fills': (), 'eval.metrics': ('psnr_rgb',)}
  results = evaluate(fill, **quick)
  exact = [r.identical for r in results.records]
  assert 0 < sum(exact) < len(exact)
  others = [
    r.fills[inpainting.OURS]['psnr_rgb_hole']
    for r in results.records
    if not r.identical
  ]
  assert results.figures()['psnr_rgb_hole'] == pytest.approx(np.mean(others))
  assert results.as_json()['identical'] == sum(exact)
  assert f'{sum(exact)} fills of the network are identical' in results.table()


@pytest.mark.parametrize(
  'fill, overrides, message',
  [
    (baselines.telea, {'eval.fills': ('tella',)}, "no 'tella'"),
    (lambda picture, hole: picture // 2, {}, 'changes known pixels'),
    (
      baselines.telea,
      {'eval.ops': 'fit(64)|copy("image", "target")|keep("image", "target")'},
      'no mask',
    ),
    (
      baselines.telea,
      {
        'eval.ops': 'fit(64)|copy("image", "target")'
        '|keep("image", "target", "mask")'
      },
      'nothing is missing',
    ),
  ],
  ids=['unknown', 'changed', 'no mask', 'no hole'],
)
def test_bad_input_is_named(fill, overrides, message):
  with pytest.raises(ValueError, match=message):
    evaluate(fill, **overrides)


def test_filling_can_be_the_mean_over_eight_turns():
  seen = []

  class Filler:
    turns = True

    def __call__(self, picture, hole, self_ensemble=False):
      seen.append(self_ensemble)
      return baselines.telea(picture, hole)

  for ensemble in (False, True):
    evaluate(
      Filler(),
      **{
        'eval.self_ensemble': ensemble,
        'eval.max_pictures': 1,
        'eval.fills': (),
        'eval.metrics': ('psnr_rgb',),
      },
    )
  assert seen == [False] * inpainting.SEEDS + [True] * inpainting.SEEDS


def test_the_worst_fills_are_named_and_shown():
  seen = []

  def spoils_the_second(picture, hole):
    seen.append(picture)
    filled = baselines.mean_fill(picture, hole)
    if len(seen) == 2:
      filled[hole] = 255 - filled[hole]
    return filled

  found = evaluate(
    spoils_the_second,
    **{
      'eval.fills': (),
      'eval.metrics': ('psnr_rgb',),
      'eval.panels': 1,
      'eval.worst': 1,
    },
  )
  second = found.records[1]
  figure = second.fills[inpainting.OURS]['psnr_rgb_hole']
  assert found.worst == ('psnr_rgb_hole', [(second, figure)])
  assert sum(bool(r.panel) for r in found.records) == 2
  assert f'Worst by psnr_rgb_hole: {second.name} {figure:.4f}.' in found.table()
  shown = found.images()
  assert shown['worst: holes | network | picture'].shape[0] == 1
