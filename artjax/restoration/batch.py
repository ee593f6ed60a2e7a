"""Many picture files: which are meant, where results go, what is done."""

from collections.abc import Mapping
import dataclasses
import glob
import hashlib
import json
import os
import pathlib
import re
from typing import Any, IO

# Ends of the files beside a result 'STEM.png': nobody means them as pictures.
CHANGE_MAP, UNCERTAINTY = '.change.png', '.uncertainty.png'
MASK, DAMAGE_MAP = '.mask.png', '.damage.png'
CONFIDENCE_MAP = '.confidence.png'
_BESIDE = (CHANGE_MAP, UNCERTAINTY, MASK, DAMAGE_MAP, CONFIDENCE_MAP)
# libvips reads HEIC, but its free builds do not write it.
_WRITTEN_AS = {'.heic': '.avif', '.heif': '.avif'}


@dataclasses.dataclass(frozen=True)
class Wanted:
  """Which files a result consists of."""

  picture: bool = True
  change_map: bool = False
  uncertainty: bool = False
  report: bool = False
  mask: bool = False
  damage_map: bool = False
  confidence_map: bool = False


@dataclasses.dataclass
class Item:
  """A picture to restore and where it goes."""

  source: str  # path
  below: str  # its path below the folder that was named, or its name
  problem: str = ''  # why it cannot be done, known before trying
  outputs: dict[str, str] = dataclasses.field(default_factory=dict)

  @property
  def output(self) -> str:
    """Path of the file that stands for the result."""
    return next((path for path in self.outputs.values() if path), '')


def find(
  names: list[str], recursive: bool, suffixes: tuple[str, ...]
) -> tuple[list[Item], int]:
  """The pictures that a command line names.

  Args:
    names: files, folders and patterns.
    recursive: whether folders within folders count.
    suffixes: of files that are taken for pictures in folders.

  Returns:
    Items, each file once; and the number of files that are left alone: no
    pictures, in folders; maps and masks of earlier results, there and among
    what matches a pattern. A file that is named by itself is always meant.
  """
  found: dict[str, Item] = {}  # by real path: named twice, it is one
  left_alone = 0

  def add(source, below, problem=''):
    item = Item(str(source), str(below), problem)
    found.setdefault(os.path.realpath(source), item)

  def failed(error):
    add(error.filename, error.filename, f'{error.filename}: {error.strerror}')

  for name in names:
    path = pathlib.Path(name)
    if path.is_dir():
      for top, folders, entries in os.walk(path, onerror=failed):
        folders[:] = sorted(
          f for f in folders if recursive and not f.startswith('.')
        )
        for entry in sorted(entries):
          source = pathlib.Path(top, entry)
          if (
            entry.startswith('.')
            or entry.endswith(_BESIDE)
            or source.suffix.lower() not in suffixes
          ):
            left_alone += 1
          else:
            add(source, source.relative_to(path))
    elif not os.path.lexists(name) and glob.has_magic(name):
      matches = sorted(glob.glob(name, recursive=recursive))
      for match in matches:
        if match.endswith(_BESIDE):
          left_alone += 1
        elif not os.path.isdir(match):
          add(match, os.path.basename(match))
      if not matches:
        add(name, name, f'{name}: nothing matches')
    else:
      add(name, path.name)
  return [*found.values()], left_alone


def plan(
  items: list[Item], folder: str, template: str, weights: str, wanted: Wanted
) -> None:
  """Sets where the files of each item go; what collides becomes a problem.

  Args:
    items: of `find`.
    folder: of the results.
    template: of their names, with {stem}, {suffix} and {weights}.
    weights: as they were named.
    wanted: which files are to be made.
  """
  taken = {os.path.realpath(item.source): item for item in items}
  for item in items:
    if item.problem:
      continue
    below, name = os.path.split(item.below)
    stem, suffix = os.path.splitext(name)
    suffix = _WRITTEN_AS.get(suffix.lower(), suffix)
    name = template.format(stem=stem, suffix=suffix, weights=in_name(weights))
    outputs = _outputs(os.path.join(folder, below, name), wanted)
    real = [os.path.realpath(path) for path in outputs.values()]
    if os.path.realpath(item.source) in real:
      item.problem = (
        f'{item.source}: the output would overwrite it; choose another '
        '--output or --name'
      )
      continue
    other = next((path for path in real if path in taken), '')
    if other:
      item.problem = (
        f'{item.source}: its output {other} is that of, or is, '
        f'{taken[other].source}; choose another --name'
      )
      continue
    item.outputs = outputs
    taken |= dict.fromkeys(real, item)


def in_name(weights: str) -> str:
  """Weights as part of a file's name: no folders, nothing that systems mind."""
  weights = re.sub(r'[^,+]*[/\\]', '', re.sub('[\'"]', '', weights))
  return weights.replace(',', '+').replace(':', '_')


def key(settings: str, *paths: str) -> str:
  """Fingerprint of the content of files and of how they are used."""
  digest = hashlib.sha256(settings.encode())
  for path in paths:
    with open(path, 'rb') as file:
      digest.update(hashlib.file_digest(file, 'sha256').digest())
  return digest.hexdigest()


def read_log(path: str) -> dict[str, str]:
  """{key: output} of what a log says is done; a torn last line is passed."""
  done: dict[str, str] = {}
  if os.path.exists(path):
    with open(path, encoding='utf-8') as file:
      for line in file:
        try:
          entry = json.loads(line)
        except ValueError:
          continue
        if entry.get('status') == 'done':
          done[entry['key']] = entry['output']
  return done


def log(file: IO[str], entry: Mapping[str, Any]) -> None:
  """Writes a line to a log that a kill does not lose."""
  file.write(json.dumps(entry) + '\n')
  file.flush()


def _outputs(path, wanted):
  """{field of `restore_file.Outputs`: path} of what is wanted."""
  stem = os.path.splitext(path)[0]
  paths = {
    'picture': path,
    'damage_map': stem + DAMAGE_MAP,
    'mask': stem + MASK,
    'change_map': stem + CHANGE_MAP,
    'uncertainty': stem + UNCERTAINTY,
    'confidence_map': stem + CONFIDENCE_MAP,
    'report': f'{path}.json',
  }
  return {name: p for name, p in paths.items() if getattr(wanted, name)}
