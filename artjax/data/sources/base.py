"""Collections of pictures with random access, checked before a run starts.

  sample                    colour photographs that come with scikit-image
  folder:PATH               all JPEG, PNG, TIFF and WebP files below PATH
  pairs:TARGETS,INPUTS      two folders, matched by path without suffix, or
                            patterns such as HR/*_HR.png, matched by path and
                            what the asterisk stands for
  tfds:NAME[:VERSION][@DATA_DIR][:SPLIT]
                            feature 'image' of a TFDS dataset prepared as
                            array_record; SPLIT as TFDS writes it, 'train'
  idx:DIR[:test]            digits of the four idx.gz files in a folder
  (idx.py),
                            those to train on or those to test with

`load(spec)` reads and decodes every picture once, in threads. What cannot be
used is logged with its reason, stands in `source.rejected` and is left out.

Inputs of pairs are as large as their targets, or 2, 3, 4 or 8 times smaller, as
in super-resolution: all of a source by one factor, the one that most of them
have. A target whose sides are no multiples of it is cut right and bottom.

Of `sample`, chelsea and coffee are held out for validation at the default
share, 0.2, and at any share from 0.08 to 0.31; astronaut, hubble_deep_field,
ihc, motorcycle_left, retina and rocket are trained on.
"""

import collections
import hashlib
import importlib.util
import os
import pathlib
import re
from typing import NamedTuple

from absl import logging

from artjax.data.sources import decode
from artjax.data.sources import mnist
from artjax.data.sources import scan

SAMPLE = (
  'astronaut.png',
  'chelsea.png',
  'coffee.png',
  'hubble_deep_field.jpg',
  'ihc.png',
  'motorcycle_left.png',
  'retina.jpg',
  'rocket.jpg',
)
SPECS = (
  'sample',
  'folder:PATH',
  'pairs:TARGETS,INPUTS',
  'tfds:NAME[@DATA_DIR][:SPLIT]',
  'idx:DIR[:test]',
)

# Of the salts, one under which the few pictures of `sample` divide sensibly: a
# cat and a cup are held out, with a margin on both sides of the threshold.
_SALT = b'artjax 7730'
_FACTORS = (1, 2, 3, 4, 8)  # by which targets of pairs may be larger
_LISTED = 20  # rejected files named one by one in the log

Unreadable = decode.Unreadable  # source[i], once its file has gone bad


class Source:
  """Pictures by index: `source[i] -> {'image': u8[H, W, 3] RGB, 'name'}`.

  Pairs also give 'target', u8[s H, s W, 3] of one factor s; digits, and what
  TFDS has a class for, 'label', an int. The arrays are read-only, because a
  cache may hand them out again. Safe to use from many threads.

  Attributes:
    spec: what it was loaded from, for messages.
    entries: list of `scan.Entry`, one a picture.
    rejected: list of (name, reason) of what was left out.
  """

  def __init__(self, spec, entries, read, rejected=()):
    self.spec = spec
    self.entries = list(entries)
    self.rejected = list(rejected)
    self._read = read  # key -> dict of pictures

  def __len__(self):
    return len(self.entries)

  def __getitem__(self, index):
    """Raises Unreadable if the file has gone bad since the start."""
    entry = self.entries[index]
    return {**self._read(entry.key), 'name': entry.name}

  def subset(self, indices):
    """The source of these pictures alone; decoded ones stay shared."""
    entries = [self.entries[i] for i in indices]
    return Source(self.spec, entries, self._read, self.rejected)


def load(spec, *, min_size=32, cache_mb=0, workers=0):
  """Opens a collection and checks every picture in it.

  Args:
    spec: one of the forms in the docstring of this module.
    min_size: pictures with a shorter side below this, px, are left out.
    cache_mb: MiB of decoded pictures kept in memory, the latest used ones.
    workers: threads that check pictures; 0 = one per core.

  Returns:
    A `Source`, in order of names (of index for tfds).

  Raises:
    ValueError: unknown form, dataset not prepared, or no usable picture.
    FileNotFoundError: no such folder.
  """
  kind, _, rest = spec.partition(':')
  openers = {
    'sample': _sample,
    'folder': _folder,
    'pairs': _pairs,
    'tfds': _tfds,
    'idx': _idx,
  }
  if kind not in openers or bool(rest) == (kind == 'sample'):
    raise ValueError(f'data source {spec!r} is none of {", ".join(SPECS)}')
  cache = scan.Cache(cache_mb * 2**20)
  check = scan.Scan(min_size, workers, cache)
  source = openers[kind](spec, rest, check)
  report(source)
  if not source.entries:
    raise ValueError(
      f'{spec}: no usable picture (JPEG, PNG, TIFF or WebP, shorter side of '
      f'at least {min_size} px) in {check.where}; left out '
      f'{len(source.rejected)} files{_first_reason(source.rejected)}'
    )
  return source


