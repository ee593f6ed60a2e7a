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
from artjax.inference import loading

OPS = (
  'fit(64)|copy("image", "target")|missing((0.05, 0.5), "boxes")'
  '|keep("image", "target", "mask")'
)
FILLS = ('telea', 'mean_fill')


def config(**overrides):
  return tiny_config(
    **{'eval.ops': OPS, 'eval.fills': FILLS, 'task': 'inpaint', **overrides}
  )


@pytest.fixture(scope='module')
def results():
  return inpainting.measure(config(), baselines.navier_stokes)


def test_every_mask_is_measured_in_every_way(results):
  assert len(results['rows']) == 2 * inpainting.SEEDS
  example = next(iter(pipeline.pictures(config())))
  name, share, found = results['rows'][0]
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
  shares = [row[1] for row in results['rows']]
  assert len(set(shares)) == len(shares)  # another mask for each seed


def test_a_fill_is_not_shown_what_it_is_measured_by():
  seen = []

  def fill(picture, hole):
    seen.append(picture[hole].max())
    return baselines.telea(picture, hole)

  inpainting.measure(config(**{'eval.fills': (), 'eval.max_pictures': 1}), fill)
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
  row = lambda share, value: (
    'x',
    share,
    {inpainting.OURS: dict.fromkeys(inpainting.FIGURES, value)},
  )
  rows = [row(0.05, 2.0), row(0.2, 4.0), row(0.25, np.nan)]
  parts = inpainting.by_band(rows)
  assert [(low, high, len(part)) for low, high, part in parts] == [
    (0.0, 0.1, 1),
    (0.1, 0.3, 2),
    (0.0, 1.0, 3),
  ]
  found = [
    inpainting.means(part)[inpainting.OURS]['ssim_rgb'] for *_, part in parts
  ]
  assert found == [2.0, 4.0, 3.0]


def test_comparison_is_with_the_best_of_each():
  of = lambda psnr, lpips: (
    dict.fromkeys(inpainting.FIGURES, 0.0)
    | {'psnr_rgb_hole': psnr, 'lpips': lpips, 'lpips_hole': 2 * lpips}
  )
  found = {inpainting.OURS: of(21.0, 0.1), 'a': of(20.0, 0.4), 'b': of(19, 0.2)}
  assert inpainting.comparison(found) == {
    'psnr_gain_hole': 1.0,
    'lpips_ratio_hole': 0.5,
    'lpips_ratio': 0.5,
  }


def test_report_holds_tables_csv_and_panels(results, tmp_path):
  inpainting.write_report(results, str(tmp_path), settings={'weights': 'w'})
  text = (tmp_path / 'report.md').read_text()
  found = inpainting.means(results['rows'])
  assert f'| telea | {found["telea"]["psnr_rgb"]:.2f} |' in text
  rows = list(
    csv.DictReader((tmp_path / 'per_picture.csv').read_text().splitlines())
  )
  assert len(rows) == 3 * len(results['rows'])
  assert float(rows[1]['lpips']) == results['rows'][0][2]['telea']['lpips']
  assert (tmp_path / 'panels' / '000.jpg').stat().st_size > 1000
  entry = json.loads(json.dumps(inpainting.as_json(results), allow_nan=False))
  assert entry['masks'] == len(results['rows'])
  assert entry['bands']['0-1']['telea']['psnr_rgb'] == pytest.approx(
    found['telea']['psnr_rgb'], abs=1e-4
  )


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
    inpainting.measure(config(**overrides), fill)


def test_it_is_measured_as_it_is_asked_to_be(monkeypatch):
  seen = []

  class Filler:
    config = config()

    def __call__(self, picture, hole, self_ensemble=False):
      seen.append(self_ensemble)
      return baselines.telea(picture, hole)

  monkeypatch.setattr(loading, 'restorer', lambda where: Filler())
  for ensemble in (False, True):
    asked = config(
      **{
        'eval.self_ensemble': ensemble,
        'eval.max_pictures': 1,
        'eval.fills': (),
      }
    )
    stated = inpainting.evaluate_and_report(asked, 'inpaint')
    assert stated['self_ensemble'] is ensemble
  assert seen == [False] * inpainting.SEEDS + [True] * inpainting.SEEDS


def test_weights_of_another_task_are_refused(monkeypatch):
  class Other:
    config = tiny_config()

  monkeypatch.setattr(loading, 'restorer', lambda where: Other())
  with pytest.raises(ValueError, match='unet: its task is restore'):
    inpainting.evaluate_and_report(config(), 'unet')
