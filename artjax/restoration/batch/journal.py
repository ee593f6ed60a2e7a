"""The journal of runs in the folder of their results: `restore.jsonl`.

Each line is the record of a picture. For `--resume` it stores with which key, a
fingerprint of content and settings, each file was last made; and with which
stamp, which spares reading the content again. A shard of a run has a journal of
its own, `restore.shard-0-of-4.jsonl`, so that no two processes write one file;
all journals of a folder are read together. In an object store each run writes
parts of its own; see storage/parts.py.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
import contextlib
import errno
import glob
import hashlib
import heapq
import json
import operator
import os
import re
import sys
import time
from typing import Any, NamedTuple

from artjax.restoration.batch import real_paths
from artjax.restoration.batch.storage import parts
from artjax.restoration.batch.storage import urls

NAME = 'restore.jsonl'
_SETTLED = 2.0  # s after which a file that changes has another time
# How a line begins. Nothing behind it is needed here, and parsing that would
# take most of the time that --resume needs.
_START = re.compile(
  rb'\{"status": "(done|failed)", "key": "(\w*)", "stamp": "(\w*)", '
  rb'(?:"format": "([\w ]*)", )?'
  rb'"files": (\[[^][]*\]), "written": ([0-9.]+), .*\}\n'
)


class Made(NamedTuple):
  """What a file was last made of: fingerprints; '' = none."""

  key: str
  stamp: str
  format: str = ''  # of a picture in an object store, see image_io/formats.py


NOTHING = Made('', '')


def key(settings: str, *paths: str) -> str:
  """Fingerprint of the content of files and of the settings.

  Raises:
    OSError: one of them cannot be read.
  """
  digest = hashlib.sha256(settings.encode())
  for path in paths:
    with open(path, 'rb') as file:
      digest.update(hashlib.file_digest(file, 'sha256').digest())
  return digest.hexdigest()


def stamp(settings: str, *paths: str, version: str = '') -> str:
  """Fingerprint of paths, sizes and times of files, and of the settings.

  While it stays the same the content does: a file that is written or replaced
  has another time of change, even if its time of modification is set back. ''
  if a file has changed so recently that its times may not show the next change.

  Args:
    settings: of the results.
    *paths: of the files.
    version: of the first one, if it is in an object store.

  Raises:
    OSError: one of them does not exist.
  """
  digest = hashlib.sha256(settings.encode())
  for path in paths:
    if urls.is_url(path):
      if not version:
        return ''
      digest.update(repr((path, version)).encode())
      continue
    found = os.stat(path)
    if max(found.st_mtime, found.st_ctime) > time.time() - _SETTLED:
      return ''
    times = found.st_mtime_ns, found.st_ctime_ns
    digest.update(repr((os.path.abspath(path), found.st_size, times)).encode())
  return digest.hexdigest()


def paths(folder: str) -> list[str]:
  """The journal of whole runs in a folder, which need not exist; others.

  These are the journals of shards, and parts that were in an object store.
  """
  pattern = os.path.join(glob.escape(folder), 'restore.*.jsonl')
  return [os.path.join(folder, NAME), *sorted(glob.glob(pattern))]


def read(folder: str) -> dict[str, Made]:
  """{real path of a file: what it was last made of}, from all journals.

  Empty without a journal. Incomplete lines are skipped.

  Raises:
    OSError: the folder is in an object store that cannot be read.
  """
  made: dict[str, Made] = {}
  real = real_paths.RealPaths()
  journals = [_entries(lines, folder, real) for lines in _lines(folder)]
  for _, one, files in heapq.merge(*journals, key=operator.itemgetter(0)):
    if one.key:
      made |= dict.fromkeys(files, one)
    else:  # some of them may be of these settings, and some of earlier ones
      for path in files:
        made.pop(path, None)
  return made


def results(folder: str) -> set[str]:
  """Real paths of the files in a folder that are results of runs."""
  return {*read(folder)}


class Finished:
  """What pictures were last made of, so that a run can skip them."""

  def __init__(
    self,
    made: Mapping[str, Made],
    exists: Callable[[str], bool] = os.path.exists,
  ) -> None:
    """Takes what `read` returns, {} = nothing is finished; and what exists."""
    self._made, self._exists = made, exists
    self._real = real_paths.RealPaths()

  def __call__(self, files: Iterable[str]) -> Made:
    """What all these files, if they exist, were last made of, or `NOTHING`."""
    files = [*files]
    last = {self._made.get(self._real(path), NOTHING) for path in files}
    if len(last) == 1 and all(map(self._exists, files)):
      return last.pop()
    return NOTHING


class Journal:
  """The journal of a folder, to which lines are added; a context manager."""

  def __init__(self, folder: str, shard: str = '') -> None:
    """Opens it, and makes the folder.

    Args:
      folder: of the results.
      shard: as in the name of its journal; '' = of a whole run.

    Raises:
      OSError: it cannot be written.
    """
    os.makedirs(folder, exist_ok=True)
    self._folder = folder
    self.path = os.path.join(folder, f'{_stem(shard)}.jsonl')
    self._file = open(self.path, 'ab+', buffering=0)
    if self._file.tell():
      self._file.seek(-1, os.SEEK_END)
      if self._file.read(1) != b'\n':  # a run was killed while it wrote
        self._file.write(b'\n')

  def __enter__(self) -> 'Journal':
    return self

  def __exit__(self, *unused) -> None:
    self._file.close()

  def write(self, entry: Mapping[str, Any], files: list[str]) -> None:
    """Adds a line; it survives if the process is killed.

    Args:
      entry: its fields: at least `status`, 'done' or 'failed', and `key`.
      files: paths of the files that were to be made.

    Raises:
      OSError: it cannot be written; then no part of it is left.
    """
    below = [os.path.relpath(path, self._folder) for path in files]
    first = {
      'status': entry['status'],
      'key': entry.get('key', ''),
      'stamp': entry.get('stamp', ''),
      **({'format': entry['format']} if entry.get('format') else {}),
      'files': below,
      'written': time.time(),
    }
    self._append((json.dumps({**first, **entry, **first}) + '\n').encode())

  def flush(self) -> None:
    """Writes lines that are kept back.

    Raises:
      OSError: they cannot be written.
    """

  def _append(self, line: bytes) -> None:
    start = self._file.seek(0, os.SEEK_END)
    try:
      if self._file.write(line) != len(line):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    except OSError as error:
      self._file.truncate(start)
      raise OSError(error.errno, error.strerror, self.path) from error


class InStore(Journal):
  """The journal of a folder in an object store; see storage/parts.py."""

  def __init__(self, folder: str, shard: str = '') -> None:
    """As `Journal`, with the URL of the folder."""
    self._folder = folder
    self._parts = parts.Parts(folder, _stem(shard))

  def __exit__(self, *unused) -> None:
    # `flush` has said it; and after a signal, lines that are lost are as those
    # of a run that is killed.
    with contextlib.suppress(OSError):
      self._parts.close()

  def flush(self) -> None:
    """Writes what is kept back; see `Journal.flush`."""
    self._parts.flush()

  def _append(self, line: bytes) -> None:
    self._parts.append(line)


def opened(folder: str, shard: str = '') -> Journal:
  """The journal of a folder, which may be a URL; see `Journal`."""
  return (
    InStore(folder, shard) if urls.is_url(folder) else Journal(folder, shard)
  )


def _stem(shard):
  return f'restore.shard-{shard}' if shard else 'restore'


def _lines(folder: str) -> list[Iterator[bytes]]:
  """The lines of each journal of a folder."""
  if urls.is_url(folder):
    return parts.read(folder)
  return [_lines_of(path) for path in paths(folder)]


def _lines_of(path):
  try:
    file = open(path, 'rb')
  except OSError:
    return
  with file:
    yield from file


def _entries(
  lines: Iterable[bytes], folder: str, real: real_paths.RealPaths
) -> Iterator[tuple[float, Made, list[str]]]:
  """(when it was written, key and stamp, files) of each entry of a journal.

  An entry of a failure has the key ''.
  """
  written = 0.0  # s; of an earlier version
  for line in lines:
    try:
      entry = _parsed(line)
      files = [*map(real, _files(entry, folder))]
      key = entry['key'] if entry['status'] == 'done' else ''
      # Lines keep their order if the clock is set back.
      written = max(written, entry.get('written', 0.0))
      one = Made(key, entry.get('stamp', ''), entry.get('format', ''))
    except (ValueError, KeyError, TypeError):
      continue
    yield written, one, files


def _parsed(line):
  """The fields of a line that are needed here, and perhaps others."""
  match = _START.fullmatch(line)
  if not match:  # of an earlier version, or with brackets in the name of a file
    return json.loads(line)
  status, key, stamp, kind, files, written = match.groups()
  return {
    'status': status.decode(),
    'key': key.decode(),
    'stamp': stamp.decode(),
    'format': sys.intern((kind or b'').decode()),
    'files': json.loads(files),
    'written': float(written),
  }


def _files(entry, folder):
  """Paths of the files in an entry."""
  if 'files' in entry:
    return [os.path.join(folder, path) for path in entry['files']]
  return [entry['output']] if 'output' in entry else []  # an earlier version
