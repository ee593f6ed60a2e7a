"""How well holes are filled, beside what fills them without learning.

Every fill gets the same picture and mask, and is measured over the whole
picture and inside the mask, in bands of the area that is missing: a figure of
small holes says nothing of large ones. What is known comes back as it was, of
ours as of theirs.
"""

import math
import time

from absl import logging
import numpy as np

from artjax.data import pipeline
from artjax.evaluation import baselines
from artjax.evaluation import metrics
from artjax.evaluation import report
from artjax.inference import loading
from artjax.inference import self_ensemble

BANDS = (0.1, 0.3, 0.5, 1.0)  # up to so much of the area is missing
OURS = 'network'
METRICS = ('psnr_rgb', 'ssim_rgb', 'lpips')
FIGURES = METRICS + tuple(f'{name}_hole' for name in METRICS)
SEEDS = 3  # masks that each picture gets


def figures(fill, picture, hole):
  """{figure: number} of a fill.

  Args:
    fill: u8[H, W, 3].
    picture: u8[H, W, 3] as it was.
    hole: bool[H, W], some of it True.

  Returns:
    `FIGURES`: of `metrics` over the whole picture, and `_hole` the means over
    the missing pixels.
  """
  found = {}
  for name in METRICS:
    metric = getattr(metrics, name)
    found[name] = metric(fill[None], picture[None])[0]
    found[f'{name}_hole'] = metric(fill[None], picture[None], mask=hole[None])[
      0
    ]
  return {name: float(found[name]) for name in FIGURES}


def band(share):
  """The index in `BANDS` of an area in (0, 1]."""
  return int(np.searchsorted(BANDS, share))


def measure(config, restorer):
  """Fills the holes of the evaluation pictures of `config` in every way.

  Args:
    config: reads seed, eval.* and what finds its pictures. eval.ops leaves
      'target' and 'mask'; each picture is taken with `SEEDS` seeds, from
      config.seed on, for as many masks.
    restorer: (picture u8[H, W, 3], mask bool[H, W]) -> u8[H, W, 3].

  Returns:
    dict: 'rows' [(picture's name, share missing, {fill: `figures`})], 'panels'
    the first few [(name, share, {what: u8[H, W, 3]})], and 'seconds' and
    'megapixels' of the network.

  Raises:
    ValueError: an unknown fill in eval.fills, no picture, or one without a
      hole, wholly missing or changed outside it.
  """
  fills = {}
  for name in config.eval.fills:
    if name not in baselines.FILLS:
      raise ValueError(
        f'eval.fills: no {name!r} in artjax/evaluation/baselines.py; '
        f'{", ".join(baselines.FILLS)}'
      )
    fills[name] = baselines.FILLS[name]
  rows, panels, seconds, pixels = [], [], 0.0, 0
  for example in _examples(config):
    name, target = example['name'], example['target']
    if 'mask' not in example:
      raise ValueError(
        f'eval.ops={config.eval.ops!r} leaves no mask of {name}:'
        ' end it with keep("image", "target", "mask")'
      )
    hole = example['mask'].any(-1)
    if hole.all() or not hole.any():
      raise ValueError(
        f'eval.ops={config.eval.ops!r}: of {name} '
        f'{"all" if hole.all() else "nothing"} is missing'
      )
    # No fill may see what it is measured by.
    damaged = np.where(hole[..., None], np.uint8(0), target)
    start = time.perf_counter()
    made = {OURS: restorer(damaged, hole)}
    seconds += time.perf_counter() - start
    pixels += hole.size
    made |= {key: fill(damaged, hole) for key, fill in fills.items()}
    changed = [
      key for key, fill in made.items() if (fill != target)[~hole].any()
    ]
    if changed:
      raise ValueError(f'{changed[0]} changes known pixels of {name}')
    rows.append(
      (
        name,
        float(hole.mean()),
        {key: figures(fill, target, hole) for key, fill in made.items()},
      )
    )
    if len(panels) < config.eval.panels:
      shown = np.where(hole[..., None], np.uint8(255), target)
      panels.append(
        (name, rows[-1][1], {'holes': shown, **made, 'picture': target})
      )
    logging.info(
      '%s, %.0f %% missing: %.2f dB inside',
      name,
      100 * hole.mean(),
      rows[-1][2][OURS]['psnr_rgb_hole'],
    )
  if not rows:
    raise ValueError('no picture to evaluate on')
  return {
    'rows': rows,
    'panels': panels,
    'seconds': seconds,
    'megapixels': pixels / 1e6,
  }


def _examples(config):
  """The evaluation examples of every seed."""
  for i in range(SEEDS):
    seeded = config.copy_and_resolve_references()
    with seeded.unlocked():
      seeded.seed = config.seed + i
    yield from pipeline.pictures(seeded)


