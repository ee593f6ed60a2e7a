"""Which pictures of a run were begun and ended, in a file that both its
processes read: the one that restores, and after a crash the next.
"""

import io
import json
import os


class Steps:
  """The steps of a run.

  Attributes:
    ended: {picture: [how it ended, the reason of a failure]}.
    begun: the pictures that were begun and have not ended.
  """

  def __init__(self, path: str = '') -> None:
    """Reads the file `path`, which need not exist; '' = none is kept."""
    self.ended: dict[str, list[str]] = {}
    self.begun: list[str] = []
    self._path = path
    self._file: io.FileIO | None = None
    if path and os.path.exists(path):
      with open(path, encoding='utf-8') as file:
        for line in file:
          self._take(*json.loads(line))

  def begin(self, picture: str) -> None:
    """Notes that a picture is begun."""
    self._write(picture, 'begun', '')

  def end(self, picture: str, how: str, reason: str = '') -> None:
    """Notes that a picture has ended.

    That is 'done', 'skipped', 'failed' or 'crashed'; or 'suspected', if it may
    have crashed the process: then it is to be tried again, alone.

    Args:
      picture: what messages call it.
      how: it ended.
      reason: of a failure.
    """
    self._write(picture, how, reason)

  def suspects(self, picture: str) -> bool:
    """Whether a picture may have crashed a process, so it is tried alone."""
    return self.ended.get(picture, [''])[0] == 'suspected'

  def close(self) -> None:
    """Closes the file; more steps open it again."""
    if self._file is not None:
      self._file.close()
      self._file = None

  def _take(self, picture, how, reason):
    self.begun = [one for one in self.begun if one != picture]
    if how == 'begun':
      self.begun.append(picture)
    else:
      self.ended[picture] = [how, reason]

  def _write(self, *step):
    self._take(*step)
    if self._path:
      if self._file is None:
        self._file = open(self._path, 'ab', buffering=0)
      self._file.write((json.dumps(step) + '\n').encode())
