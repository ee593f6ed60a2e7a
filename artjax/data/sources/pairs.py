"""Pairs of target and input pictures: `pairs:TARGETS,INPUTS`.

Inputs are as large as their targets, or 2, 3, 4 or 8 times smaller, as in
super-resolution. A source has one factor: the one that most of its pairs have.
A target whose sides are not multiples of it is cropped at the right and bottom.
"""

import collections
import os
from typing import NamedTuple

from absl import logging

from artjax.data.sources import decode
from artjax.data.sources import scan

_FACTORS = (1, 2, 3, 4, 8)  # by which targets may be larger


class _Side(NamedTuple):
  """The targets or the inputs."""

  text: str  # a folder, or a pattern of files in it
  entries: dict  # what a picture is matched by -> scan.Entry, its name a path
  rejected: list  # (path, reason)


def find(rest: str, check: scan.Scan) -> scan.Found:
  """All pairs, in order of what they are matched by.

  Args:
    rest: TARGETS,INPUTS, a folder each or a pattern with one asterisk.
    check: decodes each picture once.

  Returns:
    What was found. An entry has the digest of its target; reading gives
    'image' u8[H, W, 3] and 'target' u8[s H, s W, 3].

  Raises:
    ValueError: not of that form.
    FileNotFoundError: no such folder.
  """
  texts = _halves(rest)
  targets, inputs = sides = [_side(text, check) for text in texts]
  rejected = targets.rejected + inputs.rejected
  for one, other in (targets, inputs), (inputs, targets):
    rejected += [
      (one.entries[key].name, f'no usable partner in {other.text}')
      for key in sorted(set(one.entries) - set(other.entries))
    ]
  pairs = [
    (key, *(side.entries[key] for side in sides))
    for key in sorted(set(targets.entries) & set(inputs.entries))
  ]
  sizes = [[check.extents[entry.key] for entry in pair[1:]] for pair in pairs]
  factors = [_factor(*size) for size in sizes]
  counts = collections.Counter(filter(None, factors))
  factor = max(sorted(counts), key=counts.__getitem__, default=1)
  entries, cut = [], 0
  for (key, target, image), (large, small), own in zip(pairs, sizes, factors):
    if own == factor:
      entries.append(scan.Entry(key, target.digest, (target.key, image.key)))
      cut += large != (factor * small[0], factor * small[1])
    else:
      rejected.append((image.name, _mismatch(large, small, factor)))
  if cut and scan.first_time((rest, cut)):
    logging.warning(
      'pairs:%s: %d of %d targets have a side that is no multiple of %d; it is '
      'cut to what the input shows',
      rest,
      cut,
      len(entries),
      factor,
    )
  check.where = ' and '.join(map(os.path.abspath, texts))
  return scan.Found(entries, _reader(check, factor), rejected)


def _halves(rest):
  """[TARGETS, INPUTS] of a text with a comma between them, or more commas."""
  parts = rest.split(',')
  splits = [
    [','.join(parts[:i]), ','.join(parts[i:])] for i in range(1, len(parts))
  ]
  if len(splits) > 1:  # commas in names: take what is there
    splits = [
      texts
      for texts in splits
      if all(scan.is_folder(_folder(text)) for text in texts)
    ]
  if len(splits) != 1 or not all(splits[0]):
    raise ValueError(f"'pairs:{rest}' is not of the form pairs:TARGETS,INPUTS")
  return splits[0]


def _folder(text):
  return os.path.split(text)[0] or '.' if '*' in text else text


def _reader(check, factor):
  picture = check.reader(scan.read_file)

  def read(keys):
    target, image = (picture(key)['image'] for key in keys)
    height, width = image.shape[:2]
    if _factor(target.shape, (height, width)) != factor:
      raise decode.Unreadable(f'{keys[0]} and {keys[1]} changed in size by now')
    return {
      'image': image,
      'target': target[: factor * height, : factor * width],
    }

  return read


def _mismatch(large, small, factor):
  times = f', not {factor} times as much' if factor > 1 else ''
  return (
    f'{small[1]} x {small[0]} px, but its target has '
    f'{large[1]} x {large[0]}{times}'
  )


def _side(text, check):
  keys = _keys(text)
  entries, rejected = check(
    [(str(path), path) for path in keys], scan.read_file, text
  )
  side = _Side(text, {}, rejected)
  for entry in entries:
    first = side.entries.setdefault(keys[entry.key], entry)
    if first is not entry:
      rejected.append((entry.name, f'same stem as {first.key.name}'))
  return side


def _keys(text):
  """{path: what it is matched by} of one side of pairs, in order of names."""
  if '*' not in text:
    return {path: os.path.splitext(name)[0] for name, path in scan.files(text)}
  folder, pattern = os.path.split(text)
  if pattern.count('*') != 1 or '*' in folder:
    raise ValueError(f'{text!r} may have one asterisk, after the last slash')
  start, end = pattern.split('*')
  keys = {}
  for name, path in scan.files(folder or '.'):
    below, base = os.path.split(name)
    if (
      base.startswith(start)
      and base.endswith(end)
      and len(base) > len(start + end)
    ):
      keys[path] = os.path.join(below, base[len(start) : len(base) - len(end)])
  return keys


def _factor(target, image):
  """How many times (height, width) `image` fits into `target`, or None."""
  for factor in _FACTORS:
    if all(
      0 <= large - factor * small < factor
      for large, small in zip(target, image)
    ):
      return factor
  return None
