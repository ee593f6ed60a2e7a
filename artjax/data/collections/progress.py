"""Progress of a collection: a line now and then, with the time that is left."""

import sys
import time
from typing import IO

_EVERY = {True: 0.5, False: 10.0}  # s between lines, on a terminal or not


class Progress:
  """Tells how many pictures are there; a context manager."""

  def __init__(self, there: int, stream: IO[str] | None = None):
    """Starts with the pictures of earlier runs, on stderr by default."""
    self._stream = stream or sys.stderr
    self._terminal = self._stream.isatty()
    self._first, self._start = there, time.monotonic()
    self._said = self._start

  def __enter__(self) -> 'Progress':
    return self

  def __exit__(self, *unused) -> None:
    if self._terminal:
      print(file=self._stream)

  def show(self, there: int, total: int | None, failed: int) -> None:
    """Writes a line if it is time for one.

    Args:
      there: pictures in the folder.
      total: how many there will be, as far as is known.
      failed: items of this run.
    """
    now = time.monotonic()
    if now - self._said < _EVERY[self._terminal]:
      return
    self._said = now
    line = f'{there} of {total} pictures' if total else f'{there} pictures'
    if failed:
      line += f', {failed} failed'
    new = there - self._first
    if total and new > 0:
      left = (total - there) * (now - self._start) / new
      line += f', {duration(left)} left'
    # On a terminal a line replaces the one before it.
    start, end = ('\r', '\x1b[K') if self._terminal else ('', '\n')
    print(f'{start}{line}', end=end, file=self._stream, flush=True)

  def note(self, line: str) -> None:
    """Writes a line that stays."""
    start = '\r' if self._terminal else ''
    end = '\x1b[K\n' if self._terminal else '\n'
    print(f'{start}{line}', end=end, file=self._stream, flush=True)


def duration(seconds: float) -> str:
  """'2 h 05 min', '14 min' or '30 s'."""
  if seconds < 59.5:
    return f'{seconds:.0f} s'
  hours, minutes = divmod(round(seconds / 60), 60)
  return f'{hours} h {minutes:02} min' if hours else f'{minutes} min'
