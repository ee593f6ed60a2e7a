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
    begun: the picture that was begun last and has not ended; '' = none.
  """

  def __init__(self, path: str = '') -> None:
    """Reads the file `path`, which need not exist; '' = none is kept."""
    self.ended: dict[str, list[str]] = {}
    self.begun = ''
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
    """Notes that a picture has ended: 'done', 'skipped', 'failed', 'crashed'.

    Args:
      picture: what messages call it.
      how: it ended.
      reason: of a failure.
    """
    self._write(picture, how, reason)

  def close(self) -> None:
    """Closes the file; more steps open it again."""
    if self._file is not None:
      self._file.close()
      self._file = None

  def _take(self, picture, how, reason):
    if how == 'begun':
      self.begun = picture
    else:
      self.begun = ''
      self.ended[picture] = [how, reason]

  def _write(self, *step):
    self._take(*step)
    if self._path:
      if self._file is None:
        self._file = open(self._path, 'ab', buffering=0)
      self._file.write((json.dumps(step) + '\n').encode())
