"""A folder of pictures -> a dataset of sub-images, for `tfds:` of sources.py.

Three passes: pictures are hashed, cut in parallel processes (subimages.py), and
written. What is cut is kept in a folder of parts, a file a picture, until the
dataset stands: an interrupted run goes on where it was. The dataset is made
beside its place and moved there once it is whole, together with a record of
what it was made of, by which the next run knows that nothing is left to do.
"""

import concurrent.futures
import contextlib
import dataclasses
import fcntl
import hashlib
import json
import multiprocessing
import os
import re
import shutil
from typing import Any, NamedTuple

import tqdm

from artjax import atomic_files
from artjax.data import sources
from artjax.data.prepare import subimages
from artjax.data.sources import decode
from artjax.data.sources import scan

PARTS = ('train', 'validation')
_FORMAT = 1  # to be raised whenever the same settings give other sub-images
_VERSION = '1.0.0'
_SHARD = 2**28  # bytes
_RECORD = 'prepare.json'


class _Picture(NamedTuple):
  name: str  # path below the folder of pictures
  path: str
  digest: bytes  # SHA-256


def prepare(
  pictures,
  output,
  name,
  settings=subimages.Settings(),
  *,
  validation=0.2,
  workers=0,
  overwrite=False,
):
  """Makes the dataset `output`/`name`, or finds it made.

  Args:
    pictures: folder, searched with its subfolders.
    output: folder of datasets, TFDS' data_dir.
    name: of the dataset: lower case, digits and _.
    settings: `subimages.Settings`.
    validation: share of pictures whose sub-images are the split 'validation';
      which ones follows from their content, as `sources.split` has it.
    workers: processes; 0 = one per core. They change nothing in the result.
    overwrite: replace a dataset of that name made by other settings or of
      other pictures.

  Returns:
    dict: 'pictures' used, 'rejected' and 'dropped' their number, 'sub_images'
    {split: number}, 'unchanged' whether it was there before.

  Raises:
    ValueError: bad arguments; no usable picture, or none for a split; another
      dataset of that name; no TFDS; another run at the same dataset.
    OSError: no such folder, a file that vanished, a full disk.
  """
  if not re.fullmatch('[a-z][a-z0-9_]*', name):
    raise ValueError(
      f'name={name!r} must be lower-case letters, digits and _, a letter first'
    )
  if not 0 <= validation < 1:
    raise ValueError(f'validation={validation} is not in [0, 1)')
  validation = float(validation)  # 0 is 0.0 in the record
  workers = workers or scan.cores()
  output = os.path.expanduser(output)
  target = os.path.join(output, name)
  found, rejected = _find(pictures, workers)
  options = {**dataclasses.asdict(settings), 'validation': validation}
  # Through JSON, so that it equals what is read back: tuples become lists.
  options = json.loads(json.dumps(options))
  fingerprint = _fingerprint(
    _FORMAT,
    options,
    [(picture.name, picture.digest.hex()) for picture in found],
  )
  if os.path.exists(target):
    record = _read_record(target)
    if record['fingerprint'] == fingerprint:
      return {**record['result'], 'unchanged': True}
    if not overwrite:
      raise ValueError(
        f'{target} is there already, made '
        f'{_difference(record["options"], options)}: choose '
        'another --name or pass --overwrite'
      )
  modules = _import_tfds(name)
  work = os.path.join(output, f'.{name}.parts')
  with _locked(work):
    folder = os.path.join(
      work, _fingerprint(_FORMAT, dataclasses.asdict(settings))[:16]
    )
    parts = {p.name: os.path.join(folder, p.digest.hex()) for p in found}
    _cut(found, parts, settings, workers)
    summaries = {p.name: subimages.read_summary(parts[p.name]) for p in found}
    rejected += [
      (name, summary['reason'])
      for name, summary in summaries.items()
      if summary['reason']
    ]
    used = [p for p in found if not summaries[p.name]['reason']]
    sources.report(sources.Source(pictures, used, None, rejected))
    split = {
      part: [p for p in used if sources.part_of(p.digest, validation) == part]
      for part in PARTS
    }
    numbers = {
      part: sum(summaries[p.name]['kept'] for p in split[part])
      for part in PARTS
    }
    _check_numbers(pictures, numbers, len(used), rejected, validation)
    result = {
      'pictures': len(used),
      'rejected': len(rejected),
      'sub_images': {k: v for k, v in numbers.items() if v},
      'dropped': sum(summaries[p.name]['dropped'] for p in used),
    }
    new = os.path.join(work, 'new')
    shutil.rmtree(new, ignore_errors=True)
    _write(
      modules,
      os.path.join(new, _VERSION),
      name,
      result['sub_images'],
      {part: [(p.name, parts[p.name]) for p in split[part]] for part in PARTS},
    )
    atomic_files.write_text(
      os.path.join(new, _RECORD),
      json.dumps(
        {
          'fingerprint': fingerprint,
          'options': options,
          'result': result,
          'rejected': sorted(rejected),
        },
        indent=1,
      )
      + '\n',
    )
    if os.path.exists(target):
      old = os.path.join(work, 'old')
      shutil.rmtree(old, ignore_errors=True)
      os.rename(target, old)
    os.rename(new, target)
    shutil.rmtree(work)
  return {**result, 'unchanged': False}


