"""Restores pictures of object stores: fetched first, results sent when whole.

A picture is fetched to a temporary file just before its turn and restored from
there as any other. Its results are made beside it, and sent when all are made.
The journal is written after that, so what it lists exists.
"""

from collections.abc import Mapping
import dataclasses
import errno
import json
import os
import tempfile
from typing import Any

from artjax.image_io import formats
from artjax.image_io import vips
from artjax.restoration.batch import finding
from artjax.restoration.batch import journal
from artjax.restoration.batch import worker as worker_lib
from artjax.restoration.batch.storage import stores
from artjax.restoration.batch.storage import urls
from artjax.restoration.provenance import record as record_lib

_RESULTS = '.results'  # hidden: no picture has this name
_TRIES = 3  # to fetch a file that is replaced meanwhile


class Worker:
  """A worker for items whose source, or whose results, are in a store."""

  def __init__(self, worker: worker_lib.Worker) -> None:
    """Takes the worker that restores files of this machine."""
    self._worker, self.settings = worker, worker.settings

  def restore(self, item: finding.Item, *more: Any) -> worker_lib.Result:
    """Restores an item; see `worker.Worker.restore`, also for `more`."""
    if not any(map(urls.is_url, (item.source, *item.outputs.values()))):
      return self._worker.restore(item, *more)
    with tempfile.TemporaryDirectory(prefix='artjax_') as folder:
      here = _here(item, folder)
      try:
        version = _fetch(item.source, here.source, item.version)
      except OSError as error:
        stop = 'the disk is full' if vips.is_full(error) else ''
        return worker_lib.failed(item, error, stop=stop)
      result = self._worker.restore(here, *more)
      names = _names(item, folder)
      result = dataclasses.replace(
        result,
        entry=_named(result.entry, names),
        lines=_named(result.lines, names),
        reason=_named(result.reason, names),
      )
      if version and result.entry:
        result.entry['stamp'] = journal.stamp(
          self.settings, item.source, *item.brought.values(), version=version
        )
        result.entry['format'] = formats.format_of(here.source) or ''
      if result.how == 'done':
        try:
          _send(item, here, names)
        except OSError as error:
          known = {name: result.entry[name] for name in ('stamp', 'key')}
          return worker_lib.failed(item, error, known)
      return result


def _here(item, folder):
  """The item with its files in a folder of this machine."""
  source, outputs = item.source, {**item.outputs}
  if urls.is_url(source):
    source = os.path.join(folder, os.path.basename(source))
  results = os.path.join(folder, _RESULTS)
  os.mkdir(results)
  for kind, path in item.outputs.items():
    if urls.is_url(path):
      outputs[kind] = os.path.join(results, os.path.basename(path))
  return dataclasses.replace(item, source=source, outputs=outputs)


def _fetch(url, path, version):
  """Fetches a file; returns the version that was fetched."""
  if not urls.is_url(url):
    return ''
  for _ in range(_TRIES):
    stores.get(url, path)
    before, version = version, stores.version(url)
    if before == version:
      return version
  raise OSError(errno.EBUSY, 'it changes while it is fetched', url)


def _names(item, folder):
  """{start of a path in a folder of this machine: what it stands for}."""
  places = {_RESULTS: item.output, '': item.source}
  return {
    os.path.join(folder, name, ''): os.path.join(os.path.dirname(path), '')
    for name, path in places.items()
    if urls.is_url(path)
  }


def _named(value: Any, names: Mapping[str, str]) -> Any:
  """JSON, with paths of this machine replaced by what they stand for."""
  if isinstance(value, str):
    for path, name in names.items():
      value = value.replace(path, name)
    return value
  if isinstance(value, list):
    return [_named(one, names) for one in value]
  if isinstance(value, dict):
    return {key: _named(one, names) for key, one in value.items()}
  return value


def _send(item, here, names):
  """Sends the results that are for a store."""
  sent = [kind for kind, path in item.outputs.items() if urls.is_url(path)]
  for kind in sent:
    if kind == 'report':
      with open(here.outputs[kind], encoding='utf-8') as file:
        record = json.load(file)
      record_lib.save(here.outputs[kind], _named(record, names))
    if os.path.exists(here.outputs[kind]):  # no mask where nothing was found
      stores.put(here.outputs[kind], item.outputs[kind])
