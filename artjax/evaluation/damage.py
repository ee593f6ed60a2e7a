"""How well damage is found: pooled over the pixels of all pictures.

Chances are counted by their 256 levels, damaged and sound pixels apart, and
every figure is read from these counts: no picture is kept, and a figure of any
threshold needs no network. A filter without learning is scored the same way.
"""

import time

import cv2
import numpy as np

from artjax import damage_classes
from artjax.data import pipeline
from artjax.evaluation import metrics
from artjax.evaluation import report
from artjax.inference import loading
from artjax.inference import self_ensemble

# 'any': the largest probability of the three.
CLASSES = damage_classes.CLASSES + ('any',)
THRESHOLDS = (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.98)
_FIGURES = ('average_precision', 'precision', 'recall', 'f1', 'iou')


class Tally:
  """Counts of pixels by class, level of chance, and truth.

  Attributes:
    pixels: i64[4, 2, 256] of `CLASSES`, sound and damaged, levels.
    thin: i64[2, 256], of the pixels of thin cracks: the levels of their own
      chance of a crack, and of the largest one within 1 px.
    clean: {picture: i64[256]}, levels of any damage where there is none.
  """

  def __init__(self):
    self.pixels = np.zeros([len(CLASSES), 2, 256], np.int64)
    self.thin = np.zeros([2, 256], np.int64)
    self.clean = {}

  def add(self, chances, mask):
    """Counts a damaged picture: both u8[H, W, 3]."""
    damaged = mask >= 128
    for i, name in enumerate(CLASSES):
      part = (
        (chances.max(-1), damaged.any(-1))
        if name == 'any'
        else (chances[..., i], damaged[..., i])
      )
      self.pixels[i] += _levels(*part)
    lines = thin(damaged[..., 0])
    for i, chance in enumerate(
      (chances[..., 0], cv2.dilate(chances[..., 0], np.ones((3, 3))))
    ):
      self.thin[i] += _levels(chance, lines)[1]

  def add_clean(self, name, chances):
    """Counts what is found on an undamaged picture, u8[H, W, 3]."""
    self.clean[name] = np.bincount(chances.max(-1).ravel(), minlength=256)

  def figures(self, name, threshold):
    """{figure: number} of one of `CLASSES`; nan where there is nothing."""
    sound, damaged = self.pixels[CLASSES.index(name)]
    precision, recall, average = metrics.precision_recall(damaged, sound)
    level = level_of(threshold)
    hits, marks = damaged[level:].sum(), (damaged + sound)[level:].sum()
    total = damaged.sum()
    return {
      'share': total / max((damaged + sound).sum(), 1),
      'average_precision': average,
      'precision': precision[level],
      'recall': recall[level],
      'f1': _ratio(2 * hits, total + marks),
      'iou': _ratio(hits, total + marks - hits),
    }

  def best_threshold(self, name='any'):
    """The lowest of largest F1, and so IoU, of a class: a bound, not a use."""
    sound, damaged = self.pixels[CLASSES.index(name)]
    precision, recall, _ = metrics.precision_recall(damaged, sound)
    with np.errstate(invalid='ignore'):  # 0 / 0
      f1 = 2 * precision * recall / (precision + recall)
    # Not level 0, from which on everything is marked; nan where nothing is.
    return (1 + int(np.argmax(np.nan_to_num(f1[1:])))) / 255

  def thin_recall(self, threshold):
    """(recall of the pixels of thin cracks, the same within 1 px)."""
    found = self.thin[:, level_of(threshold) :].sum(1)
    return tuple(_ratio(f, t) for f, t in zip(found, self.thin.sum(1)))

  def false_area(self, threshold):
    """(mean, maximum) share of undamaged pictures that is marked."""
    shares = [self.false_share(name, threshold) for name in self.clean]
    return (np.mean(shares), max(shares)) if shares else (np.nan, np.nan)

  def false_share(self, name, threshold):
    """Share of one undamaged picture that is marked."""
    counts = self.clean[name]
    return counts[level_of(threshold) :].sum() / counts.sum()


