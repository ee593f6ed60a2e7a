"""A pool of processes that leaves Ctrl-C to its parent and dies with it."""

from collections.abc import Callable
import concurrent.futures
import multiprocessing
from multiprocessing import connection
from multiprocessing import context
from multiprocessing import resource_tracker
import os
import signal
import threading
from typing import Any


def pool(
  workers: int, initializer: Callable[..., None], *arguments: Any
) -> concurrent.futures.ProcessPoolExecutor:
  """A pool of so many processes, each prepared by `initializer`.

  Ctrl-C reaches every process of a terminal; only the parent reacts to it, even
  while the others still import. If the parent is killed, they end too.

  Args:
    workers: how many processes.
    initializer: called first in each; must be importable, as processes are
      spawned (the threads of JAX and TensorFlow would not survive a fork).
    *arguments: of `initializer`.
  """
  return concurrent.futures.ProcessPoolExecutor(
    workers, _Context(), _start, (initializer, arguments)
  )


class _Process(context.SpawnProcess):
  """A process that starts with SIGINT blocked."""

  def start(self):
    resource_tracker.ensure_running()  # its own start would unblock the signal
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
      super().start()
    finally:
      signal.pthread_sigmask(signal.SIG_SETMASK, before)


class _Context(context.SpawnContext):
  Process = _Process


def _start(initializer, arguments):
  threading.Thread(target=_end_with_parent, daemon=True).start()
  initializer(*arguments)


def _end_with_parent():
  parent = multiprocessing.parent_process()
  assert parent is not None  # only spawned processes come here
  connection.wait([parent.sentinel])
  os._exit(1)
