"""The meter of a run: speed, waiting, skipped steps and means of metrics."""

import collections
import time

from absl import logging
import jax
import numpy as np

STEPS_IN_FLIGHT = 2  # dispatched ahead of the device, so that it never waits


class Meter:
  """Speed, waiting time, skipped steps and means of a run's metrics."""

  def __init__(self, config, step):
    self._config = config
    self._first = step
    self._pending = []  # metrics on the device since the last report
    self._flight = collections.deque()
    self._start = self._mark = time.perf_counter()
    self._paused = self._waited = 0.0  # seconds of the whole run
    self._mark_paused = self._mark_waited = 0.0  # at the last report
    self._steps = 0
    self.skipped = 0
    self.bad_in_a_row = 0
    self.last = {}

  def waiting(self):
    """Context: the time in it counts as waiting for data."""
    return _Stopwatch(self, '_waited')

  def paused(self):
    """Context: the time in it counts as no training time at all."""
    return _Stopwatch(self, '_paused')

  def add(self, metrics):
    """Takes a step's metrics, still being computed, and bounds the queue."""
    self._pending.append(metrics)
    self._flight.append(metrics['loss'])
    self._steps += 1
    if len(self._flight) > STEPS_IN_FLIGHT:
      self._flight.popleft().block_until_ready()

  def read(self):
    """Means since the last report, with speed and share of waiting."""
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
    values['images_per_s'] = values['steps_per_s'] * self._config.batch_size
    values['data_wait'] = (self._waited - self._mark_waited) / seconds
    self._mark, self._mark_paused = now, self._paused
    self._mark_waited = self._waited
    self.last = values
    return values

  def _seconds(self):
    return max(time.perf_counter() - self._start - self._paused, 1e-9)

  def images_per_s(self):
    """Of the whole run, evaluation and saving left out."""
    return self._steps * self._config.batch_size / self._seconds()

  def data_wait(self):
    """Share of the training time spent waiting for data."""
    return self._waited / self._seconds()

  def eta(self, step):
    """Time to the last step at the pace of the last report, as h:mm:ss."""
    seconds = (self._config.steps - step) / self.last['steps_per_s']
    return f'{int(seconds // 3600)}:{int(seconds // 60 % 60):02}:' + (
      f'{int(seconds % 60):02}'
    )


class _Stopwatch:
  """Adds the time inside a `with` to a field of the meter."""

  def __init__(self, meter, field):
    self._meter, self._field = meter, field

  def __enter__(self):
    self._start = time.perf_counter()

  def __exit__(self, *exc):
    spent = time.perf_counter() - self._start
    setattr(self._meter, self._field, getattr(self._meter, self._field) + spent)
