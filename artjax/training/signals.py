"""Handles SIGTERM and SIGINT as a request to end after the current step."""

from collections.abc import Iterator
import contextlib
import signal
import sys
from typing import Any


class StopSignals:
  """Context in which SIGTERM and SIGINT only ask the loop to end.

  `.name` is None until a signal came, then its name. A second signal interrupts
  code within `may_break_off`. Outside the main thread, where Python allows no
  handlers, signals keep their usual meaning.
  """

  def __init__(self) -> None:
    self.name: str | None = None
    self._old: dict[int, Any] = {}
    self._breakable = False

  def _note(self, number, frame):
    del frame
    again, self.name = bool(self.name), signal.Signals(number).name
    if again and self._breakable:
      raise KeyboardInterrupt(self.name)
    print(f'{self.name}: ending after this step', file=sys.stderr)

  @contextlib.contextmanager
  def may_break_off(self, *, alone: bool = True) -> Iterator[None]:
    """Context that a second signal ends at once, by KeyboardInterrupt.

    Args:
      alone: whether no other process waits for it; otherwise it is not
        interrupted.
    """
    self._breakable = alone
    try:
      yield
    finally:
      self._breakable = False

  def __enter__(self) -> 'StopSignals':
    try:
      for number in (signal.SIGTERM, signal.SIGINT):
        self._old[number] = signal.signal(number, self._note)
    except ValueError:  # Not the main thread.
      pass
    return self

  def __exit__(self, *exc: object) -> None:
    for number, handler in self._old.items():
      signal.signal(number, handler)
