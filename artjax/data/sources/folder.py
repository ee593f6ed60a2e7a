"""Pictures of one or several folders: `folder:PATH[,PATH...]`."""

import os
import pathlib

from artjax.data.sources import scan


def find(rest: str, check: scan.Scan) -> scan.Found:
  """All pictures below the folders.

  Args:
    rest: folders, separated by commas. A folder whose own name has a comma is
      found too: the longest text that names one is taken.
    check: decodes each picture once.

  Returns:
    What was found, in order of folders, then of names. A name is the path below
    its folder; of several folders, with that folder before it.

  Raises:
    FileNotFoundError: no such folder.
    ValueError: one folder lies within another, or is named twice.
  """
  folders = _folders(rest)
  _check_apart(folders)
  items = [
    (name if len(folders) == 1 else f'{folder.rstrip("/")}/{name}', path)
    for folder in folders
    for name, path in scan.files(folder)
  ]
  entries, rejected = check(items, scan.read_file, folders[0])
  check.where = ' and '.join(map(os.path.abspath, folders))
  return scan.Found(entries, check.reader(scan.read_file), rejected)


def _folders(text):
  """'A,B' -> ['A', 'B'], where the parts between commas are folders."""
  parts = text.split(',')
  found = []
  while parts:
    lengths = range(len(parts), 0, -1)
    candidates = {length: ','.join(parts[:length]) for length in lengths}
    length = next((n for n in lengths if scan.is_folder(candidates[n])), 1)
    found.append(candidates[length])
    parts = parts[length:]
  return found


def _check_apart(folders):
  real = [pathlib.Path(text).expanduser().resolve() for text in folders]
  for i, one in enumerate(real):
    for j, other in enumerate(real):
      if i != j and one.is_relative_to(other):
        raise ValueError(
          f'folder {folders[i]} lies within {folders[j]}: name only one of them'
        )