# First pass: which pictures there are, and whether anything is to be done.


def _find(folder, workers):
  """([_Picture], [(name, reason)]), in order of names, each content once."""
  items = list(scan.files(folder))
  found, rejected, names = [], [], {}
  with concurrent.futures.ThreadPoolExecutor(workers) as pool:
    hashes = _progress(
      pool.map(_hash, (path for _, path in items)), 'Reading', len(items)
    )
    for (name, path), (digest, reason) in zip(items, hashes):
      if digest in names:
        reason = f'same content as {names[digest]}'
      if reason:
        rejected.append((name, reason))
      else:
        names[digest] = name
        found.append(_Picture(name, str(path), digest))
  return found, rejected


def _hash(path):
  """(digest, '') of a picture file, or (None, reason)."""
  try:
    data = scan.read_file(path)
  except OSError as error:
    return None, error.strerror
  if not decode.file_type(data):
    return None, decode.NOT_A_PICTURE if data else 'empty file'
  return hashlib.sha256(data).digest(), ''


def _fingerprint(*content):
  return hashlib.sha256(json.dumps(content).encode()).hexdigest()


def _read_record(target):
  """What a dataset was made of; ValueError if it is none of ours."""
  try:
    with open(os.path.join(target, _RECORD), encoding='utf-8') as file:
      return json.load(file)
  except (OSError, ValueError) as error:
    raise ValueError(
      f'{target} is there already and was not made by this '
      'command: choose another --name'
    ) from error


def _difference(old, new):
  changed = [f'{key}={old.get(key)}' for key in new if old.get(key) != new[key]]
  return f'with {", ".join(changed)}' if changed else 'of other pictures'


# Second pass: parts.


@contextlib.contextmanager
def _locked(folder):
  """Only one run at a time works in `folder`."""
  os.makedirs(folder, exist_ok=True)
  with open(os.path.join(folder, 'lock'), 'w') as file:
    try:
      fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
      raise ValueError(
        f'another run is at work in {folder}: wait for its end'
      ) from error
    yield  # the lock goes with the process, however that ends


def _cut(pictures, parts, settings, workers):
  """Makes the parts that are not there yet."""
  todo = [p for p in pictures if not os.path.exists(parts[p.name])]
  if not todo:
    return
  # Spawned, not forked: TensorFlow's threads would not survive a fork.
  pool = concurrent.futures.ProcessPoolExecutor(
    min(workers, len(todo)),
    multiprocessing.get_context('spawn'),
    initializer=subimages.start_worker,
  )
  try:
    futures = [
      pool.submit(subimages.cut_file, p.path, p.digest, parts[p.name], settings)
      for p in todo
    ]
    for future in _progress(
      concurrent.futures.as_completed(futures),
      'Cutting',
      len(pictures),
      len(pictures) - len(todo),
    ):
      future.result()
  except concurrent.futures.process.BrokenProcessPool as error:
    raise ValueError(
      'a worker process was ended from outside, perhaps for want of memory; '
      'what is cut is kept: run the same command again, with fewer --workers'
    ) from error
  finally:
    pool.shutdown(wait=True, cancel_futures=True)


def _progress(iterable, what, total, initial=0):
  return tqdm.tqdm(
    iterable,
    what,
    total,
    initial=initial,
    disable=None,
    unit='picture' if what != 'Writing' else 'sub-image',
  )


