"""Gives the pictures of a run to workers that may end at any time.

A worker has one picture at a time. If it ends while it has one, another takes
its place, and the picture is tried once more, after the others; then it has
failed.
"""

import collections
from collections.abc import Iterable
import time
from typing import Any, Protocol

from artjax.restoration.batch import finding
from artjax.restoration.batch import running
from artjax.restoration.batch import worker as worker_lib

_TRIES = 2  # of a picture whose workers end
_EVERY = 1.0  # s between two looks at signals
_GRACE = 20.0  # s in which the pictures in hand may end after a signal


class WorkerEnded(Exception):
  """A worker ended before its picture did; the message says why."""


class Pool(Protocol):
  """Workers; what stands for a worker or its task is for the pool to know."""

  def start(self) -> Any:
    """Starts a worker and returns it, perhaps before it is ready."""

  def end(self, worker: Any) -> None:
    """Ends a worker, and what it does."""

  def give(self, worker: Any, item: finding.Item, last: str) -> Any:
    """Gives a picture to a worker; returns a task, which is hashable."""

  def ended(self, tasks: list[Any], seconds: float) -> list[Any]:
    """The tasks that have ended, waiting for one for so many seconds."""

  def result(self, task: Any) -> worker_lib.Result:
    """The result of a task that has ended.

    Raises:
      WorkerEnded: there is none.
    """


def restore(
  items: Iterable[finding.Item], run: running.Run, pool: Pool, workers: int
) -> None:
  """Restores items; results are reported in the order in which they come.

  Args:
    items: planned by `outputs.plan`, without those that `run` passes over.
    run: what they are reported to.
    pool: starts workers.
    workers: how many restore at a time.

  Raises:
    KeyboardInterrupt: a signal came; pictures in hand had some time to end.
  """
  _Dispatch(run, pool, collections.deque(items)).restore(workers)


class _Dispatch:
  def __init__(self, run, pool, waiting):
    self._run, self._pool, self._waiting = run, pool, waiting
    self._in_hand = {}  # task: (worker, item)
    self._tries = collections.Counter()

  def restore(self, workers):
    try:
      for _ in range(min(workers, len(self._waiting))):
        self._next()
      while self._in_hand:
        self._run.interrupts.check()
        self._take(_EVERY)
    except KeyboardInterrupt:
      self._waiting.clear()
      end = time.monotonic() + _GRACE
      while self._in_hand and time.monotonic() < end:
        self._take(_EVERY)
      raise
    finally:
      for worker, _ in self._in_hand.values():
        self._pool.end(worker)

  def _next(self, worker=None):
    """Gives a worker, or a new one, the next picture; or ends it."""
    if self._waiting and not self._run.over:
      worker = worker or self._pool.start()
      item = self._waiting.popleft()
      task = self._pool.give(worker, item, self._run.last(item))
      self._in_hand[task] = worker, item
    elif worker is not None:
      self._pool.end(worker)

  def _take(self, seconds):
    """Waits for results for so many seconds, and reports them."""
    for task in self._pool.ended([*self._in_hand], seconds):
      worker, item = self._in_hand.pop(task)
      try:
        result = self._pool.result(task)
      except WorkerEnded as error:
        self._pool.end(worker)  # it may only be out of reach
        worker = None
        self._tries[item.called] += 1
        if self._tries[item.called] < _TRIES:
          self._run.say(f'{item.called}: {error}; it is tried once more')
          self._waiting.append(item)
          self._next()
          continue
        result = worker_lib.failed(item, f'{error}, {_TRIES} times')
      self._run.begin(item)
      self._run.take(item, result)
      self._next(worker)
