"""Fetches the pictures of a collection into a folder; resumes."""

import dataclasses
import datetime
import hashlib
import json
import os
import re
from typing import Any

from artjax import atomic_files
from artjax.data.collections import base
from artjax.data.collections import content
from artjax.data.collections import duplicates
from artjax.data.collections import journal as journal_lib
from artjax.data.collections import licences
from artjax.data.collections import progress as progress_lib
from artjax.data.collections import web as web_lib
from artjax.data.collections.base import FetchError

DUPLICATES = 'duplicates.json'
_IN_A_ROW = 20  # failures after which it is no use to go on
# What comes of an answer that lacks something, or has it in another shape.
_OTHER_SHAPE = KeyError, TypeError, IndexError, AttributeError, ValueError
_LONGEST_NAME = 80  # characters of an id in a file name


@dataclasses.dataclass(frozen=True)
class Settings:
  """What is fetched. Raises ValueError naming a field out of range.

  Attributes:
    limit: pictures that the folder is to hold of this provider.
    licences: names of those that are accepted.
    max_bytes: of a picture file.
    max_pixels: of a picture, at most 178 million, Pillow's own limit.
  """

  limit: int
  licences: tuple[str, ...] = ('cc0', 'pdm')
  max_bytes: int = 100 * 2**20
  max_pixels: float = 100e6

  def __post_init__(self):
    for name, most in (
      ('limit', 1e9),
      ('max_bytes', 2**31),
      ('max_pixels', 178e6),
    ):
      if not 0 < getattr(self, name) <= most:
        raise ValueError(
          f'{name}={getattr(self, name):g} must be above 0 and at most {most:g}'
        )


def collect(
  provider: base.Provider,
  query: base.Query,
  output: str,
  settings: Settings,
  web: web_lib.Web,
) -> dict[str, Any]:
  """Fetches pictures that are not there yet.

  Args:
    provider: whose pictures.
    query: which of them.
    output: folder; it is made.
    settings: `Settings`.
    web: fetches.

  Returns:
    dict: 'pictures' of this provider in the folder, 'new' ones of this run,
    'refused' and 'failed' items of this run, 'duplicates' groups of copies in
    the folder, 'stopped' why it ended early, or ''.

  Raises:
    ValueError: another run is at work in the folder.
    OSError: it cannot be written.
  """
  with journal_lib.Journal(output, provider.name) as journal:
    run = _Run(provider, query, output, settings, web, journal)
    try:
      stopped = run.all_items()
    finally:
      groups = _report_duplicates(output)
  return {
    'pictures': len(journal.pictures),
    'new': run.new,
    'refused': run.refused,
    'failed': run.failed,
    'duplicates': len(groups),
    'stopped': stopped,
  }


class _Run:
  """One run through the list."""

  def __init__(self, provider, query, output, settings, web, journal):
    self._provider, self._query, self._web = provider, query, web
    self._output, self._settings = output, settings
    self._journal = journal
    self.new = self.refused = self.failed = 0

  def all_items(self):
    """Goes through the list up to the limit; why it ended early, or ''."""
    in_a_row = passed = 0
    with progress_lib.Progress(len(self._journal.pictures)) as progress:
      self._progress = progress
      if self._full():
        return ''
      try:
        for item in self._provider.items(self._web, self._query):
          passed += 1
          if self._journal.finished(item.id, self._settings.licences):
            continue
          ok = self._one_item(item)
          in_a_row = 0 if ok else in_a_row + 1
          there = len(self._journal.pictures)
          progress.show(there, self._total(item.total, passed), self.failed)
          if self._full():
            return ''
          if in_a_row == _IN_A_ROW:
            return f'{in_a_row} items failed in a row'
      except FetchError as error:  # of the list itself
        return str(error)
      except _OTHER_SHAPE as error:
        return f'unexpected answer: {type(error).__name__} {error}'
    return ''

  def _full(self):
    return len(self._journal.pictures) >= self._settings.limit

  def _total(self, items, passed):
    """Pictures that there will be: what is left may all be refused."""
    if items is None:
      return self._settings.limit
    left = max(0, items - passed)
    return min(self._settings.limit, len(self._journal.pictures) + left)

  def _one_item(self, item):
    """Fetches the pictures of an item; whether none of them failed."""
    ids, refused, reasons = [], set(), []
    try:
      for picture in self._provider.pictures(self._web, item, self._query):
        licence = licences.name(picture.licence)
        if licence not in self._settings.licences:
          refused.add(licence)
          continue
        if self._full():
          return True  # a run with a higher limit goes on here
        ids.append(picture.id)
        if picture.id not in self._journal.pictures:
          try:
            self._one_picture(picture)
          except FetchError as error:
            reasons.append(str(error))
    except FetchError as error:
      reasons.append(str(error))
    except _OTHER_SHAPE as error:
      reasons.append(f'unexpected record: {type(error).__name__} {error}')
    details = {'pictures': ids, 'refused': sorted(refused), 'at': _now()}
    if reasons:
      self.failed += 1
      tries = self._journal.items.get(item.id, {}).get('tries', 0) + 1
      self._progress.note(f'{item.id}: {reasons[0]}')
      status, details = (
        'failed',
        {**details, 'reasons': reasons, 'tries': tries},
      )
    elif ids:
      status = 'done'
    else:
      status = 'refused'
      self.refused += 1
    self._journal.add_item(item.id, status, **details)
    return not reasons

  def _one_picture(self, picture):
    """Fetches a picture; its file is there before its line in the journal."""
    data = self._web.picture(picture.url, self._settings.max_bytes)
    found = content.inspect(data, self._settings.max_pixels)
    name = file_name(self._provider.name, picture.id) + found.extension
    atomic_files.write_bytes(os.path.join(self._output, name), data)
    self._journal.add_picture(
      {
        'id': picture.id,
        'file': name,
        'title': picture.title,
        'maker': picture.maker,
        'date': picture.date,
        'page': picture.page,
        'url': picture.url,
        'licence': licences.url(picture.licence),
        'credit': picture.credit,
        'retrieved': _now(),
        'bytes': len(data),
        'sha256': found.sha256,
        'dhash': found.dhash,
        'size_stated': picture.stated,
        'size_asked': picture.asked,
        'size': [found.width, found.height],
      }
    )
    self.new += 1


def file_name(provider: str, id: str) -> str:
  """The name of a picture's file, without its extension.

  An id that is no safe name, or has capital letters, is told from others by a
  hash of it.
  """
  safe = re.sub(r'[^A-Za-z0-9._-]+', '_', id)[:_LONGEST_NAME].strip('_.')
  if safe != id or id != id.lower():
    safe += '-' + hashlib.sha256(id.encode()).hexdigest()[:10]
  return f'{provider}_{safe}'


def _report_duplicates(output):
  """Writes which pictures of the folder are copies; returns the groups."""
  groups = duplicates.find(journal_lib.read_pictures(output))
  path = os.path.join(output, '.collect', DUPLICATES)
  atomic_files.write_text(path, json.dumps(groups, indent=1) + '\n')
  return groups


def _now():
  now = datetime.datetime.now(datetime.UTC)
  return now.isoformat(timespec='seconds')
