"""Journals in object stores, where no file can be added to.

Each run writes files of its own, one after the other: the parts of its journal,
`restore.20260102T030405Z-0a1b2c3d.000000.jsonl` and so on. The newest part is
written again, whole, with the lines that have come since, once in `EVERY`
seconds. So a run that is killed loses only the lines of that time: their
results exist, and the next run makes them again.
"""

import collections
from collections.abc import Iterator
import contextlib
import re
import secrets
import time

from artjax.restoration.batch.storage import stores

EVERY = 30.0  # s
_LARGEST = 4_000_000  # bytes of a part, after which the next begins
_NAME = re.compile(r'restore((?:\.[^.]+)*?)(?:\.([0-9]{6,}))?\.jsonl')


class Parts:
  """The journal of a run, in the making."""

  def __init__(self, folder: str, name: str) -> None:
    """Begins it, so that a folder that cannot be written to is noticed at once.

    Args:
      folder: URL of the folder.
      name: of the journal, up to the name of the run.

    Raises:
      OSError: it cannot be written.
    """
    now = time.strftime('%Y%m%dT%H%M%SZ', time.gmtime())
    self._start = f'{folder}/{name}.{now}-{secrets.token_hex(4)}'
    self._number, self._lines, self._size = 0, list[bytes](), 0
    self._save()

  @property
  def path(self) -> str:
    """URL of the newest part."""
    return f'{self._start}.{self._number:06}.jsonl'

  def append(self, line: bytes) -> None:
    """Adds a line, which may be kept back for `EVERY` seconds.

    Raises:
      OSError: it cannot be written; a later call tries it again.
    """
    if self._size + len(line) > _LARGEST and self._lines:
      self._save()
      self._number, self._lines, self._size = self._number + 1, [], 0
    self._lines.append(line)
    self._size += len(line)
    self._is_saved = False
    if time.monotonic() - self._when >= EVERY:
      self._save()

  def flush(self) -> None:
    """Writes what was kept back.

    Raises:
      OSError: it cannot be written.
    """
    if not self._is_saved:
      self._save()

  def close(self) -> None:
    """As `flush`; leaves no part that is empty."""
    self.flush()
    if not self._lines:  # of no use, and of no harm where it stays
      with contextlib.suppress(OSError):
        stores.remove(self.path)

  def _save(self):
    stores.write(self.path, b''.join(self._lines))
    self._is_saved, self._when = True, time.monotonic()


def read(folder: str) -> list[Iterator[bytes]]:
  """The lines of each journal in a folder; a part is in memory at a time.

  Args:
    folder: URL of the folder, which need not exist.

  Raises:
    OSError: it cannot be read.
  """
  runs = collections.defaultdict(list)
  for found in stores.find(folder, recursive=False):
    match = _NAME.fullmatch(found.below)
    if match:
      runs[match[1]].append((int(match[2] or 0), found.url))
  return [_lines(sorted(parts)) for parts in runs.values()]


def _lines(parts):
  for _, url in parts:
    yield from stores.read(url).splitlines()
