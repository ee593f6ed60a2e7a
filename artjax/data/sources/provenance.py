"""Where pictures are from: `pictures.jsonl`, which `artjax collect` writes.

The file lies beside the pictures it describes, one JSON object a line: 'file',
'title', 'maker', 'date', 'page', 'licence', 'credit' and more. A dataset made
by `artjax prepare-data` has one too.
"""

import collections
from collections.abc import Iterable, Sequence
import json
import os
import posixpath
from typing import Any

NAME = 'pictures.jsonl'


def read_lines(path: str | os.PathLike) -> list[dict[str, Any]]:
  """The JSON objects of a file, [] without one.

  A line that is not whole, as after a kill, is skipped.
  """
  try:
    with open(path, 'rb') as file:
      lines = file.read().split(b'\n')
  except FileNotFoundError:
    return []
  found = []
  for line in lines:
    try:
      entry = json.loads(line)
    except ValueError:
      continue
    if isinstance(entry, dict):
      found.append(entry)
  return found


def read(folder: str | os.PathLike) -> dict[str, dict[str, Any]]:
  """{file: what is said of it}, of the files that a folder describes.

  The last line about a file counts. Whether it is there is not asked.
  """
  return {
    entry['file']: entry
    for entry in read_lines(os.path.join(folder, NAME))
    if isinstance(entry.get('file'), str)
  }


def divide(
  items: Sequence[tuple[str, Any]],
) -> tuple[list[tuple[str, Any]], dict[str, dict[str, Any]]]:
  """Takes the descriptions out of the files of a folder.

  Args:
    items: (path below the folder, path) of each file, as `scan.files` lists.

  Returns:
    (items that are none, {path below the folder: what is said of the file}),
    of files that are there.
  """
  files = [item for item in items if posixpath.basename(item[0]) != NAME]
  names = {name for name, _ in files}
  described = {}
  for name, path in items:
    if posixpath.basename(name) == NAME:
      below = posixpath.dirname(name)
      for file, entry in read(os.path.dirname(path)).items():
        if posixpath.join(below, file) in names:
          described[posixpath.join(below, file)] = entry
  return files, described


def licences(entries: Iterable[dict[str, Any]]) -> dict[str, int]:
  """{licence: pictures}, the most frequent first; '' where none is said."""
  counts = collections.Counter(str(e.get('licence') or '') for e in entries)
  return dict(sorted(counts.items(), key=lambda x: (-x[1], x[0])))