def split(source, part, share):
  """The 'train' or 'validation' part of a source, or 'all' of it.

  A picture's side follows from its content alone: adding, renaming or removing
  others moves nothing, and identical files fall on the same side.

  Args:
    source: a `Source`.
    part: 'train' | 'validation' | 'all'.
    share: of the pictures that validate, in [0, 1].

  Raises:
    ValueError: unknown part, share out of range, or a part that is empty.
  """
  if part not in ('train', 'validation', 'all'):
    raise ValueError(f'split {part!r} is none of train, validation, all')
  if not 0 <= share <= 1:
    raise ValueError(f'data.validation must be in [0, 1], got {share}')
  if part == 'all':
    return source
  inside = [
    i
    for i, entry in enumerate(source.entries)
    if part_of(entry.digest, share) == part
  ]
  if not inside:
    advice = (
      'raise it, or name other pictures in eval.source'
      if part == 'validation'
      else 'lower it, or add pictures'
    )
    raise ValueError(
      f'{source.spec}: none of {len(source)} pictures is in the {part} part '
      f'at data.validation={share}; {advice}'
    )
  return source.subset(inside)


def part_of(digest, share):
  """'train' or 'validation', where `split` puts a picture of this content."""
  salted = hashlib.sha256(_SALT + digest).digest()
  position = int.from_bytes(salted[:8], 'big') / 2**64  # uniform in [0, 1)
  return 'validation' if position < share else 'train'


# The kinds of source: (spec, rest, check) -> Source.


def _sample(spec, rest, check):
  del rest
  package = importlib.util.find_spec('skimage')
  if package is None:
    raise ValueError('sample: needs scikit-image; pip install scikit-image')
  root = pathlib.Path(package.submodule_search_locations[0], 'data')
  items = [(pathlib.Path(name).stem, root / name) for name in SAMPLE]
  entries, rejected = check(items, scan.read_file, root)
  return Source(spec, entries, check.reader(scan.read_file), rejected)


def _folder(spec, rest, check):
  items = list(scan.files(rest))
  entries, rejected = check(items, scan.read_file, rest)
  return Source(spec, entries, check.reader(scan.read_file), rejected)


def _pairs(spec, rest, check):
  texts = rest.split(',')
  if len(texts) != 2 or not all(texts):
    raise ValueError(f'{spec!r} is not of the form pairs:TARGETS,INPUTS')
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
  factor = max(sorted(counts), key=counts.get, default=1)
  entries, cut = [], 0
  for (key, target, image), (large, small), own in zip(pairs, sizes, factors):
    if own == factor:
      entries.append(scan.Entry(key, target.digest, (target.key, image.key)))
      cut += large != (factor * small[0], factor * small[1])
    else:
      times = f', not {factor} times as much' if factor > 1 else ''
      rejected.append(
        (
          image.name,
          (
            f'{small[1]} x {small[0]} px, but its target has '
            f'{large[1]} x {large[0]}{times}'
          ),
        )
      )
  if cut and _first_time((spec, cut)):
    logging.warning(
      '%s: %d of %d targets have a side that is no multiple of %d; it is cut '
      'to what the input shows',
      spec,
      cut,
      len(entries),
      factor,
    )
  check.where = ' and '.join(map(os.path.abspath, texts))
  picture = check.reader(scan.read_file)

  def read(keys):
    target, image = (picture(key)['image'] for key in keys)
    height, width = image.shape[:2]
    if _factor(target.shape, (height, width)) != factor:
      raise Unreadable(f'{keys[0]} and {keys[1]} changed in size by now')
    return {
      'image': image,
      'target': target[: factor * height, : factor * width],
    }

  return Source(spec, entries, read, rejected)


class _Side(NamedTuple):
  """The targets or the inputs of pairs."""

  text: str  # a folder, or a pattern of files in it
  entries: dict  # what a picture is matched by -> scan.Entry, its name a path
  rejected: list  # (path, reason)


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


