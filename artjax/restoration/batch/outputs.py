"""Plans all output files of a run before the first one is made.

No file overwrites a source, a mask or hints given with one, or another file of
the run. The template gives the name of a result. Files beside it are named
after its stem, or after its whole name if another result has the same stem:
`a.change.png`, but `a.jpg.change.png` and `a.png.change.png`.
"""

import collections
from collections.abc import Iterable
import dataclasses
import os
import re
from typing import TYPE_CHECKING

from artjax.image_io import formats
from artjax.restoration.batch import real_paths
from artjax.restoration.batch.storage import urls

if TYPE_CHECKING:
  from artjax.restoration.batch import finding

# Ends of the files beside a result: nobody means them as pictures.
_MAPS = {
  'damage_map': '.damage.png',
  'mask': '.mask.png',
  'change_map': '.change.png',
  'uncertainty': '.uncertainty.png',
  'confidence_map': '.confidence.png',
}
BESIDE = tuple(_MAPS.values())
FORMATS = ('jpg', 'png', 'tif', 'webp', 'avif')  # that can be asked for
_LONGEST = 255  # bytes of a name, on all common systems


@dataclasses.dataclass(frozen=True)
class Wanted:
  """Which files to write for each picture."""

  picture: bool = True
  change_map: bool = False
  uncertainty: bool = False
  report: bool = False
  mask: bool = False
  damage_map: bool = False
  confidence_map: bool = False


def plan(
  items: list['finding.Item'],
  folder: str,
  template: str,
  weights: str,
  wanted: Wanted,
  kept: Iterable[str] = (),
  form: str = '',
) -> None:
  """Sets the output paths of each item, or its problem if there is a conflict.

  Args:
    items: from `finding.find`, with masks and hints.
    folder: of the results.
    template: for their names, with {stem}, {suffix} and {weights}.
    weights: as they were named.
    wanted: which files to make.
    kept: paths of other files that must not be overwritten.
    form: format of the results, of `FORMATS`; '' = that of each source.
  """
  real = real_paths.RealPaths()
  taken = {real(path): path for path in kept}
  for item in items:
    for path in (item.source, *item.brought.values()):
      taken[real(path)] = path
  named = in_name(weights)
  paths = {}  # of results, by the place of their item
  for i, item in enumerate(items):
    if not item.problem:
      below, name = os.path.split(item.below)
      stem, suffix = os.path.splitext(name)
      if form:
        suffix = f'.{form}'
      else:
        suffix = _suffix(item, suffix, '{suffix' in template)
      name = template.format(stem=stem, suffix=suffix, weights=named)
      paths[i] = os.path.join(folder, below, name)
  if wanted.picture:
    for i, path in paths.items():
      _take(items[i], {'picture': path}, taken, real)
  stems = collections.Counter(_stem(path) for path in paths.values())
  for i, path in paths.items():
    item, stem = items[i], _stem(path)
    if not item.problem:
      beside = _beside(stem, path, wanted)
      if stems[stem] > 1 or any(real(p) in taken for p in beside.values()):
        beside = _beside(path, path, wanted)
      _take(item, beside, taken, real)


def in_name(weights: str) -> str:
  """Weights as part of a file name: no folders, no forbidden characters."""
  weights = re.sub(r'[^,+]*[/\\]', '', re.sub('[\'"]', '', weights))
  return weights.replace(',', '+').replace(':', '_')


def check_folder(path: str) -> None:
  """Raises ValueError, one line, unless a folder is or could be written to.

  What is in an object store is written to when its journal is begun.
  """
  if urls.is_url(path):
    return
  there = os.path.abspath(path)
  while not os.path.lexists(there):
    there = os.path.dirname(there)
  if not os.path.isdir(there):
    raise ValueError(f'{there} is a file, not a folder')
  if not os.access(there, os.W_OK | os.X_OK):
    raise ValueError(f'{there} cannot be written to')


def _suffix(item, suffix, used):
  """The suffix of a result's name, which states its format."""
  try:
    kind = item.kind
    if not urls.is_url(item.source):
      kind = formats.format_of(item.source)
  except OSError:  # it is said when the picture's turn comes
    return suffix
  item.is_picture = kind is not None
  fitting = formats.suffix_for(kind, suffix)
  if suffix and used and fitting != suffix:
    item.notices.append(
      f'a {kind} file, which is not written as {suffix}: '
      f'its result is named {fitting}'
    )
  return fitting


def _beside(start, path, wanted):
  """{kind of file: path} of the files beside a result."""
  beside = {
    name: start + end for name, end in _MAPS.items() if getattr(wanted, name)
  }
  return beside | ({'report': f'{path}.json'} if wanted.report else {})


def _take(item, paths, taken, real):
  """Assigns paths to an item, or sets the reason why they cannot be used."""
  places = [*map(real, paths.values())]
  for path, place in zip(paths.values(), places):
    problem = _problem(path, place, item, taken, real)
    if problem:
      item.problem = f'{item.called}: {problem}'
      item.outputs = {}
      return
  item.outputs |= paths
  taken |= dict.fromkeys(places, item.source)


def _problem(path, place, item, taken, real):
  """Why a file cannot be written, in words; '' if it can."""
  name = os.path.basename(path)
  if place in taken:
    if place == real(item.source):
      return 'the output would overwrite it; choose another --output or --name'
    return (
      f'its output {path} is that of, or is, {taken[place]}; '
      'choose another --name'
    )
  if len(os.fsencode(name)) > _LONGEST:
    return (
      f'the name of its output, {name}, is longer than {_LONGEST} bytes; '
      "shorten it: --name='{stem:.60}{suffix}'"
    )
  if not urls.is_url(path) and os.path.isdir(path):
    return f'its output {path} is a folder; choose another --name'
  try:
    if not path.endswith('.json'):
      formats.saver(path)
  except formats.BadPicture as error:
    return str(error) if item.is_picture else formats.NO_PICTURE
  return ''


def _stem(path):
  return os.path.splitext(path)[0]
