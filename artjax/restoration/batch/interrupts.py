"""Handles Ctrl-C and similar signals as a request to end cleanly."""

from collections.abc import Iterator
import contextlib
import signal
from types import FrameType


class Interrupts:
  """Context in which the first signal raises KeyboardInterrupt, once.

  Later signals, while temporary files are deleted, are only counted.
  """

  def __init__(self) -> None:
    self.number = 0  # of the signal that came; 0 = none
    self._before: dict[int, object] = {}
    self._held = False

  def __enter__(self) -> 'Interrupts':
    for name in ('SIGINT', 'SIGTERM', 'SIGHUP'):
      number = getattr(signal, name, None)  # Windows has fewer
      if number is None or signal.getsignal(number) is signal.SIG_IGN:
        continue  # nohup
      try:
        self._before[number] = signal.signal(number, self._raise)
      except ValueError:  # only the main thread can be interrupted
        break
    return self

  def __exit__(self, *unused) -> None:
    for number, handler in self._before.items():
      signal.signal(number, handler)  # type: ignore[arg-type]

  def check(self) -> None:
    """Raises KeyboardInterrupt if a signal came but was caught elsewhere."""
    if self.number:
      raise KeyboardInterrupt

  @contextlib.contextmanager
  def held(self) -> Iterator[None]:
    """Within it a signal raises nothing; `check` does.

    For code that holds locks, which an exception at any place could leave held.
    """
    self._held = True
    try:
      yield
    finally:
      self._held = False

  def _raise(self, number: int, frame: FrameType | None) -> None:
    del frame
    if not self.number:
      self.number = number
      if not self._held:
        raise KeyboardInterrupt
