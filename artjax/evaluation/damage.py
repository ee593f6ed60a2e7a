"""Evaluation of damage detection, pooled over the pixels of all pictures.

A classical filter is scored the same way. See damage_tally.py.
"""

from collections.abc import Callable, Iterable, Sequence
import dataclasses
import time
from typing import Any, NamedTuple

import ml_collections
import numpy as np

from artjax.data import pipeline
from artjax.evaluation import base
from artjax.evaluation import baselines
from artjax.evaluation import metrics
from artjax.evaluation import report
from artjax.evaluation.damage_tally import CLASSES
from artjax.evaluation.damage_tally import level_of
from artjax.evaluation.damage_tally import Tally

THRESHOLDS = (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.98)
# Of damage of any class, from eval.threshold on.
_FIGURES = ('average_precision', 'precision', 'recall', 'f1', 'iou')
_MODES = dict.fromkeys(
  (*_FIGURES, 'thin_recall', 'thin_recall_within_1px'), 'max'
) | {'clean_area_mean': 'min', 'clean_area_max': 'min'}


class Record(NamedTuple):
  """One picture: its counts, and its average precision."""

  name: str
  network: Tally
  filter: Tally | None
  average_precision: float
  filter_average_precision: float | None
  pixels: int
  seconds: float  # of finding
  panel: tuple[np.ndarray, ...]  # picture, probabilities, mask; () if not shown


@dataclasses.dataclass(frozen=True)
class Results(base.Results):
  """Figures over the pixels of all pictures.

  Attributes:
    records: one for each picture.
    network: counts of the network's probabilities.
    filter: the same for the classical filter, or None.
    threshold: probability from which a pixel is marked.
    ops: the ops string that made the examples.
    worst: the worst of the records.
    names: of the figures to report.
  """

  records: Sequence[Record]
  network: Tally
  filter: Tally | None
  threshold: float
  ops: str
  worst: base.Worst
  names: tuple[str, ...] = tuple(_MODES)

  def figures(self) -> dict[str, float]:
    """See `base.Results`."""
    found = _figures(self.network, self.threshold)
    return {name: found[name] for name in self.names}

  def scalars(self) -> dict[str, float]:
    """See `base.Results`; with the average precision of every class."""
    return super().scalars() | {
      f'eval_average_precision/{name}': self.network.figures(
        name, self.threshold
      )['average_precision']
      for name in CLASSES
    }

  def panels(self) -> list[Record]:
    """The records that keep their pictures."""
    return [r for r in self.records if r.panel]

  def images(self) -> dict[str, np.ndarray]:
    """See `base.Results`."""
    title = 'picture | probabilities | mask'
    return {
      **report.thumbnails(title, [r.panel for r in self.panels()]),
      **report.thumbnails(
        f'worst: {title}', [r.panel for r in self.worst.records()]
      ),
    }

  def table(self) -> str:
    """Figures by class, by threshold, and of undamaged pictures."""
    return '\n'.join(
      [*self._by_class(), '', *self._by_threshold(), *self.worst.lines()]
    )

  def _by_class(self):
    lines = ['| class | share | AP | precision | recall | F1 | IoU |']
    note = f'marked from a probability of {self.threshold:g} on'
    if self.filter:
      lines[0] += ' AP, filter | IoU, filter |'
      best = self.filter.best_threshold()
      note += f', of the filter from the one of best F1 on, {best:.2f}'
    lines.append('|' + '---|' * (lines[0].count('|') - 1))
    for name in CLASSES:
      ours = self.network.figures(name, self.threshold)
      values = [ours[figure] for figure in _FIGURES]
      if self.filter:
        theirs = self.filter.figures(name, best)
        values += [theirs['average_precision'], theirs['iou']]
      cells = ' | '.join(f'{value:.3f}' for value in values)
      lines.append(f'| {name} | {ours["share"]:.2%} | {cells} |')
    note = f'Pixels of {len(self.records)} whole pictures together; {note}.'
    return [*lines, '', note]

  def _by_threshold(self):
    lines = [
      '| threshold | precision | recall | F1 | IoU | thin cracks | '
      'within 1 px | clean area marked | most of one |',
      '|' + '---|' * 9,
    ]
    for value in sorted({*THRESHOLDS, self.threshold}):
      ours = self.network.figures('any', value)
      cells = [f'{ours[figure]:.3f}' for figure in _FIGURES[1:]]
      cells += [f'{x:.3f}' for x in self.network.thin_recall(value)]
      cells += [f'{x:.3%}' for x in self.network.false_area(value)]
      lines.append(f'| {value:g} | {" | ".join(cells)} |')
    note = 'Thin cracks: recall of the pixels of cracks at most 2 px wide.'
    if self.filter:
      best = self.filter.best_threshold()
      thin, area = self.filter.thin_recall(best), self.filter.false_area(best)
      note += (
        f' The filter: {thin[0]:.3f}, within 1 px {thin[1]:.3f}; of clean '
        f'pictures it marks {area[0]:.1%}, of one {area[1]:.1%}.'
      )
    return [*lines, '', note]

  def as_json(self) -> dict[str, Any]:
    """See `base.Results`."""
    plain = lambda x: base.finite(x, 5)
    by_class = lambda tally, threshold: {
      name: {k: plain(v) for k, v in tally.figures(name, threshold).items()}
      for name in CLASSES
    }
    mean, most = self.network.false_area(self.threshold)
    thin, near = self.network.thin_recall(self.threshold)
    found = {'output': by_class(self.network, self.threshold)}
    if self.filter:
      best = self.filter.best_threshold()
      found['filter'] = by_class(self.filter, best)
    return {
      **found,
      'threshold': self.threshold,
      'best_threshold': plain(self.network.best_threshold()),
      'thin_recall': plain(thin),
      'thin_recall_within_1px': plain(near),
      'clean_area_mean': plain(mean),
      'clean_area_max': plain(most),
      'pictures': len(self.records),
      'seconds': round(sum(r.seconds for r in self.records), 2),
      'megapixels': round(sum(r.pixels for r in self.records) / 1e6, 2),
    }

  def stated(self) -> dict[str, Any]:
    """See `base.Results`."""
    return {'damage': self.ops}

  def write(self, folder: str, settings: dict[str, Any]) -> None:
    """Writes report.md, per_picture.csv and panels."""
    rows: list[list[Any]] = [
      [
        'picture',
        'average_precision',
        'filter_average_precision',
        'clean_area_marked',
      ]
    ]
    for r in self.records:
      row: list[Any] = [
        r.name,
        r.average_precision,
        r.filter_average_precision,
        '',
      ]
      if r.name in self.network.clean:
        row[-1] = self.network.false_share(r.name, self.threshold)
      rows.append(row)
    report.write(
      folder,
      title='Detection of damage',
      stated=settings,
      rows=rows,
      text=f'{self.table()}\n\nPanels: picture, probabilities of crack (red), '
      'loss (green) and stain (blue), mask.',
      panels=[(r.name, report.panel(*r.panel), '') for r in self.panels()],
    )