def level_of(threshold):
  """The lowest of 256 levels that is as certain as a chance in (0, 1]."""
  if not 0 < threshold <= 1:
    raise ValueError(f'threshold must be in (0, 1], got {threshold}')
  return int(np.ceil(threshold * 255 - 1e-4))  # 51 / 255 is level 51


def _levels(chance, truth):
  """i64[2, 256]: how many pixels that are not, and that are true."""
  return np.stack(
    [
      np.bincount(chance[truth == value], minlength=256)
      for value in (False, True)
    ]
  )


def _ratio(part, whole):
  return part / whole if whole else np.nan


def thin(mask):
  """Where bool[H, W] is part of something that is at most 2 px wide.

  What a square of 3 x 3 px fits into is wide, and so is what touches that: the
  ragged edges of a wide crack are none.
  """
  square = np.ones((3, 3), np.uint8)
  mask = np.ascontiguousarray(mask).view(np.uint8)
  wide = cv2.morphologyEx(mask, cv2.MORPH_OPEN, square)
  return (mask > cv2.dilate(wide, square)).astype(bool)


def line_filter(picture):
  """What finds lines and specks without having learnt: u8[H, W, 3] of both.

  The sum of black and white top hats of two sizes: how far a pixel is from
  what is left when thin things of its kind are taken away. The same chance
  for all classes. Larger sizes find less, for they find brush strokes.
  Serra 1982, Image Analysis and Mathematical Morphology.
  """
  grey = cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY)
  total = np.zeros(grey.shape, np.float32)
  for side in (3, 5):
    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (side, side))
    total += np.maximum(
      cv2.morphologyEx(grey, cv2.MORPH_BLACKHAT, disc),
      cv2.morphologyEx(grey, cv2.MORPH_TOPHAT, disc),
    )
  chance = np.minimum(total, 255).astype(np.uint8)
  return cv2.cvtColor(chance, cv2.COLOR_GRAY2RGB)


def measure(config, restorer):
  """Finds and counts the damage of the evaluation pictures of `config`.

  Args:
    config: reads eval.* and what finds its pictures. eval.ops ends with
      mask_target; if it keeps a copy of the clean picture as 'real', that is
      looked through too.
    restorer: u8[H, W, 3] -> u8[H, W, 3] of chances.

  Returns:
    dict: 'network' and 'filter', a `Tally` each; 'rows' [(name, average
    precision, that of the filter)]; 'panels' the first few [(name, picture,
    chances, mask)]; 'pictures', 'pixels' and 'seconds' of finding.

  Raises:
    ValueError: no picture to evaluate on, or a target that is no mask.
  """
  network, baseline = Tally(), Tally()
  rows, panels, seconds, pixels = [], [], 0.0, 0
  for example in pipeline.pictures(config):
    name, picture, mask = (example[k] for k in ('name', 'image', 'target'))
    if not np.isin(mask, (0, 255)).all():
      raise ValueError(
        f'eval.ops={config.eval.ops!r}: the target of {name} is '
        'no mask; end it with mask_target'
      )
    start = time.perf_counter()
    chances = restorer(picture)
    seconds += time.perf_counter() - start
    pixels += mask[..., 0].size
    filtered = line_filter(picture)
    network.add(chances, mask)
    baseline.add(filtered, mask)
    if 'real' in example:
      network.add_clean(name, restorer(example['real']))
      baseline.add_clean(name, line_filter(example['real']))
    rows.append(
      (
        name,
        *(
          float(metrics.average_precision(found[None], mask[None])[0])
          for found in (chances, filtered)
        ),
      )
    )
    if len(panels) < config.eval.panels:
      panels.append((name, picture, chances, mask))
  if not rows:
    raise ValueError('no picture to evaluate on')
  return {
    'network': network,
    'filter': baseline,
    'rows': rows,
    'panels': panels,
    'pictures': len(rows),
    'pixels': pixels,
    'seconds': seconds,
  }


