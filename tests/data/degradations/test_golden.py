"""The damage of a seed stays what it was.

Training runs, evaluations and published figures rest on it: at equal seeds an
op draws the same damage in every version. golden.npz holds, of every op and
seed, a coarse look at the result: means of 4 x 4 blocks, means and deviations
of the channels, shares of the mask. Where a change is meant to draw otherwise,
`PYTHONPATH=.:tests python tests/data/degradations/test_golden.py` writes them
anew.
"""

import pathlib
import tempfile

import cv2
import numpy as np
import pytest

from artjax import registry
from artjax.data.degradations.decorators import as_float
from artjax.data.degradations.drawing.textures import KINDS as FILLINGS
from artjax.data.degradations.inpainting_masks import KINDS

FIGURES = pathlib.Path(__file__).with_name('golden.npz')
SEEDS = range(16)
SEVERITIES = (0.25, 0.6, 1.0)  # in turn, over the seeds
TOLERANCE = 3e-3  # builds of OpenCV differ by less
# Ops strings that are not just name(severity).
SPECIAL = {
  'masks_from': 'masks_from("{folder}", {severity})',
  'missing': 'missing',
  'missing_from': 'missing_from("{folder}")',
  'second_order': 'second_order',
  'sharpen': 'copy("image", "target")|sharpen',
  'structure, broad': 'structure({severity}, breadth=1.0)',
  'old_painting, bare': 'old_painting({severity}, camera=False)',
  'aged, and more': (
    'aged({severity}, clean=0.2, prints=0.5, grey=0.3, damaged=0.7)'
  ),
  'film_dirt, bright': 'film_dirt({severity}, bright=True)',
  'text_over, script': 'text_over({severity}, kind="script")',
  'poisson_noise, counted': 'poisson_noise({severity}, photons=8)',
  'labels, stamp': 'labels({severity}, kind="stamp")',
  'paint_losses, islands': 'paint_losses({severity}, kind="islands")',
  'paint_losses, patches': 'paint_losses({severity}, kind="patches")',
  'scan_lines, bands': 'scan_lines({severity}, kind="bands")',
  'damaged_or_clean, crack': 'damaged_or_clean({severity}, part="crack")',
  **{
    f'holes, {shape}': f'holes({{severity}}, shape="{shape}")'
    for shape in ('brush', 'polygons', 'boxes')
  },
  **{f'fillings, {f}': f'fillings({{severity}}, fill="{f}")' for f in FILLINGS},
  **{
    f'craquelure, {pattern}': f'craquelure({{severity}}, pattern="{pattern}")'
    for pattern in ('brick', 'walks', 'parallel', 'rings')
  },
  **{f'missing, {kind}': f'missing(kinds="{kind}")' for kind in KINDS},
}


def picture():
  """u8[72, 96, 3]: waves, edges and both ends of the range, drawn exactly."""
  y, x = np.mgrid[:72, :96]
  image = np.stack([2 * x + y, 255 - 3 * y, (x * y) // 16 % 256], -1) % 256
  image[10:30, 20:50] = (230, 60, 30)
  image[40:60, 60:90] = (12, 14, 20)
  return image.astype(np.uint8)


def write_masks(folder):
  """Two masks to take shapes from: a disc and bars."""
  disc = np.zeros((60, 80), np.uint8)
  cv2.circle(disc, (40, 30), 18, 255, -1)
  bars = np.zeros((64, 64), np.uint8)
  bars[:, 10:16] = bars[30:34] = 255
  cv2.imwrite(f'{folder}/disc.png', disc)
  cv2.imwrite(f'{folder}/bars.png', bars)


def look(example):
  """f32[32]: a coarse look at a result."""
  image = as_float(example['image'])
  blocks = cv2.resize(image, (4, 4), interpolation=cv2.INTER_AREA).mean(-1)
  mask = example.get('mask', np.zeros((1, 1, 3), np.uint8))
  target = as_float(example.get('target', mask))
  return np.concatenate(
    [
      blocks.ravel(),
      image.mean((0, 1)),
      image.std((0, 1)),
      (mask > 0).mean((0, 1)),
      target.mean((0, 1)),
      target.std((0, 1)),
      [image.shape[0] / 72],
    ]
  ).astype(np.float32)


def figures(name, folder):
  """f32[seeds, 32] of one op."""
  rows = []
  for seed in SEEDS:
    severity = SEVERITIES[seed % len(SEVERITIES)]
    ops = SPECIAL.get(name, f'{name}({severity})')
    ops = registry.chain(ops.format(severity=severity, folder=folder))
    example = {'image': picture(), 'name': name}
    rows.append(look(ops(example, np.random.default_rng(seed))))
  return np.stack(rows)


def names():
  return sorted({*registry.ops('artjax.data.degradations'), *SPECIAL})


@pytest.fixture(scope='module')
def golden():
  with np.load(FIGURES) as file:
    return dict(file)


def test_every_degradation_is_among_them(golden):
  assert sorted(golden) == names()


@pytest.mark.parametrize('name', names())
def test_the_damage_of_a_seed_stays_what_it_was(name, golden, tmp_path):
  write_masks(tmp_path)
  apart = np.abs(figures(name, tmp_path) - golden[name])
  assert apart.max() <= TOLERANCE, f'seeds {np.unique(apart.argmax(0))}'


if __name__ == '__main__':
  with tempfile.TemporaryDirectory() as place:
    write_masks(place)
    looks = {name: figures(name, place) for name in names()}
    np.savez_compressed(FIGURES, **looks)
