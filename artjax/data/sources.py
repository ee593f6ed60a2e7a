"""Collections of pictures with random access, checked before a run starts.

  sample                    colour photographs that come with scikit-image
  folder:PATH               all JPEG, PNG, TIFF and WebP files below PATH
  pairs:TARGETS,INPUTS      two folders, matched by path without suffix
  tfds:NAME[:VERSION][@DATA_DIR][:SPLIT]
                            feature 'image' of a TFDS dataset prepared as
                            array_record; SPLIT as TFDS writes it, 'train'

`load(spec)` reads and decodes every picture once, in threads. What cannot be
used is logged with its reason, stands in `source.rejected` and is left out.

Of `sample`, chelsea and coffee are held out for validation at the default
share, 0.2, and at any share from 0.08 to 0.31; astronaut, hubble_deep_field,
ihc, motorcycle_left, retina and rocket are trained on.
"""
import hashlib
import importlib.util
import os
import pathlib
import re

from absl import logging

from artjax.data import decode
from artjax.data import scan

SAMPLE = (
    'astronaut.png', 'chelsea.png', 'coffee.png', 'hubble_deep_field.jpg',
    'ihc.png', 'motorcycle_left.png', 'retina.jpg', 'rocket.jpg')
SPECS = ('sample', 'folder:PATH', 'pairs:TARGETS,INPUTS',
         'tfds:NAME[@DATA_DIR][:SPLIT]')

# Of the salts, one under which the few pictures of `sample` divide sensibly: a
# cat and a cup are held out, with a margin on both sides of the threshold.
_SALT = b'artjax 7730'
_LISTED = 20  # rejected files named one by one in the log

Unreadable = decode.Unreadable  # source[i], once its file has gone bad


