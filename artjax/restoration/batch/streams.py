"""Pictures that can be read only once: from stdin or a pipe."""

import os
import shutil
import stat
import sys
import tempfile

STDIN = '-'


def is_stream(name: str) -> bool:
  """Whether an argument names stdin or a pipe."""
  if name == STDIN:
    return True
  try:
    return stat.S_ISFIFO(os.stat(name).st_mode)
  except OSError:
    return False


class Spool:
  """Saves the data of streams in files, as long as its context lasts."""

  def __init__(self) -> None:
    self._folder: tempfile.TemporaryDirectory | None = None
    self._files: dict[str, str] = {}

  def __enter__(self) -> 'Spool':
    return self

  def __exit__(self, *unused) -> None:
    if self._folder is not None:
      self._folder.cleanup()

  def file(self, name: str) -> str:
    """Path of a file with the data of a stream, which the first call reads.

    Raises:
      OSError: the stream cannot be read, or the file not be written.
    """
    if name not in self._files:
      if self._folder is None:
        self._folder = tempfile.TemporaryDirectory(prefix='artjax_')
      called = 'stdin' if name == STDIN else os.path.basename(name)
      path = os.path.join(self._folder.name, called)
      with open(path, 'wb') as file:
        if name == STDIN:
          shutil.copyfileobj(sys.stdin.buffer, file)
        else:
          with open(name, 'rb') as stream:
            shutil.copyfileobj(stream, file)
      self._files[name] = path
    return self._files[name]
