"""Evaluation on pairs: restored and degraded pictures against the originals.

Every figure of the output is reported beside the same figure of the input,
since a restorer is worth the difference. Metrics are computed on pictures as a
user gets them: clipped and rounded to 8 bits.
"""

from collections.abc import Callable, Iterable, Sequence
import dataclasses
import math
import os
import time
from typing import Any, NamedTuple

import numpy as np

from artjax import atomic_files
from artjax import registry
from artjax import resampling
from artjax import tasks
from artjax.data import pipeline
from artjax.evaluation import base
from artjax.evaluation import baselines
from artjax.evaluation import figures
from artjax.evaluation import report
from artjax.evaluation.perceptual import feature_sets

Figures = figures.Figures
HARM = 0.1  # dB of PSNR; who loses more is worse than before


class Record(NamedTuple):
  """The measurements of one picture."""

  name: str
  output: Figures
  input: Figures
  baselines: dict[str, Figures]  # of what needs no learning
  equal: tuple[bool, bool]  # whether output and input are the target
  scale: int  # of the output to the input
  seconds: float  # of restoring
  panel: tuple[np.ndarray, ...]  # degraded, restored, target; () if not shown
  confidence: Figures | None = None  # of weights that predict their errors
  # Of output, input and target, for distances of sets; () where none is wanted.
  features: tuple[np.ndarray, ...] = ()


