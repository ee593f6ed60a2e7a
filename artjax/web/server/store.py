"""Pictures of each session on disk, under names that the server makes.

Nothing that a client sends ever becomes part of a path. An id is looked up only
among those of its own session; any other does not exist.
"""

import dataclasses
import os
import pathlib
import re
import secrets
import shutil
import tempfile
import time
from typing import Any

from artjax.web.server import limits as limits_lib
from artjax.web.server import messages

_PREFIX = 'artjax_web_'


class Full(Exception):
  """The disk quota or the number of sessions is used up; says what to do."""


@dataclasses.dataclass
class Entry:
  """A picture: uploaded, or the result of a job."""

  id: str
  folder: str
  name: str  # for a person; never a path
  suffix: str
  info: dict = dataclasses.field(default_factory=dict)
  origin: str = ''  # id of the picture it was made of
  made: dict = dataclasses.field(default_factory=dict)  # the settings
  record: dict = dataclasses.field(default_factory=dict)
  damage: dict = dataclasses.field(default_factory=dict)  # what was found
  hints: 'Entry | None' = None  # colours that it is to have
  size: int = 0  # bytes on disk, as far as they are counted

  def path(self, part: str = 'picture') -> str:
    """Path of the file, or of a part such as 'change.png' or 'report.json'."""
    return os.path.join(
      self.folder, f'picture{self.suffix}' if part == 'picture' else part
    )

  def tiles(self, layer: str) -> str:
    """Folder of the tiles of 'picture', 'change' or 'uncertainty'."""
    return os.path.join(self.folder, f'tiles_{layer}')

  def has(self, layer: str) -> bool:
    """Whether tiles of a layer exist."""
    return os.path.isdir(self.tiles(layer))

  def describe(self) -> dict[str, Any]:
    """For the page, as JSON."""
    return {
      'id': self.id,
      'name': self.name,
      **self.info,
      'origin': self.origin,
      'made': self.made,
      'bytes': os.path.getsize(self.path()),
      'layers': [
        layer for layer in ('change', 'uncertainty') if self.has(layer)
      ],
      'damage': self.damage,
      'mask': os.path.isfile(self.path('mask.png')),
      'hints': self.hints is not None,
      **{
        key: self.record[key]
        for key in (
          'seconds',
          'change_mean_ciede2000',
          'change_max_ciede2000',
          'uncertainty_mean',
          'tiling',
          'confidence',
        )
        if key in self.record
      },
    }


class Session:
  """The pictures and jobs of one browser, or one user of the API."""

  def __init__(self):
    self.pictures = {}  # id -> Entry, oldest first
    self.jobs = {}  # id -> jobs.Job
    self.transfers = 0  # under way
    self.used = time.monotonic()

  def busy(self) -> bool:
    """Whether a file is being transferred, or a job is running."""
    return self.transfers > 0 or any(not job.over for job in self.jobs.values())


class Store:
  """The sessions and their files, in one folder that is deleted at the end.

  It is not thread-safe: use it only in the thread of the event loop.
  """

  def __init__(self, limits: limits_lib.Limits):
    self.limits = limits
    sweep()
    self.root = tempfile.mkdtemp(prefix=f'{_PREFIX}{os.getpid()}_')
    self.scratch = os.path.join(self.root, 'scratch')  # TMPDIR of children
    os.mkdir(self.scratch)
    self._sessions: dict[str, Session] = {}  # by their secret tokens
    self.used = 0  # bytes of all entries, uploads under way included

  def close(self) -> None:
    """Deletes everything."""
    shutil.rmtree(self.root, ignore_errors=True)

  @property
  def sessions(self) -> int:
    """How many there are."""
    return len(self._sessions)

  def session(self, token: str) -> Session | None:
    """The session of a cookie, or None; marks it as in use."""
    session = self._sessions.get(token)
    if session:
      session.used = time.monotonic()
    return session

  def start_session(self) -> tuple[str, Session]:
    """The secret token of a new session, and the session; raises `Full`."""
    if len(self._sessions) >= self.limits.sessions:
      raise Full(messages.Message('crowded'))
    token = secrets.token_urlsafe(24)
    self._sessions[token] = Session()
    return token, self._sessions[token]

  def add(self, name: str, suffix: str) -> Entry:
    """A new entry with an empty folder; not yet in any session."""
    key = secrets.token_hex(12)
    folder = os.path.join(self.root, key)
    os.mkdir(folder)
    return Entry(key, folder, name, suffix)

  def take(self, count: int, entry: Entry | None = None) -> None:
    """Reserves bytes on disk for an entry; raises `Full` beyond the quota."""
    if self.used + count > self.limits.quota:
      self.expire()
    if self.used + count > self.limits.quota:
      raise Full(messages.Message('disk_full'))
    self.used += count
    if entry:
      entry.size += count

  def keep(self, session: Session, entry: Entry) -> None:
    """Puts an entry into a session, or updates its size there."""
    size = sum(
      path.stat().st_size
      for path in pathlib.Path(entry.folder).rglob('*')
      if path.is_file()
    )
    self.used += size - entry.size
    entry.size = size
    session.pictures[entry.id] = entry
    session.used = time.monotonic()

  def copy(self, entry: Entry) -> Entry:
    """A file that stays when `entry` goes; in no session; raises `Full`."""
    self.take(0)
    found = self.add(entry.name, entry.suffix)
    os.link(entry.path(), found.path())  # and takes no room
    return found

  def drop(self, entry: Entry, session: Session | None = None) -> None:
    """Deletes an entry's files, and its hints."""
    if entry.hints:
      self.drop(entry.hints)
      entry.hints = None
    shutil.rmtree(entry.folder, ignore_errors=True)
    self.used -= entry.size
    entry.size = 0
    if session:
      session.pictures.pop(entry.id, None)

  def expire(self) -> None:
    """Deletes the sessions that nobody has used for long."""
    before = time.monotonic() - self.limits.ttl
    for token, session in list(self._sessions.items()):
      if session.used <= before and not session.busy():
        for entry in list(session.pictures.values()):
          self.drop(entry, session)
        del self._sessions[token]


def sweep() -> None:
  """Deletes files left behind by servers that were killed."""
  for folder in pathlib.Path(tempfile.gettempdir()).glob(f'{_PREFIX}*'):
    pid = folder.name.removeprefix(_PREFIX).partition('_')[0]
    try:
      os.kill(int(pid), 0)
    except ProcessLookupError:
      shutil.rmtree(folder, ignore_errors=True)
    except (ValueError, PermissionError):
      pass  # Not ours.


def clean_name(text: str) -> tuple[str, str]:
  """The client's name of a file, as one short line without folders.

  Returns:
    (stem, suffix): for people to read and for downloads to suggest.
  """
  name = re.split(r'[/\\]', text)[-1]
  name = ''.join(c for c in name if c.isprintable() and c not in '<>:"|?*')
  stem, suffix = os.path.splitext(name.strip().strip('.'))
  return stem.strip()[:80] or 'picture', suffix[:8]
