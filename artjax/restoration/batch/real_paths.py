"""Real paths of many files that lie in few folders."""

import os

from artjax.restoration.batch.storage import urls


class RealPaths:
  """`os.path.realpath`, which resolves each folder once.

  It looks up one thing a path, not one a folder above it. Only for a short
  time: it does not notice when a folder is replaced by a link.
  """

  def __init__(self) -> None:
    self._folders: dict[str, str] = {}

  def __call__(self, path: str | os.PathLike[str]) -> str:
    """The path without links, absolute; the file need not exist.

    A URL is real as it is.
    """
    if urls.is_url(path):
      return os.fspath(path)
    folder, name = os.path.split(path)
    if name in ('', os.curdir, os.pardir) or os.path.islink(path):
      return os.path.realpath(path)
    if folder not in self._folders:
      self._folders[folder] = os.path.join(os.path.realpath(folder), '')
    return self._folders[folder] + name