def means(rows):
  """{fill: {figure: mean}} of rows of `measure`; without those that are nan."""
  found = {}
  for fill in rows[0][2]:
    values = {
      name: np.array([row[2][fill][name] for row in rows]) for name in FIGURES
    }
    found[fill] = {
      name: float(x[~np.isnan(x)].mean()) if (~np.isnan(x)).any() else np.nan
      for name, x in values.items()
    }
  return found


def by_band(rows):
  """[(low, high, those of them)] of the bands that have any, and of all."""
  lows = (0.0, *BANDS)
  parts = [
    (low, high, [row for row in rows if band(row[1]) == i])
    for i, (low, high) in enumerate(zip(lows, BANDS))
  ]
  return [part for part in parts if part[2]] + [(0.0, 1.0, rows)]


def comparison(found):
  """What ours is worth beside the best of the others, by figure.

  Args:
    found: of `means`, with one other fill at least.

  Returns:
    {'psnr_gain_hole': dB over the best PSNR inside the mask, 'lpips_ratio_hole'
    and 'lpips_ratio': LPIPS over the least, inside the mask and of all}.
  """
  others = [figures for fill, figures in found.items() if fill != OURS]
  least = lambda name: found[OURS][name] / min(o[name] for o in others)
  return {
    'psnr_gain_hole': found[OURS]['psnr_rgb_hole']
    - max(o['psnr_rgb_hole'] for o in others),
    'lpips_ratio_hole': least('lpips_hole'),
    'lpips_ratio': least('lpips'),
  }


def tables(results):
  """Markdown: a table for each band of missing area, and one of all."""
  lines = []
  for low, high, rows in by_band(results['rows']):
    found = means(rows)
    lines += [
      f'**{low:.0%} to {high:.0%} of the area missing** ({len(rows)} masks)',
      '',
      '| fill | ' + ' | '.join(FIGURES) + ' |',
      '|---|' + '---|' * len(FIGURES),
    ]
    for fill, values in found.items():
      lines.append(
        f'| {fill} | '
        + ' | '.join(
          f'{values[name]:.2f}'
          if name.startswith('psnr')
          else f'{values[name]:.4f}'
          for name in FIGURES
        )
        + ' |'
      )
    if len(found) > 1:
      gain = comparison(found)
      lines += [
        '',
        f'{gain["psnr_gain_hole"]:+.2f} dB inside the mask over the '
        f'best of the others; LPIPS {gain["lpips_ratio_hole"]:.2f} of '
        f'their best inside the mask, {gain["lpips_ratio"]:.2f} of all '
        'the picture.',
      ]
    lines.append('')
  lines.append(
    'Means over masks, pictures rounded to 8 bit; `_hole`: means '
    'over the missing pixels.'
  )
  return '\n'.join(lines)


def as_json(results):
  """What goes on the last line of stdout; None where a figure is not finite."""
  plain = lambda x: round(x, 5) if math.isfinite(x) else None
  bands = {}
  for low, high, rows in by_band(results['rows']):
    found = means(rows)
    entry = {
      fill: {k: plain(v) for k, v in values.items()}
      for fill, values in found.items()
    }
    if len(found) > 1:
      entry |= {k: plain(v) for k, v in comparison(found).items()}
    bands[f'{low:g}-{high:g}'] = {'masks': len(rows), **entry}
  return {
    'bands': bands,
    'masks': len(results['rows']),
    'seconds': round(results['seconds'], 2),
    'megapixels': round(results['megapixels'], 2),
  }


def write_report(results, folder, *, settings):
  """Writes report.md, per_picture.csv and panels to `folder`."""
  rows = [['picture', 'missing', 'fill', *FIGURES]]
  for name, share, found in results['rows']:
    rows += [
      [name, round(share, 4), fill, *values.values()]
      for fill, values in found.items()
    ]
  report.write(
    folder,
    title='Filling of holes',
    stated=settings,
    rows=rows,
    text=tables(results),
    panels=[
      (
        f'{name}, {share:.0%} missing',
        report.panel(*pictures.values()),
        ', '.join(pictures),
      )
      for name, share, pictures in results['panels']
    ],
  )


def evaluate_and_report(config, where, output=None):
  """`--mode=evaluate` of the task inpaint; as `evaluate.evaluate_and_report`.

  Args:
    config: what to evaluate on (data.*, eval.*, seed).
    where: weights: a name, a working directory, a .safetensors file or a blend.
    output: folder of the report; default `<where>/evaluation` for a working
      directory, none for a file.

  Returns:
    dict for the last line of stdout.

  Raises:
    ValueError: the weights are of another task, and as `measure`.
  """
  restorer = loading.restorer(where)
  if restorer.config.task != 'inpaint':
    raise ValueError(
      f'{where}: its task is {restorer.config.task}, not inpaint'
    )
  results = measure(config, self_ensemble.evaluated(restorer, config))
  print(tables(results), flush=True)
  output = report.folder(where, output)
  settings = report.settings(
    config, where, restorer.config.model.name, holes=config.eval.ops
  )
  if output:
    write_report(results, output, settings=settings)
  return {**as_json(results), **settings, 'report': output}
