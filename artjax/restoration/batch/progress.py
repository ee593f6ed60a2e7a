"""Progress of a long command: a bar on a terminal, plain lines in a file."""

import sys
import time
from typing import IO

_EVERY = 10.0  # s between lines about one picture


class Progress:
  """Shows the progress of a run; a context manager.

  On a terminal a bar moves with the tiles. Elsewhere each finished picture is a
  line, and slow pictures report their progress from time to time.
  """

  def __init__(self, total: int, stream: IO[str] | None = None) -> None:
    """Prepares for `total` pictures, on stderr or another stream."""
    self._total, self._stream = total, stream or sys.stderr
    self._bar = None
    self._number, self._name, self._said = 0, '', 0.0

  def __enter__(self) -> 'Progress':
    if self._stream.isatty():
      import tqdm  # of no use elsewhere

      self._bar = tqdm.tqdm(
        total=self._total,
        unit='picture',
        file=self._stream,
        bar_format='{l_bar}{bar}| {elapsed}<{remaining}{postfix}',
      )
    return self

  def __exit__(self, *unused) -> None:
    if self._bar is not None:
      self._bar.close()

  def start(self, name: str) -> None:
    """Starts the next picture."""
    self._name, self._said = name, time.monotonic()
    self._number += 1
    if self._bar is not None:
      self._bar.set_postfix_str(name)

  def tiles(self, done: int, total: int) -> None:
    """Reports how many tiles of the current picture are done."""
    share = done / max(1, total)
    if self._bar is not None:
      self._move(self._number - 1 + share)
    elif share < 1 and time.monotonic() - self._said >= _EVERY:
      self._said = time.monotonic()
      self.write(f'{self._place()} {self._name}: {share:.0%}')

  def finish(self, what: str) -> None:
    """Ends the current picture: 'done', 'failed' or 'skipped'."""
    if self._bar is not None:
      self._move(self._number)
    else:
      self.write(f'{self._place()} {self._name}: {what}')

  def write(self, line: str) -> None:
    """Writes a line that is not about progress."""
    if self._bar is not None:
      self._bar.write(line, file=self._stream)
    else:
      print(line, file=self._stream, flush=True)

  def _place(self):
    return f'[{self._number}/{self._total}]'

  def _move(self, position):
    self._bar.update(max(0, position - self._bar.n))