def tables(results, threshold):
  """The figures as markdown: by class, by threshold, of clean pictures."""
  network, baseline = results['network'], results['filter']
  best = baseline.best_threshold()
  lines = [
    '| class | share | AP | precision | recall | F1 | IoU | AP, filter | '
    'IoU, filter |',
    '|' + '---|' * 9,
  ]
  for name in CLASSES:
    ours, theirs = (
      network.figures(name, threshold),
      baseline.figures(name, best),
    )
    lines.append(
      f'| {name} | {ours["share"]:.2%} | '
      + ' | '.join(
        f'{value:.3f}'
        for value in (
          *(ours[f] for f in _FIGURES),
          theirs['average_precision'],
          theirs['iou'],
        )
      )
      + ' |'
    )
  lines += [
    '',
    f'Pixels of {results["pictures"]} whole pictures together; '
    f'marked from a chance of {threshold:g} on, of the filter from the '
    f'one of best F1 on, {best:.2f}.',
    '',
    '| threshold | precision | recall | F1 | IoU | thin cracks | '
    'within 1 px | clean area marked | most of one |',
    '|' + '---|' * 9,
  ]
  for value in sorted({*THRESHOLDS, threshold}):
    ours = network.figures('any', value)
    lines.append(
      f'| {value:g} | '
      + ' | '.join(
        f'{x:.3f}'
        for x in (*(ours[f] for f in _FIGURES[1:]), *network.thin_recall(value))
      )
      + ' | '
      + ' | '.join(f'{x:.3%}' for x in network.false_area(value))
      + ' |'
    )
  near, far = baseline.thin_recall(best), baseline.false_area(best)
  lines += [
    '',
    'Thin cracks: recall of the pixels of cracks at most 2 px wide. '
    f'The filter: {near[0]:.3f}, within 1 px {near[1]:.3f}; of clean '
    f'pictures it marks {far[0]:.1%}, of one {far[1]:.1%}.',
  ]
  return '\n'.join(lines)


def as_json(results, threshold):
  """What goes on the last line of stdout; None where there is no figure."""
  plain = lambda x: round(float(x), 5) if np.isfinite(x) else None
  network, baseline = results['network'], results['filter']
  mean, most = network.false_area(threshold)
  thin_recall, near = network.thin_recall(threshold)
  best = baseline.best_threshold()
  return {
    'output': {
      name: {k: plain(v) for k, v in network.figures(name, threshold).items()}
      for name in CLASSES
    },
    'filter': {
      name: {k: plain(v) for k, v in baseline.figures(name, best).items()}
      for name in CLASSES
    },
    'threshold': threshold,
    'best_threshold': plain(network.best_threshold()),
    'thin_recall': plain(thin_recall),
    'thin_recall_within_1px': plain(near),
    'clean_area_mean': plain(mean),
    'clean_area_max': plain(most),
    'pictures': results['pictures'],
    'seconds': round(results['seconds'], 2),
    'megapixels': round(results['pixels'] / 1e6, 2),
  }


def write_report(results, folder, *, settings, threshold):
  """Writes report.md, per_picture.csv and panels to `folder`."""
  network = results['network']
  rows = [
    [
      'picture',
      'average_precision',
      'filter_average_precision',
      'clean_area_marked',
    ]
  ]
  for name, *values in results['rows']:
    share = (
      network.false_share(name, threshold) if name in network.clean else ''
    )
    rows.append([name, *values, share])
  report.write(
    folder,
    title='Detection of damage',
    stated=settings,
    rows=rows,
    text=tables(results, threshold) + '\n\nPanels: picture, chances of crack '
    '(red), loss (green) and stain (blue), mask.',
    panels=[
      (name, report.panel(*pictures), '')
      for name, *pictures in results['panels']
    ],
  )


def evaluate_and_report(config, where, output=None):
  """`--mode=evaluate` of the task detect; as `evaluate.evaluate_and_report`.

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
  threshold = config.eval.threshold
  level_of(threshold)
  restorer = loading.restorer(where)
  if restorer.config.task != 'detect':
    raise ValueError(f'{where}: its task is {restorer.config.task}, not detect')
  results = measure(config, self_ensemble.evaluated(restorer, config))
  print(tables(results, threshold), flush=True)
  output = report.folder(where, output)
  settings = report.settings(
    config, where, restorer.config.model.name, damage=config.eval.ops
  )
  if output:
    write_report(results, output, settings=settings, threshold=threshold)
  return {**as_json(results, threshold), **settings, 'report': output}
