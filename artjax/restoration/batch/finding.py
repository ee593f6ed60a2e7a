"""Which picture files a command line selects.

A file that is named directly is always selected. In folders, and among the
matches of a pattern, maps, masks and results of earlier runs are skipped;
otherwise a second run would restore the results of the first.
"""

from collections.abc import Collection
import dataclasses
import glob
import os
import pathlib
import stat
from typing import NamedTuple

from artjax.restoration.batch import journal
from artjax.restoration.batch import outputs
from artjax.restoration.batch import real_paths
from artjax.restoration.batch import streams
from artjax.restoration.batch.storage import stores
from artjax.restoration.batch.storage import urls


@dataclasses.dataclass(slots=True)  # there may be millions
class Item:
  """A picture to restore, its mask and hints, and the paths of its results."""

  source: str  # path or URL
  below: str  # its path below the folder that was named, or its name
  problem: str = ''  # why it cannot be done, known before trying
  name: str = ''  # what it is called; '' = its path
  page: int | None = None  # of its file, from 0; None = the first of full size
  is_picture: bool = True  # by its first bytes
  kind: str | None = None  # its format by its first bytes, if it is in a store
  version: str = ''  # of a file in a store: another if its content is
  meant: bool = True  # whether it was named by itself
  brought: dict[str, str] = dataclasses.field(default_factory=dict)
  outputs: dict[str, str] = dataclasses.field(default_factory=dict)
  notices: list[str] = dataclasses.field(default_factory=list)

  @property
  def called(self) -> str:
    """What messages call it."""
    name = self.name or self.source
    return name if self.page is None else f'{name}, page {self.page + 1}'

  @property
  def path(self) -> str:
    """The path that its masks and hints are named after."""
    if self.page is None:
      return self.source
    name = os.path.basename(self.below)
    return os.path.join(os.path.dirname(self.source), name)

  @property
  def output(self) -> str:
    """Path of the main file of the result."""
    return next((path for path in self.outputs.values() if path), '')


class LeftAlone(NamedTuple):
  """A file or a whole folder that is not restored."""

  path: str
  why: str


def find(
  names: list[str],
  recursive: bool,
  suffixes: tuple[str, ...],
  output: str = '',
  spool: streams.Spool | None = None,
  results: Collection[str] = (),
) -> tuple[list[Item], list[LeftAlone]]:
  """The pictures that a command line names.

  Args:
    names: files, folders and patterns, also in object stores; '-' = stdin.
    recursive: whether folders within folders count.
    suffixes: of files in folders that count as pictures.
    output: folder of the results.
    spool: stores data that can be read only once.
    results: real paths of files in `output` that are results of runs.

  Returns:
    Items, each file once; and the files and folders that are skipped.
  """
  search = _Search(recursive, suffixes, output, results)
  for name in names:
    if urls.is_url(name):
      search.url(name)
    elif os.path.isdir(name):
      search.folder(name)
    elif spool is not None and streams.is_stream(name):
      search.stream(name, spool)
    elif not os.path.lexists(name) and glob.has_magic(name):
      search.pattern(name)
    else:
      search.add(name, os.path.basename(name))
  left_alone = [
    one for path, one in search.left_alone.items() if path not in search.found
  ]
  return [*search.found.values()], left_alone


class _Search:
  def __init__(self, recursive, suffixes, output, results):
    self._recursive, self._suffixes = recursive, suffixes
    self._real = real_paths.RealPaths()
    self._output = self._real(output) if output else ''
    self._results = results
    self._inner: set[str] = set()  # results in folders below
    # By real path: named twice, it is one.
    self.found: dict[str, Item] = {}
    self.left_alone: dict[str, LeftAlone] = {}

  def add(self, source, below, problem='', real='', **fields):
    if not problem and not urls.is_url(source) and _is_irregular(source):
      problem = f'{source}: it is no regular file'
    item = Item(source, below, problem, **fields)
    self.found.setdefault(real or self._real(source), item)

  def stream(self, name, spool):
    if name in (item.name for item in self.found.values()):
      return
    try:
      path = spool.file(name)
    except OSError as error:
      self.add(name, name, f'{name}: {error.strerror or error}')
    else:
      self.add(path, os.path.basename(path), name=name)

  def pattern(self, name):
    matches = sorted(glob.glob(name, recursive=self._recursive))
    for match in matches:
      if not os.path.isdir(match):
        self._add_unless_made(match, os.path.basename(match))
    if not matches:
      self.add(name, name, f'{name}: nothing matches')

  def url(self, name):
    """Adds a file, a folder or the matches of a pattern in an object store."""
    try:
      found = stores.find(name, self._recursive)
      matches = (
        stores.matches(name) if not found and glob.has_magic(name) else []
      )
      for folder in {os.path.dirname(f.url) for f in found if f.is_journal}:
        if folder != name:
          self._inner |= journal.results(folder)
    except OSError as error:
      self.add(name, name, f'{name}: {error.strerror}', name=name)
      return
    if not found and not matches:
      why = f'{name}: there is no such bucket, folder or file'
      self.add(name, name, why, name=name)
    for one in matches:
      self._add_unless_made(
        one.url, one.below, name=one.url, version=one.version
      )
    holds_results = self._output != name and urls.is_within(self._output, name)
    for one in found:
      inner, entry = os.path.split(one.below)
      fields = {'name': one.url, 'version': one.version}
      if not entry:
        self.add(one.url, os.path.basename(one.url), **fields)
      elif holds_results and urls.is_within(one.url, self._output):
        self._leave(self._output, 'the folder of the results')
      elif not inner.startswith('.') and '/.' not in inner:
        why = self._unlike_a_picture(entry)
        if why:
          self._leave(one.url, why)
        else:
          self._add_unless_made(one.url, one.below, **fields)

  def folder(self, name):
    start = str(pathlib.Path(name))
    for top, folders, entries in os.walk(start, onerror=self._unreadable):
      inner = '' if top == start else os.path.relpath(top, start)
      if inner and os.path.realpath(top) == self._output:
        folders.clear()
        self._leave(top, 'the folder of the results')
        continue
      if inner:
        self._inner |= journal.results(top)
      folders[:] = sorted(
        f for f in folders if self._recursive and not f.startswith('.')
      )
      for entry in sorted(entries):
        source = entry if top == os.curdir else os.path.join(top, entry)
        why = self._unlike_a_picture(entry)
        if not why and _is_irregular(source):
          why = 'no regular file'
        if why:
          self._leave(source, why)
        else:
          self._add_unless_made(source, os.path.join(inner, entry))

  def _unlike_a_picture(self, name):
    """Why a file of a folder is no picture, by its name; '' if it is one."""
    if name.startswith('.'):
      return 'hidden'
    if os.path.splitext(name)[1].lower() not in self._suffixes:
      return 'not named as a picture'
    return ''

  def _add_unless_made(self, source, below, **fields):
    real = self._real(source)
    if real in self._results or real in self._inner:
      self._leave(source, 'the result of an earlier run')
    elif source.endswith(outputs.BESIDE):
      self._leave(source, 'named as a map or a mask of a result')
    else:
      self.add(source, below, real=real, meant=False, **fields)

  def _leave(self, source, why):
    self.left_alone.setdefault(self._real(source), LeftAlone(source, why))

  def _unreadable(self, error):
    path = error.filename
    self.add(path, path, f'{path}: {error.strerror}')


def _is_irregular(path):
  """Whether there is something that is no regular file."""
  try:
    return not stat.S_ISREG(os.stat(path).st_mode)
  except OSError:  # none; it is said when the picture's turn comes
    return False
