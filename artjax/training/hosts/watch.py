"""Ends all processes of a run when one dies or hangs, and names it.

Otherwise they would wait for it in a collective operation for ever. Each
process writes a sign of life to the coordination service of `jax.distributed`
every few seconds, and reads those of the others. The run can then be resumed
from its last checkpoint.
"""

import json
import os
import socket
import sys
import threading
import time
from typing import Any, NoReturn

import jax

TIMEOUT = 60  # s without a sign of life: dead
STALLED = 1800  # s without a training step: stuck
_ENDING = 'ending; the same command goes on from the last checkpoint'
_FOLDER = 'artjax/alive/'
_watch: 'Watch | None' = None


def client() -> Any:
  """The client of JAX's coordination service; JAX has no public name for it."""
  from jax._src import distributed

  return distributed.global_state.client


def start(timeout: float = TIMEOUT) -> None:
  """Starts to watch the other processes of the run, in a thread."""
  global _watch
  _watch = Watch(timeout)
  _watch.start()


def at(step: int | None) -> None:
  """Notes the current step of this process; None outside of steps."""
  if _watch:
    _watch.note(step)


def done() -> None:
  """Notes that this process has nothing left to do."""
  if _watch:
    _watch.finish()


def leave(error: BaseException, text: str) -> None:
  """Ends this process and all others of the run; returns if it is alone.

  Args:
    error: the error that ends the run.
    text: printed here; the others print its last line.
  """
  if not _watch:
    return
  if isinstance(error, jax.errors.JaxRuntimeError) and 'RESOURCE' not in text:
    # A collective operation failed, as another process is gone: it is that one
    # that has to be named.
    time.sleep(_watch.timeout + 5 * _watch.period)
  _watch.fail(text)


class Watch(threading.Thread):
  """The thread that sends signs of life and checks those of the others."""

  def __init__(self, timeout: float):
    """Considers processes dead that are silent for `timeout` seconds."""
    super().__init__(name='watch', daemon=True)
    self.timeout = timeout
    self.period = min(2.0, timeout / 5)
    self._client = client()
    self._index = jax.process_index()
    self._others = set(range(jax.process_count())) - {self._index}
    self._lock = threading.Lock()
    self._over = threading.Event()
    self._said = {'host': socket.gethostname(), 'beat': 0, 'step': None}
    self._moved = time.monotonic()  # when this process's step last changed

  def note(self, step: int | None) -> None:
    """See `at`."""
    self._said['step'], self._moved = step, time.monotonic()

  def finish(self) -> None:
    """Ends the thread; the others no longer expect signs of life."""
    self._over.set()
    self._say(done=True)

  def fail(self, text: str) -> NoReturn:
    """Prints `text`, has the others print its last line, and ends all."""
    self._over.set()
    print(text, file=sys.stderr)
    line = text.strip().splitlines()[-1].removeprefix('artjax: ')
    self._say(failed=line)
    time.sleep(3 * self.period)  # until they have read it
    self._end()

  def run(self) -> None:
    """Until `finish`, or until another process is gone."""
    heard: dict[int, tuple[Any, float]] = {}  # what each said, and when first
    last = time.monotonic()
    while not self._over.wait(self.period):
      try:
        self._say()
        said = self._all()
      except jax.errors.JaxRuntimeError:  # the service is process 0's
        self._gone(f'{_who(0, heard.get(0, ({},))[0])} is gone: {_ENDING}')
      now = time.monotonic()
      if now - last > self.timeout / 2:
        heard = {}  # this process itself was stopped for some time
      last = now
      for index in sorted(self._others):
        value = said.get(index, {})
        if 'failed' in value:
          self._gone(f'{_who(index, value)} ended: {value["failed"]}')
        if value != heard.get(index, (None,))[0]:
          heard[index] = value, now
        silent = now - heard[index][1]
        if silent > self.timeout and 'done' not in value:
          self._gone(
            f'{_who(index, value)} has been silent for {silent:.0f} s: '
            f'{_ENDING}'
          )
      if self._said['step'] is not None and now - self._moved > STALLED:
        self._gone(_stalled({self._index: self._said, **said}))

  def _say(self, **more):
    with self._lock:
      self._said |= {'beat': self._said['beat'] + 1, **more}
      self._client.key_value_set(
        f'{_FOLDER}{self._index}', json.dumps(self._said), allow_overwrite=True
      )

  def _all(self):
    found = self._client.key_value_dir_get(_FOLDER)
    return {int(k.rpartition('/')[2]): json.loads(v) for k, v in found}

  def _gone(self, why: str) -> NoReturn:
    print(f'artjax: {why}', file=sys.stderr)
    if self._index == 0:  # JAX ends the others when this process ends
      time.sleep(3 * self.period)
    self._end()

  def _end(self) -> NoReturn:
    sys.stdout.flush()
    sys.stderr.flush()
    # Python's way out would wait for the process that is gone.
    os._exit(1)


def _who(index, value):
  return f'process {index} ({value.get("host", "never heard of")})'


def _stalled(said):
  step = lambda value: -1 if value['step'] is None else value['step']
  least = min(map(step, said.values()))
  slow = [_who(i, v) for i, v in sorted(said.items()) if step(v) == least]
  return (
    f'no step for {STALLED // 60} minutes, for want of {", ".join(slow)}: '
    f'{_ENDING}'
  )
