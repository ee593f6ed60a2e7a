"""Measures a run: speed, waiting time, skipped steps and means of metrics."""

import collections
from collections.abc import Iterator
import contextlib
import time
from typing import Any

from absl import logging
import jax
import numpy as np

STEPS_IN_FLIGHT = 2  # dispatched ahead of the device, so that it never waits


class Meter:
  """Speed, waiting time, skipped steps and means of a run's metrics.

  Attributes:
    skipped: number of steps whose loss or gradient was not finite.
    bad_in_a_row: how many of these are the latest steps.
    last: the last result of `read`, {} before that.
  """

  def __init__(self, batch_size: int, steps: int):
    """Starts the clock of a run of `steps` steps of `batch_size` pictures."""
    self._batch_size = batch_size
    self._of = steps
    self._pending: list[Any] = []  # metrics on the device since the last report
    self._flight: collections.deque[jax.Array] = collections.deque()
    self._start = self._mark = time.perf_counter()
    self._paused = self._waited = 0.0  # seconds of the whole run
    self._mark_paused = self._mark_waited = 0.0  # at the last report
    self._steps = 0
    self.skipped = 0
    self.bad_in_a_row = 0
    self.last: dict[str, float] = {}
    self._pauses: dict[str, tuple[int, float]] = {}  # how often, seconds

  @contextlib.contextmanager
  def waiting(self) -> Iterator[None]:
    """Context: the time in it counts as waiting for data."""
    start = time.perf_counter()
    try:
      yield
    finally:
      self._waited += time.perf_counter() - start

  @contextlib.contextmanager
  def paused(self, name: str) -> Iterator[None]:
    """Context: the time in it is a pause, which is not training time."""
    start = time.perf_counter()
    try:
      yield
    finally:
      seconds = time.perf_counter() - start
      self._paused += seconds
      times, total = self._pauses.get(name, (0, 0.0))
      self._pauses[name] = times + 1, total + seconds

  def add(self, metrics: dict[str, jax.Array]) -> None:
    """Takes a step's metrics, still being computed, and bounds the queue."""
    self._pending.append(metrics)
    self._flight.append(metrics['loss'])
    self._steps += 1
    if len(self._flight) > STEPS_IN_FLIGHT:
      self._flight.popleft().block_until_ready()

  def read(self) -> dict[str, float]:
    """The metrics and the speed of the steps since the last report.

    Returns:
      The mean of each metric over the steps that were not skipped, or over all
      if all were; `skipped`, the count of the whole run; `steps_per_s`,
      `images_per_s`, and `data_wait`, the share of the time in [0, 1].
    """
    rows = jax.device_get(self._pending)
    self._pending = []
    for row in rows:
      bad = row['skipped'] > 0
      self.skipped += int(bad)
      self.bad_in_a_row = self.bad_in_a_row + 1 if bad else 0
      if bad:
        logging.warning(
          'A step with a loss of %s and a gradient norm of %s was skipped',
          row['loss'],
          row['grad_norm'],
        )
    good = [r for r in rows if not r['skipped']] or rows
    values = {k: float(np.mean([r[k] for r in good])) for k in rows[0]}
    values['skipped'] = float(self.skipped)
    now = time.perf_counter()
    seconds = now - self._mark - (self._paused - self._mark_paused)
    values['steps_per_s'] = len(rows) / seconds
    values['images_per_s'] = values['steps_per_s'] * self._batch_size
    values['data_wait'] = (self._waited - self._mark_waited) / seconds
    self._mark, self._mark_paused = now, self._paused
    self._mark_waited = self._waited
    self.last = values
    return values

  def _seconds(self):
    return max(time.perf_counter() - self._start - self._paused, 1e-9)

  def images_per_s(self) -> float:
    """Pictures per second of the whole run, without evaluation and saving."""
    return self._steps * self._batch_size / self._seconds()

  def mean_pauses(self) -> dict[str, float]:
    """{name: mean seconds} of the pauses so far."""
    return {
      name: total / times for name, (times, total) in self._pauses.items()
    }

  def data_wait(self) -> float:
    """Share of the training time spent waiting for data, in [0, 1]."""
    return self._waited / self._seconds()

  def eta(self, step: int) -> str:
    """Time to the last step at the speed of the last report, as h:mm:ss."""
    seconds = int((self._of - step) / self.last['steps_per_s'])
    return f'{seconds // 3600}:{seconds // 60 % 60:02}:{seconds % 60:02}'