class Damage(base.Evaluator):
  """Measures damage maps against the masks of the damage that was drawn.

  eval.ops ends with mask_target. If it keeps a copy of the clean picture as
  'real', detections in that copy are counted too.
  """

  own = tuple(_MODES)
  best = 'average_precision'
  ranks = True

  def __init__(self, config: ml_collections.ConfigDict):
    """See `base.Evaluator`."""
    super().__init__(config)
    level_of(config.eval.threshold)

  def _figures(self):
    return base.known(self.metrics, _MODES, self.config.task)

  def examples(self) -> Iterable[dict[str, Any]]:
    """Damaged pictures and their masks, whatever else the ops leave."""
    for example in pipeline.pictures(self.config):
      if not np.isin(example['target'], (0, 255)).all():
        raise ValueError(
          f'eval.ops={self.config.eval.ops!r}: the target of '
          f'{example["name"]} is no mask; end it with mask_target'
        )
      yield example

  def measure(
    self, restorer: Callable[..., Any], example: dict[str, Any], shown: bool
  ) -> Record:
    """See `base.Evaluator`; the restorer gives u8 probabilities, 255 = 1."""
    picture = example['image']
    start = time.perf_counter()
    found = restorer(picture)
    seconds = time.perf_counter() - start
    network, precision = _scored(example, found, restorer)
    baseline, baseline_precision = None, None
    if self.config.eval.baselines:
      line_filter = baselines.line_filter
      baseline, baseline_precision = _scored(
        example, line_filter(picture), line_filter
      )
    return Record(
      name=example['name'],
      network=network,
      filter=baseline,
      average_precision=precision,
      filter_average_precision=baseline_precision,
      pixels=picture[..., 0].size,
      seconds=seconds,
      panel=(picture, found, example['target']) if shown else (),
    )

  def summarize(self, records: Sequence[Record]) -> Results:
    """See `base.Evaluator`."""
    return Results(
      records,
      _pooled([r.network for r in records]),
      _pooled([r.filter for r in records]),
      self.config.eval.threshold,
      self.config.eval.ops,
      self.worst(records),
      tuple(self.figures),
    )

  def figures_of(self, record: Record) -> dict[str, float]:
    """See `base.Evaluator`."""
    return _figures(record.network, self.config.eval.threshold)


def _figures(tally, threshold):
  """{figure of `_MODES`: number} of what was counted; nan of nothing."""
  thin, near = tally.thin_recall(threshold)
  mean, most = tally.false_area(threshold)
  found = tally.figures('any', threshold) | {
    'thin_recall': thin,
    'thin_recall_within_1px': near,
    'clean_area_mean': mean,
    'clean_area_max': most,
  }
  return {name: float(found[name]) for name in _MODES}


def _scored(example, found, finder):
  """(Tally, average precision) of the probabilities found in an example."""
  mask, tally = example['target'], Tally()
  tally.add(found, mask)
  if 'real' in example:
    tally.add_clean(example['name'], finder(example['real']))
  return tally, float(metrics.average_precision(found[None], mask[None])[0])


def _pooled(tallies):
  """One `Tally` of all; None if there are none."""
  if tallies[0] is None:
    return None
  total = Tally()
  for tally in tallies:
    total.merge(tally)
  return total
