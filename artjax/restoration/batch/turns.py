"""Turns of pictures that are in work at the same time.

While a network works on one picture, the next is read and decoded, and the one
before is encoded, measured and written. Each picture has a thread, which asks
its turn whether it may go on. So one network runs at a time, files appear in
the order of the pictures, and a large picture is alone in memory. Threads
suffice: libvips, zlib and XLA let others run meanwhile.

What libvips says of an error it tells all threads, and it may get lost among
them. So a picture that is damaged, or that fails, is tried again alone.
"""

from collections.abc import Callable, Iterator
from concurrent import futures
import contextlib
import threading
from typing import Any, Generic, TypeVar

AT_ONCE = 3  # pictures in work: one ahead, one in a network, one behind
# px of a result; a larger picture is restored alone. One of this size, of 8
# bits, is what the writer still keeps in memory.
MOST = 24_000_000
_EVERY = 0.2  # s between two looks at signals

T = TypeVar('T')
Failed = Callable[[T], bool]


class Stopped(BaseException):
  """Ends the work on a picture whose run is over; no failure of it."""


class _Again(BaseException):
  """Raised where a picture has to be restored alone."""


class Alone:
  """The turn of a picture beside which no other is in work."""

  def opened(self, pixels: int, is_damaged: bool = False) -> None:
    """Called before pixels are decoded.

    Args:
      pixels: of the result, px.
      is_damaged: whether something was said of the file that may not be true.
    """

  @contextlib.contextmanager
  def network(self) -> Iterator[None]:
    """Held while a network may run."""
    yield

  def strips(self, strips: Iterator[T]) -> Iterator[T]:
    """The same strips, each computed when it is the network's turn."""
    while True:
      with self.network():
        try:
          strip = next(strips)
        except StopIteration:
          return
      yield strip

  def write(self) -> None:
    """Called before the first file gets its name."""


class Turn(Alone, Generic[T]):
  """The turn of one of several pictures; `Line.begin` makes it.

  Its methods wait. They raise `Stopped` if the run is over.

  Attributes:
    leads: whether all pictures before it have ended.
    is_decoded: whether the next may be begun, as this one is decoded and small.
    wants_network: whether it waits for the network.
    future: of its result; set by the line.
  """

  def __init__(self, line: 'Line[T]', alone: bool) -> None:
    self._line, self._alone = line, alone
    self.leads = self.is_decoded = self.wants_network = False
    self.future: futures.Future[T]

  @property
  def ended(self) -> bool:
    """Whether there is a result, or it was stopped."""
    return self.future.done()

  @property
  def is_done(self) -> bool:
    """Whether there is a result, and it was not stopped."""
    return self.ended and self.future.exception() is None

  def result(self) -> T:
    """Its result, once it has ended; raises what the work on it raised."""
    return self.future.result()

  def run(self, restore: Callable[['Turn[T]'], T], failed: Failed[T]) -> T:
    """What `restore` makes; if it fails early, what it makes alone."""
    try:
      result = restore(self)
      if self._alone or self.is_decoded or not failed(result):
        return result
    except _Again:
      pass
    self._alone = True
    self._line.wait(lambda: self.leads)
    return restore(self)

  def opened(self, pixels: int, is_damaged: bool = False) -> None:
    """See `Alone`; a large picture waits until it leads."""
    if is_damaged and not self._alone:
      raise _Again
    self._alone = self._alone or pixels > MOST
    if self._alone:
      self._line.wait(lambda: self.leads)

  @contextlib.contextmanager
  def network(self) -> Iterator[None]:
    """See `Alone`; of those that wait the first in the line is the next."""
    self._let_begin()
    self.wants_network = True
    self._line.take_network(self)
    try:
      yield
    finally:
      self._line.leave_network()

  def write(self) -> None:
    """See `Alone`; a picture is written once it leads."""
    self._let_begin()
    self._line.wait(lambda: self.leads)

  def tiles(
    self, show: Callable[[int, int], None], done: int, total: int
  ) -> None:
    """Progress of its network: shown if it leads."""
    self._line.wait(lambda: True)
    if self.leads:
      show(done, total)

  def _let_begin(self):
    if not self._alone and not self.is_decoded:
      self.is_decoded = True
      self._line.changed()


class Line(Generic[T]):
  """Pictures in work, in their order; a context manager, which ends them."""

  def __init__(
    self, at_once: int = AT_ONCE, failed: Failed[T] = lambda result: False
  ) -> None:
    """Prepares a line.

    Args:
      at_once: how many pictures may be in work; 1 = one after the other.
      failed: whether a result is that of a failure.
    """
    self._at_once, self._failed = at_once, failed
    self._threads = futures.ThreadPoolExecutor(at_once, 'picture')
    self._turns: list[Turn[T]] = []  # that have not ended
    self._condition = threading.Condition()
    self._network_runs = self._over = False

  def __enter__(self) -> 'Line[T]':
    return self

  def __exit__(self, *unused) -> None:
    self.stop()

  def has_room(self, alone: bool = False) -> bool:
    """Whether another picture may be begun, or one that has to be alone."""
    with self._condition:
      self._turns = [turn for turn in self._turns if not turn.ended]
      if alone:
        return not self._turns
      return len(self._turns) < self._at_once and all(
        turn.is_decoded for turn in self._turns
      )

  def begin(
    self, restore: Callable[[Turn[T]], T], alone: bool = False
  ) -> Turn[T]:
    """Begins a picture, where there is room.

    Args:
      restore: makes its result, in a thread.
      alone: whether no other may be begun until it has ended.
    """
    turn = Turn(self, alone or self._at_once == 1)
    with self._condition:
      self._turns.append(turn)
      turn.future = self._threads.submit(turn.run, restore, self._failed)
    turn.future.add_done_callback(lambda future: self.changed())
    return turn

  def failed_beside_others(self, turn: Turn[T]) -> bool:
    """Whether it has failed while others were in work, which it may blame."""
    return turn.is_decoded and self._failed(turn.result())

  def lead(self, turn: Turn[T]) -> None:
    """Notes that all pictures before this one have ended."""
    turn.leads = True
    self.changed()

  def wait_until(
    self, ready: Callable[[], Any], check: Callable[[], None]
  ) -> None:
    """Waits until `ready()`; meanwhile calls `check`, which may raise."""
    done = False
    while not done:
      check()
      with self._condition:
        done = self._condition.wait_for(ready, _EVERY)

  def stop(self) -> None:
    """Stops all work: what writes ends soon, the rest raises `Stopped`."""
    with self._condition:
      self._over = True
    self.changed()
    self._threads.shutdown()

  # What turns call.

  def changed(self) -> None:
    """Wakes those that wait."""
    with self._condition:
      self._condition.notify_all()

  def wait(self, ready: Callable[[], Any]) -> None:
    """Waits until `ready()`; raises `Stopped` if the run is over."""
    with self._condition:
      self._condition.wait_for(lambda: self._over or ready())
      if self._over:
        raise Stopped

  def take_network(self, turn: Turn[T]) -> None:
    """Waits until the network is free, and no earlier picture wants it."""

    def free():
      first = next(one for one in self._turns if one.wants_network)
      return not self._network_runs and first is turn

    with self._condition:
      self.wait(free)
      turn.wants_network, self._network_runs = False, True

  def leave_network(self) -> None:
    """Lets the next picture have it."""
    with self._condition:
      self._network_runs = False
      self._condition.notify_all()
