"""Many files as one zip, made while it is sent: neither on disk nor in memory.

The files are pictures, which are compressed already, so they are stored without
compression.
"""

from collections.abc import Iterable, Iterator
import os
import zipfile

_AT_ONCE = 1 << 20  # bytes
_NO_DATE = 1980, 1, 1, 0, 0, 0  # the same files make the same zip


class _Sink:
  """The target of a zip writer; `take` returns and removes its content."""

  def __init__(self):
    self._parts: list[bytes] = []

  def write(self, data):
    self._parts.append(bytes(data))
    return len(data)

  def flush(self):
    pass

  def take(self):
    data = b''.join(self._parts)
    self._parts.clear()
    return data


def stream(files: Iterable[tuple[str, str]]) -> Iterator[bytes]:
  """The bytes of a zip, part by part.

  Args:
    files: (name in the zip, path); a repeated name gets a number.

  Raises:
    OSError: a file has disappeared meanwhile.
  """
  sink = _Sink()
  taken: set[str] = set()
  with zipfile.ZipFile(sink, 'w') as archive:  # type: ignore[call-overload]
    for name, path in files:
      info = zipfile.ZipInfo(_unique(name, taken), _NO_DATE)
      info.file_size = os.path.getsize(path)
      info.external_attr = 0o644 << 16
      with open(path, 'rb') as source, archive.open(info, 'w') as target:
        while data := source.read(_AT_ONCE):
          target.write(data)
          yield sink.take()
  yield sink.take()


def _unique(name, taken):
  """'a.png', or 'a (2).png' if that is taken, and so on; takes it."""
  stem, suffix = os.path.splitext(name)
  number = 1
  while name in taken:
    number += 1
    name = f'{stem} ({number}){suffix}'
  taken.add(name)
  return name
