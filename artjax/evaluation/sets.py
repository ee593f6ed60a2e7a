"""Several named sets of pictures, evaluated one after the other.

`eval.sets = ('films=folder:A', 'prints=pairs:B,C')` are measured in addition to
the usual pictures. Their figures carry their names, such as `films/psnr_rgb`,
and `best_metric` may be one of them.
"""

from collections.abc import Callable, Iterator, Sequence
import dataclasses
import os
from typing import Any

import ml_collections
import numpy as np

from artjax.evaluation import base

_USUAL = ''  # the name of the set that eval.source or the held-out part is


@dataclasses.dataclass(frozen=True)
class Results(base.Results):
  """The results of each set.

  Attributes:
    parts: {name of the set: its results}, the usual set first.
  """

  parts: dict[str, base.Results]

  def figures(self) -> dict[str, float]:
    """See `base.Results`."""
    return _named({n: part.figures() for n, part in self.parts.items()})

  def scalars(self) -> dict[str, float]:
    """See `base.Results`."""
    return _named({n: part.scalars() for n, part in self.parts.items()})

  def images(self) -> dict[str, np.ndarray]:
    """See `base.Results`."""
    return _named({n: part.images() for n, part in self.parts.items()})

  def table(self) -> str:
    """The tables of all sets; named sets have their name as a heading."""
    return '\n\n'.join(
      f'**{name}**\n\n{part.table()}' if name else part.table()
      for name, part in self.parts.items()
    )

  def as_json(self) -> dict[str, Any]:
    """That of the usual set, with those of the others under `sets`."""
    others = {n: part.as_json() for n, part in self.parts.items() if n}
    return {**self.parts[_USUAL].as_json(), 'sets': others}

  def stated(self) -> dict[str, Any]:
    """See `base.Results`."""
    return self.parts[_USUAL].stated()

  def write(self, folder: str, settings: dict[str, Any]) -> None:
    """Writes a report for each set; named sets get a folder each."""
    for name, part in self.parts.items():
      stated = {**settings, 'set': name} if name else settings
      part.write(os.path.join(folder, name), stated)

  def write_progress(self, workdir: str, step: int) -> None:
    """See `base.Results`; of the usual set."""
    self.parts[_USUAL].write_progress(workdir, step)


class Sets(base.Evaluator):
  """The evaluator of a task, for each set of pictures."""

  def __init__(
    self,
    config: ml_collections.ConfigDict,
    make: Callable[[ml_collections.ConfigDict], base.Evaluator],
  ):
    """Takes a configuration with `eval.sets`, and the evaluator class of a set.

    Raises:
      ValueError: a set without name or source, or two of one name.
    """
    self._parts = {_USUAL: make(config)}
    for text in config.eval.sets:
      name, _, source = text.partition('=')
      if not source or not name.isidentifier() or name in self._parts:
        raise ValueError(
          f'eval.sets: {text!r} is not NAME=SOURCE with a name of its own, '
          'such as films=folder:PATH'
        )
      own = config.copy_and_resolve_references()
      with own.unlocked():
        own.eval.source, own.eval.split = source, ''
      self._parts[name] = make(own)
    usual = self._parts[_USUAL]
    self.config, self.own = config, usual.own
    self.best, self.metrics = usual.best, usual.metrics
    self.ranks = usual.ranks
    self.figures = self._figures()

  def _figures(self):
    return _named({name: part.figures for name, part in self._parts.items()})

  def metric_of(self, figure: str) -> str:
    """See `base.Evaluator`."""
    return self._parts[_USUAL].metric_of(figure.rpartition('/')[2])

  def parts(self) -> list[base.Evaluator]:
    """See `base.Evaluator`."""
    return [*self._parts.values()]

  def examples(self) -> Iterator[dict[str, Any]]:
    """Examples of all sets, with the set's name and whether to show a panel."""
    for name, part in self._parts.items():
      for i, example in enumerate(part.examples()):
        shown = i < self.config.eval.panels
        yield {'set': name, 'example': example, 'shown': shown}

  def measure(
    self,
    restorer: Callable[..., np.ndarray],
    example: dict[str, Any],
    shown: bool,
  ) -> tuple[str, Any]:
    """See `base.Evaluator`."""
    name = example['set']
    return name, self._parts[name].measure(restorer, example['example'], shown)

  def badness(self, record: tuple[str, Any]) -> float:
    """See `base.Evaluator`."""
    return self._parts[record[0]].badness(record[1])

  def set_of(self, record: tuple[str, Any]) -> str:
    """See `base.Evaluator`."""
    return record[0]

  def without_pictures(self, record: tuple[str, Any]) -> tuple[str, Any]:
    """See `base.Evaluator`."""
    return record[0], self._parts[record[0]].without_pictures(record[1])

  def summarize(self, records: Sequence[tuple[str, Any]]) -> Results:
    """See `base.Evaluator`.

    Raises:
      ValueError: a set without pictures.
    """
    of = {name: [r for n, r in records if n == name] for name in self._parts}
    for name, found in of.items():
      if not found:
        raise ValueError(f'no picture to evaluate on in the set {name!r}')
    return Results(
      {n: part.summarize(of[n]) for n, part in self._parts.items()}
    )


def _named(parts):
  """{name/key: value} of {name: {key: value}}; just key where name is ''."""
  return {
    f'{name}/{key}' if name else key: value
    for name, found in parts.items()
    for key, value in found.items()
  }
