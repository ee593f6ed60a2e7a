"""Reads and writes object stores by fsspec; no other module uses it.

Credentials are those that the packages find for themselves, in the environment
or in files of the machine. Errors never repeat what a store was sent.
"""

from collections.abc import Iterator, Sequence
import contextlib
import errno
import re
from typing import Any, NamedTuple

from artjax.restoration.batch.storage import urls

_AT_ONCE = 1000  # files whose first bytes are asked for together
# What shows that the content of a file is another: of S3, Google, memory.
_VERSIONS = ('ETag', 'generation', 'created')
_JOURNAL = re.compile(r'restore(\..+)?\.jsonl')
_ADVICE = (
  'check the credentials of this machine, and what they allow on the bucket'
)


class Found(NamedTuple):
  """A file of a store."""

  url: str
  below: str  # its path below the folder that was named; '' = named itself
  version: str  # another one if its content is; '' = unknown

  @property
  def is_journal(self) -> bool:
    """Whether it is named like the journal of a run, or a part of one."""
    return bool(_JOURNAL.fullmatch(self.url.rpartition('/')[2]))


def check(url: str) -> None:
  """Raises OSError unless the package is installed that reaches a store."""
  with _told(url):
    _filesystem(url)


def find(url: str, recursive: bool) -> list[Found]:
  """The files in a folder, or the file itself, sorted.

  Args:
    url: of a folder, which need not exist, or a file.
    recursive: whether folders within the folder count.

  Raises:
    OSError: there is no such bucket, or it cannot be listed.
  """
  with _told(url):
    store = _filesystem(url)
    depth = None if recursive else 1
    start = store._strip_protocol(url)
    found = store.find(start, maxdepth=depth, detail=True)
  files = []
  for name, info in sorted(found.items()):
    below = name.removeprefix(start).lstrip('/')
    if info['type'] == 'file' and not name.endswith('/'):
      path = f'{url}/{below}' if below else url
      files.append(Found(path, below, _version(info)))
  return files


def matches(pattern: str) -> list[Found]:
  """The files that match a pattern, sorted.

  Raises:
    OSError: as `find`.
  """
  with _told(pattern):
    store = _filesystem(pattern)
    found = store.glob(store._strip_protocol(pattern), detail=True)
  scheme = urls.scheme(pattern)
  return [
    Found(
      f'{scheme}://{name.lstrip("/")}', name.rpartition('/')[2], _version(info)
    )
    for name, info in sorted(found.items())
    if info['type'] == 'file'
  ]


def version(url: str) -> str:
  """The version of a file now; see `Found`.

  Raises:
    OSError: it cannot be looked up.
  """
  with _told(url):
    return _version(_filesystem(url).info(url))


def heads(names: Sequence[str], length: int) -> Iterator[bytes | OSError]:
  """The first bytes of files of one store, or why they cannot be read."""
  for i in range(0, len(names), _AT_ONCE):
    some = [*names[i : i + _AT_ONCE]]
    with _told(some[0]):
      found = _filesystem(some[0]).cat_ranges(
        some, 0, length, on_error='return'
      )
    for url, head in zip(some, found):
      yield _error(head, url) if isinstance(head, Exception) else head


def read(url: str) -> bytes:
  """The content of a file.

  Raises:
    OSError: it cannot be read.
  """
  with _told(url):
    return _filesystem(url).cat_file(url)


def write(url: str, data: bytes) -> None:
  """Writes a file, whole or not at all.

  Raises:
    OSError: it cannot be written.
  """
  with _told(url):
    _filesystem(url).pipe_file(url, data)


def get(url: str, path: str) -> None:
  """Copies a file of a store to a file of this machine.

  Raises:
    OSError: it cannot be read, or there is no room for it.
  """
  with _told(url):
    _filesystem(url).get_file(url, path)


def put(path: str, url: str) -> None:
  """Copies a file of this machine to a store, whole or not at all.

  Raises:
    OSError: it cannot be written.
  """
  with _told(url):
    _filesystem(url).put_file(path, url)


def remove(url: str) -> None:
  """Deletes a file.

  Raises:
    OSError: it cannot be deleted.
  """
  with _told(url):
    _filesystem(url).rm_file(url)


def _filesystem(url) -> Any:
  import fsspec

  # What other processes write is to be seen.
  return fsspec.filesystem(urls.scheme(url), use_listings_cache=False)


def _version(info):
  for name in _VERSIONS:
    if info.get(name):
      mark = info[name]
      mark = mark.timestamp() if hasattr(mark, 'timestamp') else mark
      return f'{mark} {info["size"]}'
  return ''


@contextlib.contextmanager
def _told(url):
  """Turns errors of whatever package into an OSError of one line."""
  try:
    yield
  except Exception as error:
    raise _error(error, url) from error


def _error(error, url):
  if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT):
    return error  # of this machine
  number, text = _told_as(error, url)
  return OSError(number, text, url)


def _told_as(error, url):
  """(number, text) of an error, without what may be a secret."""
  kind = type(error).__name__
  if isinstance(error, ImportError):
    package = urls.PACKAGES[urls.scheme(url)]
    return errno.ENOPKG, f"{package} is not installed: 'artjax[storage]' has it"
  if isinstance(error, FileNotFoundError):
    return errno.ENOENT, 'there is no such bucket, folder or file'
  if isinstance(error, PermissionError):
    return errno.EACCES, f'access is refused: {_ADVICE}'
  if 'Credential' in kind or kind == 'RefreshError':
    return errno.EACCES, f'no valid credentials are found: {_ADVICE}'
  if isinstance(error, (TimeoutError, ConnectionError)) or re.search(
    'Timeout|Connect|ClientError|Disconnected|HTTPClient', kind
  ):
    return errno.EHOSTUNREACH, f'the store cannot be reached ({kind})'
  text = re.sub(r'\?\S*', '', ' '.join(str(error).split()))[:200]
  return errno.EIO, f'{kind}: {text}'
