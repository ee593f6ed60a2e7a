"""Evaluation: restore whole pictures, measure them beside the degraded input.

Every figure of the output stands beside the same figure of the input: what a
restorer is worth is the difference. Metrics are taken on what a user gets:
clipped, rounded to 8 bit.
"""

import math
import os
import time

import cv2
import numpy as np

from artjax import atomic_files
from artjax import resampling
from artjax import tasks
from artjax.data import pipeline
from artjax.evaluation import metrics
from artjax.evaluation import report
from artjax.inference import colorizer
from artjax.inference import loading
from artjax.inference import self_ensemble


def measure(names, picture, target, crop, low=None):
  """{metric: number} of one picture, u8[H, W, 3] each.

  With the low-resolution input `low` also `consistency`: the PSNR, in dB, of
  the picture shrunk again against it. What was invented fits what was seen.
  """
  found = {
    name: float(
      getattr(metrics, name)(picture[None], target[None], crop=crop)[0]
    )
    for name in names
  }
  if low is not None:
    again = resampling.imresize(picture, size=low.shape[:2])
    found['consistency'] = float(metrics.psnr_rgb(again[None], low[None])[0])
  return found


def means(rows):
  """Mean over pictures of a list of {metric: number}."""
  return {name: float(np.mean([row[name] for row in rows])) for name in rows[0]}


def evaluate(config, restorer, *, metric_names=None):
  """Restores and measures the evaluation pictures of `config`.

  Args:
    config: reads eval.* and what finds its pictures.
    restorer: u8[H, W, 3] -> u8[H, W, 3]; where the task also reads a mask, of
      picture and mask;
      also given the `hints` of an example that has some.
    metric_names: functions of metrics.py; default config.eval.metrics.

  Returns:
    dict: 'output' and 'input' {metric: mean over pictures}; the input of
    super-resolution is its bicubic enlargement ('baseline' says so), 'pictures'
    their number, 'sepia' {metric: mean} of that baseline where colours are
    found, 'rows' [(name, output metrics, input metrics)], 'panels' the first
    few [(name, degraded, restored, target)] and 'seconds' of restoring.

  Raises:
    ValueError: no picture to evaluate on, or an unknown metric.
  """
  names = tuple(metric_names or config.eval.metrics)
  unknown = [n for n in names if not hasattr(metrics, n)]
  if unknown:
    raise ValueError(
      f'eval.metrics: no metric called {unknown[0]!r} in '
      'artjax/evaluation/metrics.py'
    )
  reads = tasks.get(config.task).reads
  rows, panels, seconds, baseline = [], [], 0.0, 'degraded'
  sepia, sepias = None, []
  if config.task == 'colorize':
    baseline = 'grey'
    sepia = colorizer.Sepia(e['target'] for e in pipeline.pictures(config))
  for example in pipeline.pictures(config):
    degraded, target = example['image'], example['target']
    start = time.perf_counter()
    restored = restorer(
      *(example[key] for key in reads),
      **{key: example[key] for key in ('hints',) if key in example},
    )
    seconds += time.perf_counter() - start
    factor = target.shape[0] // degraded.shape[0]
    low = degraded if factor > 1 else None
    if factor > 1:
      # What super-resolution is measured against.
      degraded, baseline = resampling.imresize(degraded, factor), 'bicubic'
    rows.append(
      (
        example['name'],
        measure(names, restored, target, config.eval.crop, low),
        measure(names, degraded, target, config.eval.crop, low),
      )
    )
    if sepia:
      sepias.append(measure(names, sepia(degraded), target, config.eval.crop))
    if len(panels) < config.eval.panels:
      panels.append((example['name'], degraded, restored, target))
  return {
    'output': means([row[1] for row in rows]),
    'input': means([row[2] for row in rows]),
    'pictures': len(rows),
    'seconds': seconds,
    'rows': rows,
    'panels': panels,
    'baseline': baseline,
    **({'sepia': means(sepias)} if sepias else {}),
  }


