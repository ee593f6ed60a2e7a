"""Pictures of one or several folders: `folder:PATH[,PATH...]`."""

import os
import pathlib
from typing import Any

from artjax.data.sources import provenance
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
  paths = folders(rest)
  _check_apart(paths)
  items: list[tuple[str, pathlib.Path]] = []
  described: dict[str, dict[str, Any]] = {}
  for path in paths:
    files, known = provenance.divide(scan.files(path))
    before = '' if len(paths) == 1 else path.rstrip('/') + '/'
    items += [(before + name, file) for name, file in files]
    described |= {before + name: entry for name, entry in known.items()}
  entries, rejected = check(items, scan.read_file, paths[0])
  check.where = ' and '.join(map(os.path.abspath, paths))
  read = check.reader(scan.read_file)
  return scan.Found(entries, read, rejected, described)


def folders(text: str) -> list[str]:
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


def _check_apart(paths):
  real = [pathlib.Path(text).expanduser().resolve() for text in paths]
  for i, one in enumerate(real):
    for j, other in enumerate(real):
      if i != j and one.is_relative_to(other):
        raise ValueError(
          f'folder {paths[i]} lies within {paths[j]}: name only one of them'
        )
