"""The journal of runs in the folder of their results: `restore.jsonl`.

Each line is the record of a picture. For `--resume` it stores with which key, a
fingerprint of content and settings, each file was last made. A shard of a run
has a journal of its own, `restore.shard-0-of-4.jsonl`, so that no two processes
write one file; all journals of a folder are read together.
"""

from collections.abc import Mapping
import errno
import glob
import hashlib
import json
import os
import time
from typing import Any

NAME = 'restore.jsonl'


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


def paths(folder: str) -> list[str]:
  """The journal of whole runs in a folder, which need not exist; of shards."""
  pattern = os.path.join(glob.escape(folder), _name('*'))
  return [os.path.join(folder, NAME), *sorted(glob.glob(pattern))]


def read(folder: str) -> dict[str, str]:
  """{real path of a file: key with which it was last made}, from all journals.

  Empty without a journal. Incomplete lines are skipped.
  """
  made: dict[str, str] = {}
  for _, fingerprint, files in sorted(
    _entries(folder), key=lambda entry: entry[0]
  ):
    if fingerprint:
      made |= dict.fromkeys(files, fingerprint)
    else:  # some of them may be of these settings, and some of earlier ones
      for path in files:
        made.pop(path, None)
  return made


def results(folder: str) -> set[str]:
  """Real paths of the files in a folder that are results of runs."""
  return {*read(folder)}


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
    self.path = os.path.join(folder, _name(shard) if shard else NAME)
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
    start = self._file.seek(0, os.SEEK_END)
    entry = {**entry, 'files': below, 'written': time.time()}
    line = (json.dumps(entry) + '\n').encode()
    try:
      if self._file.write(line) != len(line):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    except OSError as error:
      self._file.truncate(start)
      raise OSError(error.errno, error.strerror, self.path) from error


def _name(shard):
  return f'restore.shard-{shard}.jsonl'


def _entries(folder):
  """(when it was written, its key or '' = failed, files) of each entry."""
  for journal in paths(folder):
    try:
      with open(journal, encoding='utf-8') as file:
        lines = file.readlines()
    except (OSError, UnicodeDecodeError):
      continue
    written = 0.0  # s; of an earlier version
    for line in lines:
      try:
        entry = json.loads(line)
        files = _files(entry, folder)
        fingerprint = entry['key'] if entry['status'] == 'done' else ''
        # Lines keep their order if the clock is set back.
        written = max(written, entry.get('written', 0.0))
      except (ValueError, KeyError, TypeError):
        continue
      yield written, fingerprint, files


def _files(entry, folder):
  """Real paths of the files in an entry."""
  if 'files' in entry:
    paths = [os.path.join(folder, path) for path in entry['files']]
  else:  # of an earlier version
    paths = [entry['output']] if 'output' in entry else []
  return [os.path.realpath(path) for path in paths]