def _check_numbers(pictures, numbers, used, rejected, validation):
  """ValueError for a split without sub-images."""
  if not used:
    first = f' ({rejected[0][0]}: {rejected[0][1]})' if rejected else ''
    raise ValueError(
      f'{pictures}: no usable picture; left out {len(rejected)} files{first}'
    )
  if not any(numbers.values()):
    raise ValueError(f'{pictures}: every sub-image is flat; lower --min_std')
  for part, advice in (
    ('train', 'lower it'),
    ('validation', 'raise it, or pass --validation=0 for no such split'),
  ):
    if not numbers[part] and (part == 'train' or validation):
      raise ValueError(
        f'{pictures}: none of {used} pictures gives to the {part} part at '
        f'--validation={validation:g}; {advice}'
      )


# Third pass: the dataset.


class _Tfds(NamedTuple):
  """What is used of other packages to write one."""

  tfds: Any
  array_record: Any
  example: Any  # the protocol buffer of a record


def _import_tfds(name):
  """Imports it before the long work, and asks it whether the name is free."""
  try:
    from array_record.python import array_record_module
    import tensorflow_datasets as tfds
    from tensorflow_datasets.proto import tf_example_pb2

    find = tfds.builder_cls  # missing where its own imports failed
  except (ImportError, AttributeError) as error:
    raise ValueError(
      'needs tensorflow-datasets and array-record: pip install '
      f'"artjax[train]" ({error})'
    ) from error
  try:
    find(name)
  except tfds.core.registered.DatasetNotFoundError:
    return _Tfds(tfds, array_record_module, tf_example_pb2.Example)
  raise ValueError(
    f'name={name} is that of a dataset of the TFDS catalogue: '
    'choose another --name'
  )


def _write(modules, folder, name, numbers, parts):
  """Writes a dataset into a folder that is not there yet.

  TFDS' own builder is not used: its records differ from run to run, in the
  order of their features.

  Args:
    modules: `_Tfds`.
    folder: of the dataset's files, its last component the version.
    name: of the dataset.
    numbers: {split: number of sub-images}, of splits that are not empty.
    parts: {split: [(name of the picture, path of its part)]}.
  """
  tfds = modules.tfds
  os.makedirs(folder)
  infos = []
  try:
    with _progress(None, 'Writing', sum(numbers.values())) as bar:
      for split in numbers:
        shards = _Shards(modules, os.path.join(folder, f'{name}-{split}'))
        for picture, path in parts[split]:
          for label, data in subimages.read_part(path):
            shards.write({'image': data, 'name': f'{picture}@{label}'.encode()})
            bar.update()
        shards.close()
        infos.append(
          tfds.core.SplitInfo(
            name=split, shard_lengths=shards.lengths, num_bytes=shards.bytes
          )
        )
  except RuntimeError as error:  # of array_record, as on a full disk
    raise OSError(' '.join(str(error).split())) from error
  tfds.folder_dataset.write_metadata(
    data_dir=folder,
    split_infos=infos,
    check_data=False,
    description='Sub-images of pictures, called PICTURE@SCALE+LEFT+TOP.',
    features={
      'image': tfds.features.Image(
        shape=(None, None, 3), encoding_format='png'
      ),
      'name': tfds.features.Text(),
    },
  )


class _Shards:
  """Writes records to files of about `_SHARD` bytes, PREFIX.array_record-*."""

  def __init__(self, modules, prefix):
    self.lengths = []  # records of each file
    self.bytes = 0  # of all records
    self._modules = modules
    self._prefix = prefix
    self._writer = None
    self._left = 0  # bytes to go in the present file

  def write(self, features):
    """Writes {name: bytes} as one record."""
    example = self._modules.example()
    for name, value in features.items():
      example.features.feature[name].bytes_list.value.append(value)
    record = example.SerializeToString(deterministic=True)
    if self._left <= 0:
      self._close_file()
      # TFDS reads record by record, at random.
      self._writer = self._modules.array_record.ArrayRecordWriter(
        self._path(), 'group_size:1'
      )
      self.lengths.append(0)
      self._left = _SHARD
    self._writer.write(record)
    self.lengths[-1] += 1
    self.bytes += len(record)
    self._left -= len(record)

  def close(self):
    """Ends the last file; only now are all names known."""
    self._close_file()
    number = len(self.lengths)
    for i in range(number):
      os.rename(
        self._path(i), f'{self._prefix}.array_record-{i:05d}-of-{number:05d}'
      )

  def _path(self, i=None):
    return f'{self._prefix}.{len(self.lengths) if i is None else i}.part'

  def _close_file(self):
    if self._writer:
      self._writer.close()