def closeup(*pictures, side=report.PANEL_HEIGHT // 2):
  """Their middle, `side` px, at double size: what enlarging is judged by."""
  height, width = pictures[0].shape[:2]
  top, left = max(height - side, 0) // 2, max(width - side, 0) // 2
  return [
    p[top : top + side, left : left + side].repeat(2, 0).repeat(2, 1)
    for p in pictures
  ]


def square_panels(results, side=256):
  """The panels as one batch u8[N, side, 3 side, 3], for TensorBoard."""

  def fit(picture):
    h, w = picture.shape[:2]
    scale = side / max(h, w)
    size = (max(round(w * scale), 1), max(round(h * scale), 1))
    small = cv2.resize(picture, size, interpolation=cv2.INTER_AREA)
    square = np.full([side, side, 3], 255, np.uint8)
    square[: small.shape[0], : small.shape[1]] = small
    return square

  return np.stack(
    [
      np.concatenate([fit(p) for p in pictures], axis=1)
      for _, *pictures in results['panels']
    ]
  )


def table(results, crop=0):
  """The means as a markdown table: input, output and their difference."""
  sepia = results.get('sepia')
  columns = ['metric', results['baseline'], 'restored', 'change']
  columns += ['sepia'] if sepia else []
  lines = [f'| {" | ".join(columns)} |', '|---' * len(columns) + '|']
  for name, after in results['output'].items():
    before = results['input'][name]
    lines.append(
      f'| {name} | {before:.4f} | {after:.4f} '
      f'| {after - before:+.4f} |' + (f' {sepia[name]:.4f} |' if sepia else '')
    )
  lines.append('')
  lines.append(
    f'Means over {results["pictures"]} whole pictures, rounded to '
    f'8 bit, border of {crop} px left out.'
  )
  return '\n'.join(lines)


def write_report(results, folder, *, title, settings, crop=0):
  """Writes report.md, per_picture.csv, panels and before_after.png.

  Args:
    results: of `evaluate`.
    folder: where to; made if missing.
    title: heading of the report.
    settings: {what: value} stated in it (weights, source, damage).
    crop: border left out of the metrics, px, stated in it.
  """
  names = list(results['output'])
  rows = [['picture', *names, *(f'input_{n}' for n in names)]]
  rows += [
    [name, *after.values(), *before.values()]
    for name, after, before in results['rows']
  ]
  by_name = {name: (after, before) for name, after, before in results['rows']}
  panels = []
  for name, *pictures in results['panels']:
    if results['baseline'] == 'bicubic':
      pictures = closeup(*pictures)
    after, before = by_name[name]
    panels.append(
      (
        name,
        report.panel(*pictures),
        ', '.join(f'{n} {before[n]:.3f} → {after[n]:.3f}' for n in names),
      )
    )
  report.write(
    folder,
    title=title,
    stated=settings,
    rows=rows,
    panels=panels,
    text=f'{table(results, crop)}\n\nPanels: {results["baseline"]}, restored, '
    'target.',
  )
  if panels:
    shown = [picture for _, picture, _ in panels]
    width = max(p.shape[1] for p in shown)
    rows = [
      np.pad(p, [(0, 8), (0, width - p.shape[1]), (0, 0)], constant_values=255)
      for p in shown
    ]
    atomic_files.write_picture(
      os.path.join(folder, 'before_after.png'), np.concatenate(rows)[:-8]
    )


def as_json(results):
  """The part of the results that goes on the last line of stdout."""

  def plain(values):
    # JSON has no infinity, which is the PSNR of identical pictures.
    return {k: v if math.isfinite(v) else None for k, v in values.items()}

  return {
    'output': plain(results['output']),
    'input': plain(results['input']),
    **({'sepia': plain(results['sepia'])} if 'sepia' in results else {}),
    'pictures': results['pictures'],
    'seconds': round(results['seconds'], 2),
  }


def evaluate_and_report(config, where, output=None):
  """`--mode=evaluate`: measures weights, writes a report, prints the table.

  Args:
    config: what to evaluate on (data.*, eval.*, seed). Task and model are
      those the weights were made with.
    where: working directory or .safetensors file.
    output: folder of the report; default `<where>/evaluation` for a working
      directory, none for a file.

  Returns:
    dict for the last line of stdout.
  """
  restorer = loading.restorer(where)
  results = evaluate(config, self_ensemble.evaluated(restorer, config))
  print(table(results, config.eval.crop), flush=True)
  output = report.folder(where, output)
  settings = report.settings(
    config, where, restorer.config.model.name, damage=config.eval.ops
  )
  if output:
    write_report(
      results,
      output,
      title='Evaluation',
      settings=settings,
      crop=config.eval.crop,
    )
  return {
    **as_json(results),
    **settings,
    'crop': config.eval.crop,
    'report': output,
  }
