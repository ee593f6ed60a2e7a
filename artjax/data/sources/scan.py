"""Reads and checks the pictures of a source.

A `Scan` decodes every picture once, in threads, when a source is opened. Its
`reader` returns them later, through a `Cache` of decoded pictures.
"""

import collections
from collections.abc import Callable, Hashable, Mapping, Sequence
import concurrent.futures
import hashlib
import os
import pathlib
import threading
from typing import Any, NamedTuple

from absl import logging
import numpy as np

from artjax.data.sources import decode


class Entry(NamedTuple):
  """One picture of a source."""

  name: str  # unique in its source
  digest: bytes  # SHA-256 of its content, the target's for a pair
  key: Any  # where the source's reader finds it


class Found(NamedTuple):
  """What a kind of source gives: find(rest, check) -> Found."""

  entries: list[Entry]
  read: Callable[[Any], dict[str, Any]]  # key of an entry -> its pictures
  rejected: list[tuple[str, str]]  # (name, reason)
  provenance: Mapping[str, dict[str, Any]] = {}  # by name, where it is known


def cores() -> int:
  """Processor cores this process may use."""
  if hasattr(os, 'sched_getaffinity'):
    return len(os.sched_getaffinity(0))
  return os.cpu_count() or 1


def is_folder(text: str) -> bool:
  """Whether a folder of this name exists; '~' is that of the user."""
  return bool(text) and pathlib.Path(text).expanduser().is_dir()


def files(folder: str | pathlib.Path) -> list[tuple[str, pathlib.Path]]:
  """(path below the folder with '/', path) of each file, in order of names.

  Hidden files and folders (.git, .DS_Store, ._x.jpg) are skipped.
  """
  root = pathlib.Path(folder).expanduser()
  if not root.is_dir():
    what = 'is not a folder' if root.exists() else 'does not exist'
    raise FileNotFoundError(f'{root.absolute()} {what}')
  found, seen = [], set()
  for top, folders, names in os.walk(root, followlinks=True):
    real = os.path.realpath(top)
    if real in seen:
      folders.clear()  # a link back up would never end
      continue
    seen.add(real)
    folders[:] = [name for name in folders if not name.startswith('.')]
    found += [
      pathlib.Path(top, name) for name in names if not name.startswith('.')
    ]
  return sorted((path.relative_to(root).as_posix(), path) for path in found)


def read_file(path: str | pathlib.Path) -> bytes:
  """The bytes of a picture file; of any other, just enough to see so."""
  with open(path, 'rb') as file:
    head = file.read(decode.HEAD)
    return head + file.read() if decode.file_type(head) else head


_said: set[Hashable] = set()


def first_time(message: Hashable) -> bool:
  """Whether this was not yet said: each evaluation opens its source anew."""
  new = message not in _said
  _said.add(message)
  return new


# (path, bytes, mtime) -> (digest, extent, ''), so that evaluations within
# a run do not decode a whole collection again to open it.
verdicts: dict[tuple, tuple] = {}


class Scan:
  """Checks pictures: scan(items, read, where) -> (entries, rejected).

  Items are (name, key); `read(key)` gives the bytes; `where` is for messages.
  Rejected are (name, reason). `extents` keeps the sizes of those accepted.
  """

  def __init__(self, min_size: int, workers: int, cache: 'Cache'):
    self.cache = cache
    self.extents: dict[Any, tuple[int, int]] = {}  # key -> (height, width)
    self.where = ''
    self.min_size = min_size
    self._workers = workers or cores()

  def __call__(
    self,
    items: Sequence[tuple[str, Any]],
    read: Callable[[Any], bytes],
    where: str | pathlib.Path,
  ) -> tuple[list[Entry], list[tuple[str, str]]]:
    self.where = os.path.abspath(where)
    if len(items) > 5000:
      logging.info('Checking %d pictures in %s', len(items), self.where)
    with concurrent.futures.ThreadPoolExecutor(self._workers) as pool:
      found = list(pool.map(lambda item: self._check(item[1], read), items))
    entries, rejected = [], []
    for (name, key), (digest, extent, reason) in zip(items, found):
      if not reason and min(extent) < self.min_size:
        reason = (
          f'too small: {extent[1]} x {extent[0]} px, the least is '
          f'{self.min_size}'
        )
      if reason:
        rejected.append((name, reason))
      else:
        self.extents[key] = extent
        entries.append(Entry(name, digest, key))
    return entries, rejected

  def reader(
    self, read: Callable[[Any], bytes]
  ) -> Callable[[Any], dict[str, Any]]:
    """A function key -> {'image': u8[H, W, 3]} that goes through the cache.

    `read` gives the bytes of a key. The function raises Unreadable for what has
    gone bad since it was checked.
    """

    def fn(key):
      image = self.cache.get(key)
      if image is None:
        try:
          image = decode.decode(read(key))
        except (OSError, decode.Unreadable) as error:
          raise decode.Unreadable(f'{key}: {_reason(error)}') from error
        self.cache.put(key, image)
      return {'image': image}

    return fn

  def _check(self, key, read):
    """(digest, (height, width), '') or (None, None, reason)."""
    try:
      stamp = self.where, key  # a prepared dataset never changes
      if isinstance(key, pathlib.Path):
        stat = key.stat()
        stamp = str(key.absolute()), stat.st_size, stat.st_mtime_ns
      if stamp in verdicts:
        return verdicts[stamp]
      data = read(key)
      image = decode.decode(data)
      verdict = hashlib.sha256(data).digest(), image.shape[:2], ''
      self.cache.put(key, image, evict=False)
    except (OSError, decode.Unreadable) as error:
      return None, None, _reason(error)
    verdicts[stamp] = verdict
    return verdict


class Cache:
  """Decoded pictures, the least recently used dropped beyond a budget."""

  def __init__(self, budget: int):
    self._budget = budget  # bytes
    self._used = 0
    self._images: collections.OrderedDict[Any, np.ndarray] = (
      collections.OrderedDict()
    )
    self._lock = threading.Lock()

  def get(self, key: Any) -> np.ndarray | None:
    """The picture, or None."""
    with self._lock:
      if key in self._images:
        self._images.move_to_end(key)
      return self._images.get(key)

  def put(self, key: Any, image: np.ndarray, evict: bool = True) -> None:
    """Keeps a picture; without `evict` only if there is still room."""
    with self._lock:
      room = self._budget if evict else self._budget - self._used
      if key in self._images or image.nbytes > room:
        return
      self._images[key] = image
      self._used += image.nbytes
      while self._used > self._budget:
        self._used -= self._images.popitem(last=False)[1].nbytes


def _reason(error):
  """Why, in a few words without the path."""
  return getattr(error, 'strerror', None) or str(error)
