"""The files that a collection is kept in, beside its pictures.

`pictures.jsonl` has the provenance of each picture. `.collect/items.jsonl` says
how each item of the provider's list ended, so that a later run skips what is
done and tries again what failed.
"""

from collections.abc import Mapping
import contextlib
import json
import os
import re
from typing import Any

from artjax.data import run_lock
from artjax.data.sources import provenance

_FOLDER = '.collect'  # hidden, and so no source reads it
_ITEMS = 'items.jsonl'


class Journal:
  """What a folder holds, and how its items ended; a context manager.

  Attributes:
    pictures: {id: provenance} of those whose file is there, of one provider.
    items: {id: last entry}, of one provider.
  """

  def __init__(self, folder: str, provider: str):
    """Opens the folder, and makes it.

    Raises:
      ValueError: another run collects into it.
      OSError: it cannot be written.
    """
    self._folder, self._provider = folder, provider
    hidden = os.path.join(folder, _FOLDER)
    refusal = f'another run collects into {folder}: wait for its end'
    with contextlib.ExitStack() as stack:
      stack.enter_context(run_lock.held(hidden, refusal))
      self._pictures = _append(stack, os.path.join(folder, provenance.NAME))
      self._items = _append(stack, os.path.join(hidden, _ITEMS))
      _remove_halves(folder)
      self._stack = stack.pop_all()
    self.pictures = {
      entry['id']: entry
      for entry in read_pictures(folder)
      if entry.get('provider') == provider and 'id' in entry
    }
    self.items = {
      entry['item']: entry
      for entry in provenance.read_lines(os.path.join(hidden, _ITEMS))
      if entry.get('provider') == provider and 'item' in entry
    }

  def __enter__(self) -> 'Journal':
    return self

  def __exit__(self, *unused) -> None:
    self._stack.close()

  def finished(self, item: str, accepted: tuple[str, ...]) -> bool:
    """Whether nothing is left to do for an item.

    Args:
      item: its id.
      accepted: names of licences; what was refused for another one may have
        become welcome.
    """
    entry = self.items.get(item, {})
    return (
      entry.get('status') in ('done', 'refused')
      and all(id in self.pictures for id in entry['pictures'])
      and not set(entry['refused']) & set(accepted)
    )

  def add_picture(self, entry: Mapping[str, Any]) -> None:
    """Enters a picture whose file is there."""
    entry = {'provider': self._provider, **entry}
    _write(self._pictures, entry)
    self.pictures[entry['id']] = entry

  def add_item(self, item: str, status: str, **details: Any) -> None:
    """Enters how an item ended: 'done', 'refused' or 'failed'."""
    entry = {
      'provider': self._provider,
      'item': item,
      'status': status,
      **details,
    }
    _write(self._items, entry)
    self.items[item] = entry


def read_pictures(folder: str | os.PathLike) -> list[dict[str, Any]]:
  """The provenance of the pictures in a folder whose files are there and whole.

  The last line about a file counts.
  """
  return [
    entry
    for file, entry in provenance.read(folder).items()
    if os.path.basename(file) == file
    and _size(os.path.join(folder, file)) == entry.get('bytes')
  ]


def _size(path):
  try:
    return os.path.getsize(path)
  except OSError:
    return None


def _remove_halves(folder):
  """Removes what a killed run was writing (`atomic_files.write_bytes`)."""
  for name in os.listdir(folder):
    if re.fullmatch(r'.+\.\d+-\d+\.part', name):
      os.remove(os.path.join(folder, name))


def _append(stack, path):
  """A file to add lines to, without the half of one that a kill has left."""
  file = stack.enter_context(open(path, 'ab+', buffering=0))
  if file.tell():
    file.seek(-1, os.SEEK_END)
    if file.read(1) != b'\n':
      file.write(b'\n')
  return file


def _write(file, entry):
  """Adds a line, whole or not at all."""
  start = file.seek(0, os.SEEK_END)
  line = (json.dumps(entry, ensure_ascii=False) + '\n').encode()
  try:
    if file.write(line) != len(line):
      raise OSError(28, os.strerror(28))  # a full disk
  except OSError as error:
    file.truncate(start)
    raise OSError(error.errno, error.strerror, file.name) from error
