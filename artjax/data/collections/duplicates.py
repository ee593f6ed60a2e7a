"""Finds pictures that are there twice: same bytes, or nearly the same look."""

from collections.abc import Iterable, Mapping
import itertools
from typing import Any

_NEAR = 4  # bits of 64 in which the hashes of copies may differ


def find(pictures: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
  """Groups of pictures that are copies of one another.

  Args:
    pictures: with 'file', 'sha256' and 'dhash', 16 hexadecimal digits.

  Returns:
    [{'same': 'bytes' | 'look', 'files': [...]}], in order of their first file.
    Hashes of copies differ in at most 4 of 64 bits; a flat picture, which has
    no hash to speak of, is like no other.
  """
  entries = sorted(pictures, key=lambda entry: entry['file'])
  by_sha: dict[str, list[str]] = {}
  hashes: dict[int, list[str]] = {}  # of one file each content
  for entry in entries:
    files = by_sha.setdefault(entry['sha256'], [])
    files.append(entry['file'])
    if len(files) == 1 and int(entry['dhash'], 16):
      hashes.setdefault(int(entry['dhash'], 16), []).append(entry['file'])
  groups = [
    {'same': 'bytes', 'files': files}
    for files in by_sha.values()
    if len(files) > 1
  ]
  for near in _near(list(hashes)):
    files = sorted(file for value in near for file in hashes[value])
    if len(files) > 1:
      groups.append({'same': 'look', 'files': files})
  return sorted(groups, key=lambda group: group['files'])


def _near(values):
  """Groups of 64-bit numbers, each near to another one of its group.

  Of five parts of near numbers at least one is equal in both, so only those
  are compared.
  """
  group = {value: value for value in values}  # -> its parent in a tree

  def root(value):
    while group[value] != value:
      value = group[value]
    return value

  for shift in range(0, 64, 13):
    same: dict[int, list[int]] = {}
    for value in values:
      same.setdefault(value >> shift & 0x1FFF, []).append(value)
    for candidates in same.values():
      for one, other in itertools.combinations(candidates, 2):
        if (one ^ other).bit_count() <= _NEAR:
          group[root(one)] = root(other)
  groups: dict[int, list[int]] = {}
  for value in values:
    groups.setdefault(root(value), []).append(value)
  return groups.values()