@dataclasses.dataclass(frozen=True)
class Results(base.Results):
  """Figures of pictures with a target.

  Attributes:
    records: one for each picture.
    input_is: what the output is compared with: 'degraded', 'grey', or for
      super-resolution the 'bicubic' enlargement of the input.
    crop: border that was left out of the metrics, px.
    ops: the ops string that made the examples.
    worst: the worst of the records.
    distances: names of the metrics that compare all pictures together.
  """

  records: Sequence[Record]
  input_is: str
  crop: int
  ops: str
  worst: base.Worst
  distances: Sequence[str] = ()

  def figures(self) -> Figures:
    """Means over the pictures of every metric of the output, and distances."""
    return base.means([r.output for r in self.records]) | self._distances(0)

  def inputs(self) -> Figures:
    """The same of the input."""
    return base.means([r.input for r in self.records]) | self._distances(1)

  def _distances(self, part):
    if not self.distances:
      return {}
    of = lambda i: [r.features[i] for r in self.records]
    return feature_sets.distances(self.distances, of(part), of(2))

  def baselines(self) -> dict[str, Figures]:
    """The same of each baseline."""
    return {
      name: base.means([r.baselines[name] for r in self.records])
      for name in self.records[0].baselines
    }

  def identical(self) -> dict[str, int]:
    """How many outputs, and how many inputs, are identical to the target.

    Their PSNR is infinite, so the mean leaves them out.
    """
    return {
      part: sum(r.equal[i] for r in self.records)
      for i, part in enumerate(('output', 'input'))
    }

  def worse(self) -> int | None:
    """How many are worse than before by `HARM`; None without `psnr_rgb`.

    Inputs that are identical to their targets are not counted.
    """
    pairs = [
      (r.output['psnr_rgb'], r.input['psnr_rgb'])
      for r in self.records
      if math.isfinite(r.input.get('psnr_rgb', math.inf))
    ]
    return sum(o < i - HARM for o, i in pairs) if pairs else None

  def scalars(self) -> Figures:
    """See `base.Results`."""
    return {
      **super().scalars(),
      **{f'eval_input/{name}': v for name, v in self.inputs().items()},
      'eval/identical': self.identical()['output'],
    }

  def confidence(self) -> Figures:
    """Means of predicted and measured errors; {} without predictions."""
    found = [r.confidence for r in self.records if r.confidence]
    return base.means(found) if found else {}

  def panels(self) -> list[Record]:
    """The records that keep their pictures."""
    return [r for r in self.records if r.panel]

  def images(self) -> dict[str, np.ndarray]:
    """See `base.Results`."""
    title = f'{self.input_is} | restored | target'
    return {
      **report.thumbnails(title, [r.panel for r in self.panels()]),
      **report.thumbnails(
        f'worst: {title}', [r.panel for r in self.worst.records()]
      ),
    }

  def table(self) -> str:
    """Input, output and their difference, and the baselines."""
    inputs, others = self.inputs(), self.baselines()
    columns = ['metric', self.input_is, 'restored', 'change', *others]
    lines = [f'| {" | ".join(columns)} |', '|---' * len(columns) + '|']
    for name, after in self.figures().items():
      before = inputs[name]
      change = after - before if math.isfinite(before) else math.nan
      values = [f'{before:.4f}', f'{after:.4f}', f'{change:+.4f}']
      # Distances of sets are not taken of baselines.
      values += [f'{v.get(name, math.nan):.4f}' for v in others.values()]
      lines.append(f'| {name} | {" | ".join(values)} |')
    lines += [
      '',
      f'Means over {len(self.records)} whole pictures, rounded to '
      f'8 bit, border of {self.crop} px left out.',
    ]
    same = self.identical()
    if any(same.values()):
      lines[-1] += (
        f' Identical to the target: {same["output"]} restored, {same["input"]} '
        f'{self.input_is}; their infinite PSNR is in no mean.'
      )
    if (worse := self.worse()) is not None:
      by = f'by more than {HARM} dB of psnr_rgb'
      lines[-1] += f' Worse than {self.input_is} {by}: {worse}.'
    lines += self.worst.lines()
    said = self.confidence()
    if said:
      lines += [
        '',
        f'Of pixels said to be within ±e at 80 %, {said["within_80"]:.1%} are. '
        'Expected and found: right to within 5 levels '
        f'{said["right_expected"]:.1%} and {said["right"]:.1%}, mean error '
        f'{said["error_expected"]:.2f} and {said["error"]:.2f} levels, PSNR '
        f'{said["psnr_expected"]:.2f} and {said["psnr"]:.2f} dB.',
      ]
    return '\n'.join(lines)

  def as_json(self) -> dict[str, Any]:
    """See `base.Results`."""
    plain = lambda found: {k: base.finite(v) for k, v in found.items()}
    return {
      'output': plain(self.figures()),
      'input': plain(self.inputs()),
      **{name: plain(found) for name, found in self.baselines().items()},
      'pictures': len(self.records),
      'identical': self.identical(),
      'worse': self.worse(),
      'seconds': round(sum(r.seconds for r in self.records), 2),
      'crop': self.crop,
      **({'confidence': plain(said)} if (said := self.confidence()) else {}),
    }

  def stated(self) -> dict[str, Any]:
    """See `base.Results`."""
    return {'damage': self.ops}

  def write(self, folder: str, settings: dict[str, Any]) -> None:
    """Writes report.md, per_picture.csv, panels and before_after.png."""
    names = list(self.records[0].output)
    panels = []
    for record in self.panels():
      pictures = list(record.panel)
      if record.scale > 1:
        pictures = report.closeup(*pictures)
      changes = (
        f'{n} {record.input[n]:.3f} → {record.output[n]:.3f}' for n in names
      )
      panels.append((record.name, report.panel(*pictures), ', '.join(changes)))
    report.write(
      folder,
      title='Evaluation',
      stated=settings,
      rows=[
        ['picture', *names, *(f'input_{n}' for n in names)],
        *(
          [r.name, *r.output.values(), *r.input.values()] for r in self.records
        ),
      ],
      panels=panels,
      text=f'{self.table()}\n\nPanels: {self.input_is}, restored, target.',
    )
    if panels:
      atomic_files.write_picture(
        os.path.join(folder, 'before_after.png'),
        report.below_each_other([picture for _, picture, _ in panels]),
      )


