"""What is remembered of fetched weights: `fetched.json` in their folder.

For each file its address, licence and sha256, and which non-commercial licences
the user has accepted.
"""

from collections.abc import Mapping
import json
import os
import pathlib
from typing import Any

from artjax import atomic_files

NAME = 'fetched.json'


class Fetched:
  """The record of one folder; changes are written at once."""

  def __init__(self, folder: str | os.PathLike[str]):
    """Reads the record, which need not exist.

    Raises:
      ValueError: it is damaged.
    """
    self._path = pathlib.Path(folder, NAME)
    content: Any = {}
    if self._path.is_file():
      try:
        content = json.loads(self._path.read_bytes())
        self._check(content)
      except (ValueError, AttributeError, TypeError, KeyError) as error:
        raise ValueError(
          f'{self._path}: not a record of fetched weights ({error}); move it '
          'away to start a new one'
        ) from error
    self._files: dict[str, dict[str, str]] = content.get('files', {})
    self._accepted: list[str] = content.get('accepted_licences', [])

  def source(self, file: str) -> Mapping[str, str]:
    """{'url', 'licence', 'sha256'} of a file; {} if it was not fetched."""
    return self._files.get(file, {})

  def accepts(self, licence: str) -> bool:
    """Whether the user has accepted a licence."""
    return licence in self._accepted

  def accept(self, licence: str) -> None:
    """Remembers that the user accepts a licence."""
    if licence not in self._accepted:
      self._accepted.append(licence)
      self._write()

  def add(self, file: str, url: str, licence: str, sha256: str) -> None:
    """Remembers where a file is from."""
    self._files[file] = {'url': url, 'licence': licence, 'sha256': sha256}
    self._write()

  def _write(self):
    content = {'accepted_licences': self._accepted, 'files': self._files}
    atomic_files.write_text(
      self._path, json.dumps(content, indent=2, sort_keys=True) + '\n'
    )

  @staticmethod
  def _check(content):
    texts = list(content.get('accepted_licences', []))
    for source in content.get('files', {}).values():
      texts += [source['url'], source['licence'], source['sha256']]
    if not all(isinstance(text, str) for text in texts):
      raise ValueError('not all of it is text')
