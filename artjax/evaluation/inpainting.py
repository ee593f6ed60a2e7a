"""Evaluation of inpainting, compared with classical methods.

Every method gets the same pictures and masks. It is measured over the whole
picture and inside the mask, separately for bands of the missing area, since
figures for small holes say nothing about large ones. For all of them, the
network included, known pixels are restored to their original values.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
import dataclasses
import math
import time
from typing import Any, NamedTuple

from absl import logging
import ml_collections
import numpy as np

from artjax.data import pipeline
from artjax.evaluation import base
from artjax.evaluation import baselines
from artjax.evaluation import metrics
from artjax.evaluation import report

BANDS = (0.1, 0.3, 0.5, 1.0)  # up to so much of the area is missing
OURS = 'network'
SEEDS = 3  # masks that each picture gets
_HOLE = '_hole'  # ends the name of a metric over the missing pixels
_MODES = {'psnr_rgb': 'max', 'ssim_rgb': 'max', 'lpips': 'min'}

Figures = dict[str, float]  # by metric


class Record(NamedTuple):
  """One picture with one mask."""

  name: str
  missing: float  # share of the area
  fills: dict[str, Figures]  # of the network and of the others
  identical: bool  # whether the network's is the picture as it was
  pixels: int
  seconds: float  # of the network
  panel: dict[str, np.ndarray]  # {what: u8[H, W, 3]}; {} if not shown


@dataclasses.dataclass(frozen=True)
class Results(base.Results):
  """Figures of all methods of filling.

  Attributes:
    records: one for each picture and mask.
    ops: the ops string that made the holes.
    worst: the worst of the records.
  """

  records: Sequence[Record]
  ops: str
  worst: base.Worst

  def figures(self) -> Figures:
    """Means of the network's fills over all masks."""
    return means(self.records)[OURS]

  def scalars(self) -> Figures:
    """See `base.Results`; with the figures of the other fills."""
    found = super().scalars() | {'eval/identical': self._identical()}
    for fill, figures in means(self.records).items():
      if fill != OURS:
        found |= {f'eval_{fill}/{name}': v for name, v in figures.items()}
    return found

  def _identical(self):
    return sum(r.identical for r in self.records)

  def panels(self) -> list[Record]:
    """The records that keep their pictures."""
    return [r for r in self.records if r.panel]

  def images(self) -> dict[str, np.ndarray]:
    """See `base.Results`."""
    found: dict[str, np.ndarray] = {}
    for prefix, records in (
      ('', self.panels()),
      ('worst: ', self.worst.records()),
    ):
      title = prefix + ' | '.join(records[0].panel) if records else ''
      shown = [list(r.panel.values()) for r in records]
      found |= report.thumbnails(title, shown)
    return found

  def table(self) -> str:
    """A table for each band of missing area, and one of all."""
    lines = []
    for low, high, records in by_band(self.records):
      found = means(records)
      names = list(found[OURS])
      lines += [
        f'**{low:.0%} to {high:.0%} of the area missing** '
        f'({len(records)} masks)',
        '',
        f'| fill | {" | ".join(names)} |',
        '|---|' + '---|' * len(names),
      ]
      for fill, values in found.items():
        cells = (
          f'{values[name]:.{2 if name.startswith("psnr") else 4}f}'
          for name in names
        )
        lines.append(f'| {fill} | {" | ".join(cells)} |')
      gain = comparison(found)
      if gain:
        lines += ['', f'Beside the best of the others: {_as_text(gain)}.']
      lines.append('')
    lines.append(
      'Means over masks, pictures rounded to 8 bit; `_hole`: means over the '
      'missing pixels.'
    )
    if self._identical():
      lines[-1] += (
        f' {self._identical()} fills of the network are identical to the '
        'picture; their infinite PSNR is in no mean.'
      )
    lines += self.worst.lines()
    return '\n'.join(lines)

  def as_json(self) -> dict[str, Any]:
    """See `base.Results`."""
    plain = lambda values: {k: base.finite(v, 5) for k, v in values.items()}
    bands = {}
    for low, high, records in by_band(self.records):
      found = means(records)
      bands[f'{low:g}-{high:g}'] = {
        'masks': len(records),
        **{fill: plain(values) for fill, values in found.items()},
        **plain(comparison(found)),
      }
    return {
      'bands': bands,
      'pictures': len({r.name for r in self.records}),
      'masks': len(self.records),
      'identical': self._identical(),
      'seconds': round(sum(r.seconds for r in self.records), 2),
      'megapixels': round(sum(r.pixels for r in self.records) / 1e6, 2),
    }

  def stated(self) -> dict[str, Any]:
    """See `base.Results`."""
    return {'holes': self.ops}

  def write(self, folder: str, settings: dict[str, Any]) -> None:
    """Writes report.md, per_picture.csv and panels."""
    names = self.records[0].fills[OURS]
    rows: list[list[Any]] = [['picture', 'missing', 'fill', *names]]
    for record in self.records:
      rows += [
        [record.name, round(record.missing, 4), fill, *values.values()]
        for fill, values in record.fills.items()
      ]
    report.write(
      folder,
      title='Inpainting',
      stated=settings,
      rows=rows,
      text=self.table(),
      panels=[
        (
          f'{r.name}, {r.missing:.0%} missing',
          report.panel(*r.panel.values()),
          ', '.join(r.panel),
        )
        for r in self.panels()
      ],
    )