_TFDS = re.compile(  # NAME[/CONFIG][:VERSION][@DATA_DIR][:SPLIT]
  r'(?P<name>[\w./-]+(:[\d*][\d.*]*)?)(@(?P<dir>.+?))?'
  r'(:(?P<split>[A-Za-z][\w+%:\[\]-]*))?'
)


def _tfds(spec, rest, check):
  match = _TFDS.fullmatch(rest)
  if not match:
    raise ValueError(f'{spec!r} is not of the form {SPECS[-2]}')
  try:
    import tensorflow_datasets as tfds  # heavy: it brings TensorFlow
  except ImportError as error:
    raise ValueError(f'{spec}: needs tensorflow-datasets ({error})') from error
  name, part = match['name'], match['split'] or 'train'
  folder = os.path.expanduser(match['dir'] or tfds.core.constants.DATA_DIR)
  advice = (
    f'prepare it with: tfds build {name} '
    f'--file_format=array_record --data_dir={folder}'
  )
  try:
    builder = tfds.builder(name, data_dir=folder)
  except Exception as error:  # of many types, with pages of names
    raise ValueError(
      f'{spec}: no dataset {name!r} in {folder} and none in the '
      f'catalogue ({type(error).__name__})'
    ) from error
  if not builder.info.splits:
    raise ValueError(f'{spec}: not prepared in {folder}; {advice}')
  features = builder.info.features
  if not (
    'image' in features and isinstance(features['image'], tfds.features.Image)
  ):
    raise ValueError(
      f"{spec}: has no picture called 'image' among its "
      f'features {", ".join(features)}'
    )
  try:
    data = builder.as_data_source(
      part, decoders={'image': tfds.decode.SkipDecoding()}
    )
  except NotImplementedError as error:
    raise ValueError(
      f'{spec}: prepared in {folder} in a format without random '
      f'access; {advice}'
    ) from error
  except ValueError as error:
    raise ValueError(f'{spec}: {error}') from error
  read_bytes = lambda i: data[i]['image']
  items = [(f'{name}/{part}/{i:07d}', i) for i in range(len(data))]
  entries, rejected = check(items, read_bytes, f'{builder.data_path}/{part}')
  read = picture = check.reader(read_bytes)
  if 'label' in features and isinstance(
    features['label'], tfds.features.ClassLabel
  ):
    read = lambda i: {**picture(i), 'label': int(data[i]['label'])}
  return Source(spec, entries, read, rejected)


def _idx(spec, rest, check):
  folder, _, part = rest.rpartition(':')
  if not folder or part not in mnist.PARTS:
    folder, part = rest, 'train'
  pictures, labels = mnist.load(os.path.expanduser(folder), part)
  height, width = pictures.shape[1:]
  if min(height, width) < check.min_size:
    raise ValueError(
      f'{spec}: digits of {width} x {height} px, the least is '
      f'{check.min_size}: lower data.min_size or eval.min_size'
    )
  entries = [
    scan.Entry(f'{part}/{i:07d}', hashlib.sha256(picture).digest(), i)
    for i, picture in enumerate(pictures)
  ]

  def read(i):
    image = pictures[i, ..., None].repeat(3, -1)
    image.flags.writeable = False
    return {'image': image, 'label': int(labels[i])}

  return Source(spec, entries, read)


# The report.


def _first_reason(rejected):
  return f' ({rejected[0][0]}: {rejected[0][1]})' if rejected else ''


_reported = set()


def _first_time(message):
  """Whether this was not yet said: each evaluation opens its source anew."""
  new = message not in _reported
  _reported.add(message)
  return new


def report(source):
  """Logs what was left out, a count, then a line each; once in a run."""
  if not source.rejected or not _first_time(
    (source.spec, tuple(source.rejected))
  ):
    return
  logging.warning(
    '%s: left out %d of %d files',
    source.spec,
    len(source.rejected),
    len(source.rejected) + len(source.entries),
  )
  # Broken pictures first: captions and lists among them are no surprise.
  order = sorted(source.rejected, key=lambda x: x[1] == decode.NOT_A_PICTURE)
  for name, reason in order[:_LISTED]:
    logging.warning('  %s: %s', name, reason)
  if len(order) > _LISTED:
    logging.warning('  ... and %d more', len(order) - _LISTED)
