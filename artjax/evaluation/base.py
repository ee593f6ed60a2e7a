"""The interface of an evaluator: its examples, measurements and summary.

A task names its evaluator as '<file>.<class>' of this package. runner.py runs
it in the same way every `eval_every` steps of a training run and for
`--mode=evaluate`.
"""

import abc
from collections.abc import Callable, Iterable, Sequence
import math
from typing import Any, NamedTuple

import ml_collections
import numpy as np


class Worst(NamedTuple):
  """The worst records of an evaluation.

  Attributes:
    figure: the figure by which they are the worst.
    found: [(record, its figure)], the worst first.
  """

  figure: str
  found: Sequence[tuple[Any, float]]

  def lines(self) -> list[str]:
    """A paragraph of markdown that names them; [] if there are none."""
    named = ', '.join(f'{r.name} {value:.4f}' for r, value in self.found)
    return ['', f'Worst by {self.figure}: {named}.'] if named else []

  def records(self) -> list[Any]:
    """The records alone."""
    return [record for record, _ in self.found]


class Results(abc.ABC):
  """What an evaluation found."""

  @abc.abstractmethod
  def figures(self) -> dict[str, float]:
    """The figures that `Evaluator.figures` announces, by name."""

  def scalars(self) -> dict[str, float]:
    """{tag: number} for TensorBoard."""
    return {f'eval/{name}': value for name, value in self.figures().items()}

  def images(self) -> dict[str, np.ndarray]:
    """{title: u8[N, H, W, 3]} for TensorBoard."""
    return {}

  @abc.abstractmethod
  def table(self) -> str:
    """The figures as markdown."""

  @abc.abstractmethod
  def as_json(self) -> dict[str, Any]:
    """The figures for the last line of stdout; None where not finite."""

  def stated(self) -> dict[str, Any]:
    """What a report states besides weights, model, source and seed."""
    return {}

  @abc.abstractmethod
  def write(self, folder: str, settings: dict[str, Any]) -> None:
    """Writes the report, with the settings that it states, to a folder."""

  def write_progress(self, workdir: str, step: int) -> None:
    """Writes the files that a training run keeps from each evaluation."""
    del workdir, step  # of most it keeps nothing


class Evaluator(abc.ABC):
  """Measures the results of one task's weights on the evaluation pictures.

  Attributes:
    own: names of the metrics that are measured if `eval.metrics` is empty.
    best: the figure that decides which checkpoint is the best, if
      `best_metric` is empty.
    config: the configuration it was made with.
    metrics: names of the metrics that are measured.
    figures: {name: 'max' or 'min'} for the figures in `Results.figures`:
      whether the largest or the smallest value is the best.
  """

  own: tuple[str, ...]
  best: str
  ranks = False  # whether it says which records are the worst

  def __init__(self, config: ml_collections.ConfigDict):
    """Reads eval.* of a configuration, and the fields that select pictures.

    Raises:
      ValueError: a field of eval.* that cannot be used.
    """
    self.config = config
    self.metrics = tuple(config.eval.metrics) or self.own
    self.figures = self._figures()
    if self.best not in self.figures:  # eval.metrics leaves it out
      self.best = next(iter(self.figures))

  @abc.abstractmethod
  def _figures(self) -> dict[str, str]:
    """Attribute `figures`; raises ValueError for an unknown metric."""

  def metric_of(self, figure: str) -> str:
    """The metric from which a figure is computed."""
    return figure

  def parts(self) -> list['Evaluator']:
    """The evaluators of all sets of pictures."""
    return [self]

  @abc.abstractmethod
  def examples(self) -> Iterable[dict[str, Any]]:
    """The examples to measure one by one, always in the same order."""

  @abc.abstractmethod
  def measure(
    self,
    restorer: Callable[..., np.ndarray],
    example: dict[str, Any],
    shown: bool,
  ) -> Any:
    """Measures one example; called in any thread.

    Args:
      restorer: runs the weights; an object of the task's `restorer` class.
      example: of `examples`.
      shown: whether the record keeps the pictures, for a panel.

    Returns:
      A record for `summarize`.
    """

  def figures_of(self, record: Any) -> dict[str, float]:
    """The figures of one record, for evaluators that can rank records."""
    raise NotImplementedError

  def chooses(self) -> str:
    """The figure that chooses the best weights, and the worst records."""
    name = self.config.best_metric.rpartition('/')[2]  # of a set
    return name if name in self.figures else self.best

  def badness(self, record: Any) -> float:
    """How bad a record is compared to others; -inf if its figure is missing."""
    name = self.chooses()
    value = self.figures_of(record).get(name, math.nan)
    if math.isnan(value):
      return -math.inf
    return value if self.figures[name] == 'min' else -value

  def worst(self, records: Sequence[Any]) -> Worst:
    """The `eval.worst` worst of the records that have a figure."""
    name = self.chooses()
    ranked = sorted(records, key=self.badness, reverse=True)
    return Worst(
      name,
      [
        (record, self.figures_of(record)[name])
        for record in ranked[: self.config.eval.worst]
        if self.badness(record) > -math.inf
      ],
    )

  def set_of(self, record: Any) -> str:
    """The set of pictures among which a record may be one of the worst."""
    del record
    return ''

  def without_pictures(self, record: Any) -> Any:
    """The record without its panel."""
    return record._replace(panel=type(record.panel)())

  @abc.abstractmethod
  def summarize(self, records: Sequence[Any]) -> Results:
    """The results of all records, in the order of the examples."""


def known(
  names: Iterable[str], modes: dict[str, str], task: str
) -> dict[str, str]:
  """{name: mode} of some metrics; ValueError for one that is not in `modes`."""
  for name in names:
    if name not in modes:
      raise ValueError(
        f'eval.metrics: no {name!r} for the task {task}; it has '
        f'{", ".join(modes)}'
      )
  return {name: modes[name] for name in names}


def mean(values: Iterable[float]) -> float:
  """The mean of the finite values.

  The PSNR of identical pictures is infinite, and would hide all other values.
  So infinite values are left out, and counted where the figures are reported.
  Missing values (nan) are left out too. Without any finite value the result is
  inf if there was one, else nan.
  """
  values = np.array(list(values), np.float64)
  finite = values[np.isfinite(values)]
  if len(finite):
    return float(finite.mean())
  return math.inf if np.isinf(values).any() else math.nan


def means(rows: Sequence[dict[str, float]]) -> dict[str, float]:
  """`mean` of every metric of rows {metric: number}."""
  return {name: mean(row[name] for row in rows) for name in rows[0]}


def finite(value: float, digits: int | None = None) -> float | None:
  """The value for JSON: rounded, or None if it is inf or nan."""
  if not math.isfinite(value):
    return None
  return float(value) if digits is None else round(float(value), digits)