class Inpainting(base.Evaluator):
  """Measures filled holes against the original picture.

  eval.ops must leave 'target' and 'mask'. Each picture is measured with `SEEDS`
  masks, with seeds from config.seed on.
  """

  own = tuple(_MODES)
  best = 'psnr_rgb' + _HOLE
  ranks = True

  def __init__(self, config: ml_collections.ConfigDict):
    """See `base.Evaluator`; ValueError also for an unknown fill."""
    super().__init__(config)
    self._fills = {}
    for name in config.eval.fills if config.eval.baselines else ():
      if name not in baselines.FILLS:
        raise ValueError(
          f'eval.fills: no {name!r} in artjax/evaluation/baselines.py; '
          f'{", ".join(baselines.FILLS)}'
        )
      self._fills[name] = baselines.FILLS[name]

  def _figures(self):
    found = base.known(self.metrics, _MODES, self.config.task)
    return found | {name + _HOLE: mode for name, mode in found.items()}

  def metric_of(self, figure: str) -> str:
    """See `base.Evaluator`."""
    return figure.removesuffix(_HOLE)

  def examples(self) -> Iterator[dict[str, Any]]:
    """Pictures with their holes, of every seed."""
    for i in range(SEEDS):
      seeded = self.config.copy_and_resolve_references()
      with seeded.unlocked():
        seeded.seed = self.config.seed + i
      for example in pipeline.pictures(seeded):
        yield self._with_hole(example)

  def _with_hole(self, example):
    """{'name', 'target', 'hole' bool[H, W], 'image' without what is missing}.

    No method may see the pixels that it is measured by.
    """
    name, ops = example['name'], f'eval.ops={self.config.eval.ops!r}'
    if 'mask' not in example:
      raise ValueError(
        f'{ops} leaves no mask of {name}: end it with '
        'keep("image", "target", "mask")'
      )
    hole = example['mask'].any(-1)
    if hole.all() or not hole.any():
      raise ValueError(
        f'{ops}: of {name} {"all" if hole.all() else "nothing"} is missing'
      )
    target = example['target']
    return {
      'name': name,
      'target': target,
      'hole': hole,
      'image': np.where(hole[..., None], np.uint8(0), target),
    }

  def measure(
    self, restorer: Callable[..., Any], example: dict[str, Any], shown: bool
  ) -> Record:
    """See `base.Evaluator`; ValueError where a fill changes known pixels."""
    name, target, hole = (example[k] for k in ('name', 'target', 'hole'))
    start = time.perf_counter()
    made = {OURS: restorer(example['image'], hole)}
    seconds = time.perf_counter() - start
    for key, fill in self._fills.items():
      made[key] = fill(example['image'], hole)
    for key, filled in made.items():
      if (filled != target)[~hole].any():
        raise ValueError(f'{key} changes known pixels of {name}')
    fills = {
      key: figures(filled, target, hole, self.metrics)
      for key, filled in made.items()
    }
    logging.info('%s, %.0f %% missing', name, 100 * hole.mean())
    panel = {}
    if shown:
      holes = np.where(hole[..., None], np.uint8(255), target)
      panel = {'holes': holes, **made, 'picture': target}
    return Record(
      name=name,
      missing=float(hole.mean()),
      fills=fills,
      identical=np.array_equal(made[OURS], target),
      pixels=hole.size,
      seconds=seconds,
      panel=panel,
    )

  def summarize(self, records: Sequence[Record]) -> Results:
    """See `base.Evaluator`."""
    return Results(records, self.config.eval.ops, self.worst(records))

  def figures_of(self, record: Record) -> Figures:
    """See `base.Evaluator`; of the network's fill."""
    return record.fills[OURS]