class Paired(base.Evaluator):
  """Measures restored pictures against their targets."""

  own: tuple[str, ...] = (
    'psnr_rgb',
    'psnr_y',
    'ssim_rgb',
    'ssim_y',
    'lpips',
    'mae',
    'accuracy',
  )
  best = 'psnr_rgb'
  ranks = True
  input_is = 'degraded'

  def _figures(self):
    self._distances = [n for n in self.metrics if n in feature_sets.DISTANCES]
    self._each = [n for n in self.metrics if n not in self._distances]
    for name in self._each:
      try:
        figures.metric(name)
      except ValueError as error:
        raise ValueError(f'eval.metrics: {error}') from error
    lower = {*figures.lower_is_better(), *self._distances}
    found = {name: 'min' if name in lower else 'max' for name in self.metrics}
    if getattr(registry.model(self.config), 'scale', 1) > 1:
      found['consistency'] = 'max'
    return found

  def examples(self) -> Iterable[dict[str, Any]]:
    """Pictures with their targets."""
    return iter(pipeline.pictures(self.config))

  def measure(
    self, restorer: Callable[..., Any], example: dict[str, Any], shown: bool
  ) -> Record:
    """See `base.Evaluator`."""
    task = tasks.get(self.config.task)
    degraded, target = example['image'], example['target']
    start = time.perf_counter()
    restored = restorer(
      *(example[key] for key in task.reads),
      **{key: example[key] for key in task.may_read if key in example},
    )
    seconds = time.perf_counter() - start
    scale, low = target.shape[0] // degraded.shape[0], None
    if scale > 1:
      # What super-resolution is measured beside.
      low, degraded = degraded, resampling.imresize(degraded, scale)
    crop = self.config.eval.crop
    of = lambda picture: figures.measure(
      self._each, picture, target, crop, low, example.get('mask')
    )
    return Record(
      name=example['name'],
      output=of(restored),
      input=of(degraded),
      baselines={name: of(f(degraded)) for name, f in self.baselines().items()},
      equal=(
        figures.same(restored, target, crop),
        figures.same(degraded, target, crop),
      ),
      scale=scale,
      seconds=seconds,
      panel=(degraded, restored, target) if shown else (),
      confidence=_confidence(restorer, example),
      features=tuple(
        feature_sets.features(figures.within(picture, crop))
        for picture in (restored, degraded, target)
        if self._distances
      ),
    )

  def baselines(self) -> dict[str, Callable[[np.ndarray], np.ndarray]]:
    """Functions of the input, u8[H, W, 3] each, by name."""
    return {}

  def summarize(self, records: Sequence[Record]) -> Results:
    """See `base.Evaluator`."""
    enlarged = records[-1].scale > 1
    return Results(
      records,
      'bicubic' if enlarged else self.input_is,
      self.config.eval.crop,
      self.config.eval.ops,
      self.worst(records),
      self._distances,
    )

  def figures_of(self, record: Record) -> Figures:
    """See `base.Evaluator`."""
    return record.output


class Colorized(Paired):
  """Measures colours; a sepia fitted to the targets is a baseline."""

  own = ('ciede2000', 'psnr_ab', 'colourfulness', 'lpips')
  best = 'ciede2000'
  input_is = 'grey'

  def examples(self) -> Iterable[dict[str, Any]]:
    """Grey pictures, and what they were."""
    self._sepia = None
    if self.config.eval.baselines:
      pictures = pipeline.pictures(self.config)
      self._sepia = baselines.Sepia(e['target'] for e in pictures)
    return super().examples()

  def baselines(self) -> dict[str, Callable[[np.ndarray], np.ndarray]]:
    """See `Paired`."""
    return {'sepia': self._sepia} if self._sepia else {}


def _confidence(restorer, example):
  """Result of `Calibration.measured`; None if weights predict no errors."""
  calibration = getattr(restorer, 'calibration', None)
  if calibration is None:
    return None
  restored, log_scale = restorer.with_scale(example['image'])
  return calibration.measured(log_scale, restored, example['target'])