class Source:
  """Pictures by index: `source[i] -> {'image': u8[H, W, 3] RGB, 'name'}`.

  Pairs also give 'target' u8[H, W, 3]. The arrays are read-only, because a
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
  openers = {'sample': _sample, 'folder': _folder, 'pairs': _pairs,
             'tfds': _tfds}
  if kind not in openers or bool(rest) == (kind == 'sample'):
    raise ValueError(
        f'data source {spec!r} is none of {", ".join(SPECS)}')
  cache = scan.Cache(cache_mb * 2 ** 20)
  check = scan.Scan(min_size, workers, cache)
  source = openers[kind](spec, rest, check)
  _report(source)
  if not source.entries:
    raise ValueError(
        f'{spec}: no usable picture (JPEG, PNG, TIFF or WebP, shorter side of '
        f'at least {min_size} px) in {check.where}; left out '
        f'{len(source.rejected)} files{_first_reason(source.rejected)}')
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
      i for i, entry in enumerate(source.entries)
      if (_position(entry.digest) < share) == (part == 'validation')]
  if not inside:
    advice = ('raise it, or name other pictures in eval.source'
              if part == 'validation' else 'lower it, or add pictures')
    raise ValueError(
        f'{source.spec}: none of {len(source)} pictures is in the {part} part '
        f'at data.validation={share}; {advice}')
  return source.subset(inside)


def _position(digest):
  """Content digest -> a number in [0, 1), uniform over contents."""
  salted = hashlib.sha256(_SALT + digest).digest()
  return int.from_bytes(salted[:8], 'big') / 2 ** 64


# The four kinds of source: (spec, rest, check) -> Source.


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
  items = list(_files(rest))
  entries, rejected = check(items, scan.read_file, rest)
  return Source(spec, entries, check.reader(scan.read_file), rejected)


def _pairs(spec, rest, check):
  folders = rest.split(',')
  if len(folders) != 2 or not all(folders):
    raise ValueError(f'{spec!r} is not of the form pairs:TARGETS,INPUTS')
  sides, rejected = [], []
  for folder in folders:
    entries, bad = check(list(_files(folder)), scan.read_file, folder)
    rejected += [(os.path.join(folder, name), why) for name, why in bad]
    side = {}
    for entry in entries:
      stem = os.path.splitext(entry.name)[0]
      if stem in side:
        rejected.append((os.path.join(folder, entry.name),
                         f'same stem as {side[stem].name}'))
      else:
        side[stem] = entry
    sides.append(side)
  targets, inputs = sides
  for side, folder, other in (targets, *folders), (inputs, *folders[::-1]):
    others = inputs if side is targets else targets
    rejected += [(os.path.join(folder, side[stem].name),
                  f'no usable partner in {other}')
                 for stem in sorted(set(side) - set(others))]
  entries = []
  for stem in sorted(set(targets) & set(inputs)):
    target, image = targets[stem], inputs[stem]
    sizes = [check.extents[entry.key] for entry in (target, image)]
    if sizes[0] == sizes[1]:
      entries.append(scan.Entry(stem, target.digest, (target.key, image.key)))
    else:
      rejected.append((
          os.path.join(folders[1], image.name),
          '{1} x {0} px, but its target has {3} x {2}'.format(
              *sizes[1], *sizes[0])))
  check.where = ' and '.join(map(os.path.abspath, folders))
  picture = check.reader(scan.read_file)

  def read(keys):
    target, image = (picture(key)['image'] for key in keys)
    if target.shape != image.shape:
      raise Unreadable(f'{keys[0]} and {keys[1]} differ in size by now')
    return {'image': image, 'target': target}

  return Source(spec, entries, read, rejected)


_TFDS = re.compile(  # NAME[/CONFIG][:VERSION][@DATA_DIR][:SPLIT]
    r'(?P<name>[\w./-]+(:[\d*][\d.*]*)?)(@(?P<dir>.+?))?'
    r'(:(?P<split>[A-Za-z][\w+%:\[\]-]*))?')


def _tfds(spec, rest, check):
  match = _TFDS.fullmatch(rest)
  if not match:
    raise ValueError(f'{spec!r} is not of the form {SPECS[-1]}')
  try:
    import tensorflow_datasets as tfds  # heavy: it brings TensorFlow
  except ImportError as error:
    raise ValueError(f'{spec}: needs tensorflow-datasets ({error})') from error
  name, part = match['name'], match['split'] or 'train'
  folder = os.path.expanduser(match['dir'] or tfds.core.constants.DATA_DIR)
  advice = (f'prepare it with: tfds build {name} '
            f'--file_format=array_record --data_dir={folder}')
  try:
    builder = tfds.builder(name, data_dir=folder)
  except Exception as error:  # of many types, with pages of names
    raise ValueError(f'{spec}: no dataset {name!r} in {folder} and none in the '
                     f'catalogue ({type(error).__name__})') from error
  if not builder.info.splits:
    raise ValueError(f'{spec}: not prepared in {folder}; {advice}')
  features = builder.info.features
  if not ('image' in features
          and isinstance(features['image'], tfds.features.Image)):
    raise ValueError(f"{spec}: has no picture called 'image' among its "
                     f'features {", ".join(features)}')
  try:
    data = builder.as_data_source(
        part, decoders={'image': tfds.decode.SkipDecoding()})
  except NotImplementedError as error:
    raise ValueError(f'{spec}: prepared in {folder} in a format without random '
                     f'access; {advice}') from error
  except ValueError as error:
    raise ValueError(f'{spec}: {error}') from error
  read_bytes = lambda i: data[i]['image']
  items = [(f'{name}/{part}/{i:07d}', i) for i in range(len(data))]
  entries, rejected = check(items, read_bytes, f'{builder.data_path}/{part}')
  return Source(spec, entries, check.reader(read_bytes), rejected)


def _files(folder):
  """(path below the folder with '/', path) of each file, in order of names.

  Hidden files and folders (.git, .DS_Store, ._x.jpg) are passed over.
  """
  root = pathlib.Path(folder).expanduser()
  if not root.is_dir():
    what = 'is not a folder' if root.exists() else 'does not exist'
    raise FileNotFoundError(f'{root.absolute()} {what}')
  found, seen = [], set()
  for top, folders, names in os.walk(root, followlinks=True):
    real = os.path.realpath(top)
    if real in seen:
      folders.clear()  # a link back up would never end
      continue
    seen.add(real)
    folders[:] = [name for name in folders if not name.startswith('.')]
    found += [pathlib.Path(top, name) for name in names
              if not name.startswith('.')]
  return sorted((path.relative_to(root).as_posix(), path) for path in found)


# The report.


def _first_reason(rejected):
  return f' ({rejected[0][0]}: {rejected[0][1]})' if rejected else ''


_reported = set()


def _report(source):
  """Logs what was left out, a line each, then a count; once in a run."""
  report = source.spec, tuple(source.rejected)
  if not source.rejected or report in _reported:
    return
  _reported.add(report)  # each evaluation opens its source anew
  logging.warning('%s: left out %d of %d files', source.spec,
                  len(source.rejected),
                  len(source.rejected) + len(source.entries))
  # Broken pictures first: captions and lists among them are no surprise.
  order = sorted(source.rejected, key=lambda x: x[1] == decode.NOT_A_PICTURE)
  for name, reason in order[:_LISTED]:
    logging.warning('  %s: %s', name, reason)
  if len(order) > _LISTED:
    logging.warning('  ... and %d more', len(order) - _LISTED)