def figures(
  fill: np.ndarray,
  picture: np.ndarray,
  hole: np.ndarray,
  names: Iterable[str] = tuple(_MODES),
) -> Figures:
  """Figures of a fill.

  Args:
    fill: u8[H, W, 3].
    picture: u8[H, W, 3], the original.
    hole: bool[H, W], some of it True.
    names: functions of metrics.py that take a mask.

  Returns:
    {metric: over the whole picture, metric_hole: mean over the missing pixels}.
  """
  whole, inside = {}, {}
  for name in names:
    metric = getattr(metrics, name)
    pair = fill[None], picture[None]
    whole[name] = float(metric(*pair)[0])
    inside[name + _HOLE] = float(metric(*pair, mask=hole[None])[0])
  return whole | inside


def band(share: float) -> int:
  """The index in `BANDS` of an area in (0, 1]."""
  return int(np.searchsorted(BANDS, share))


def by_band(
  records: Sequence[Record],
) -> list[tuple[float, float, Sequence[Record]]]:
  """[(low, high, records)] of the bands that have any, and of all together."""
  lows = (0.0, *BANDS)
  parts = [
    (low, high, [r for r in records if band(r.missing) == i])
    for i, (low, high) in enumerate(zip(lows, BANDS))
  ]
  return [part for part in parts if part[2]] + [(0.0, 1.0, records)]


def means(records: Sequence[Record]) -> dict[str, Figures]:
  """{fill: {figure: mean}}, see `base.mean`."""
  return {
    fill: base.means([r.fills[fill] for r in records])
    for fill in records[0].fills
  }


def comparison(found: dict[str, Figures]) -> Figures:
  """Compares the network's fills with the best of the other methods.

  Args:
    found: of `means`.

  Returns:
    {'psnr_gain_hole': gain in dB over the best PSNR inside the mask,
    'lpips_ratio_hole' and 'lpips_ratio': ratio to the best LPIPS, inside the
    mask and of the whole picture}. Without other methods, or if a metric was
    not measured, it is left out.
  """
  ours = found[OURS]
  others = [values for fill, values in found.items() if fill != OURS]
  gains = {}
  if others and 'psnr_rgb_hole' in ours:
    best = max(o['psnr_rgb_hole'] for o in others)
    gains['psnr_gain_hole'] = ours['psnr_rgb_hole'] - best
  if others and 'lpips' in ours:
    for end in (_HOLE, ''):
      least = min(o['lpips' + end] for o in others)
      gains['lpips_ratio' + end] = ours['lpips' + end] / (least or math.nan)
  return gains


def _as_text(gains):
  """'+1.20 dB inside the mask; LPIPS 0.80 of theirs inside, 0.90 of all'."""
  parts = []
  if 'psnr_gain_hole' in gains:
    parts.append(f'{gains["psnr_gain_hole"]:+.2f} dB inside the mask')
  if 'lpips_ratio' in gains:
    parts.append(
      f'LPIPS {gains["lpips_ratio_hole"]:.2f} of theirs inside the mask, '
      f'{gains["lpips_ratio"]:.2f} over the whole picture'
    )
  return '; '.join(parts)
