"""Third pass: writes the parts as a dataset in TFDS's array_record format."""

import itertools
import os
from typing import Any, NamedTuple

from artjax.data.prepare import subimages
from artjax.data.prepare.progress import progress

SHARD = 2**28  # bytes of a file, at least, but for the last one


class Tfds(NamedTuple):
  """The other packages that a dataset is written with."""

  tfds: Any
  array_record: Any
  example: Any  # the protocol buffer of a record


def import_tfds(name: str) -> Tfds:
  """Imports what writes, before the long work; asks if the name is free.

  Raises:
    ValueError: not installed, or the name is one of the TFDS catalogue.
  """
  modules = _modules()
  tfds = modules.tfds
  try:
    tfds.builder_cls(name)
  except tfds.core.registered.DatasetNotFoundError:
    return modules
  raise ValueError(
    f'name={name} is that of a dataset of the TFDS catalogue: '
    'choose another --name'
  )


def _modules() -> Tfds:
  try:
    from array_record.python import array_record_module
    import tensorflow_datasets as tfds
    from tensorflow_datasets.proto import tf_example_pb2

    _ = tfds.builder_cls  # missing where its own imports failed
  except (ImportError, AttributeError) as error:
    raise ValueError(
      'needs tensorflow-datasets and array-record: pip install '
      f'"artjax[train]" ({error})'
    ) from error
  return Tfds(tfds, array_record_module, tf_example_pb2.Example)


def write(
  modules: Tfds,
  folder: str,
  name: str,
  numbers: dict[str, int],
  parts: dict[str, list[tuple[str, str]]],
) -> dict[str, list[tuple[int, int]]]:
  """Writes the files of a dataset into a folder that is not there yet.

  TFDS' own builder is not used: its records differ from run to run, in the
  order of their features.

  Args:
    modules: what `import_tfds` gave.
    folder: of the dataset's files, its last component the version.
    name: of the dataset.
    numbers: {split: number of sub-images}, of splits that are not empty.
    parts: {split: [(name of the picture, path of its part)]}.

  Returns:
    {split: [(records, bytes) of each file]}, for `write_metadata`.

  Raises:
    OSError: the disk is full.
  """
  os.makedirs(folder)
  files = {}
  try:
    with progress(None, 'Writing', sum(numbers.values())) as bar:
      for split in numbers:
        shards = _Shards(modules, os.path.join(folder, f'{name}-{split}'))
        for picture, path in parts[split]:
          for label, data in subimages.read_part(path):
            shards.write(_record(modules, picture, label, data))
            bar.update()
        shards.close()
        files[split] = shards.files
  except RuntimeError as error:  # of array_record, as on a full disk
    raise OSError(' '.join(str(error).split())) from error
  return files


def write_metadata(
  modules: Tfds,
  folder: str,
  files: dict[str, list[tuple[int, int]]],
  licence: str = '',
) -> None:
  """Writes what TFDS has to know of a dataset.

  Args:
    modules: what `import_tfds` gave.
    folder: of the dataset's files.
    files: what `write` returned.
    licence: of the pictures.
  """
  tfds = modules.tfds
  tfds.folder_dataset.write_metadata(
    data_dir=folder,
    split_infos=[
      tfds.core.SplitInfo(
        name=split,
        shard_lengths=[records for records, _ in of_split],
        num_bytes=sum(size for _, size in of_split),
      )
      for split, of_split in files.items()
    ],
    check_data=False,
    description='Sub-images of pictures, called PICTURE@SCALE+LEFT+TOP.',
    features={
      'image': tfds.features.Image(
        shape=(None, None, 3), encoding_format='png'
      ),
      'name': tfds.features.Text(),
    },
    **({'license': licence} if licence else {}),
  )


def record_sizes(item: tuple[str, str]) -> list[int]:
  """Bytes of each record of a (name of a picture, path of its part)."""
  modules, (picture, part) = _modules(), item
  return [
    len(_record(modules, picture, label, data))
    for label, data in subimages.read_part(part)
  ]


def write_file(item: tuple[str, list[tuple[str, str, int]]]) -> None:
  """Writes one file of a dataset: (path, records).

  A record is (name of a picture, path of its part, index of the sub-image).
  """
  modules, (path, records) = _modules(), item
  part = f'{path}.{os.getpid()}.part'  # a runner may start a task twice
  file = _open(modules, part)
  for (picture, source), group in itertools.groupby(records, lambda r: r[:2]):
    wanted = {index for *_, index in group}
    for i, (label, data) in enumerate(subimages.read_part(source)):
      if i in wanted:
        file.write(_record(modules, picture, label, data))
  file.close()
  os.replace(part, path)


def _record(modules, picture, label, data):
  """The bytes of a sub-image in the dataset."""
  example = modules.example()
  for name, value in (('image', data), ('name', f'{picture}@{label}'.encode())):
    example.features.feature[name].bytes_list.value.append(value)
  return example.SerializeToString(deterministic=True)


def _open(modules, path):
  # TFDS reads record by record, at random.
  return modules.array_record.ArrayRecordWriter(path, 'group_size:1')


class _Shards:
  """Writes records to files of about `SHARD` bytes, PREFIX.array_record-*."""

  def __init__(self, modules, prefix):
    self.files = []  # (records, bytes) of each
    self._modules = modules
    self._prefix = prefix
    self._writer = None
    self._left = 0  # bytes to go in the present file

  def write(self, record):
    """Writes the bytes of one record."""
    if self._left <= 0:
      self._close_file()
      self._writer = _open(self._modules, self._path())
      self.files.append((0, 0))
      self._left = SHARD
    self._writer.write(record)
    records, size = self.files[-1]
    self.files[-1] = records + 1, size + len(record)
    self._left -= len(record)

  def close(self):
    """Closes the last file and names all of them."""
    self._close_file()
    number = len(self.files)
    for i in range(number):
      os.rename(
        self._path(i), f'{self._prefix}.array_record-{i:05d}-of-{number:05d}'
      )

  def _path(self, i=None):
    return f'{self._prefix}.{len(self.files) if i is None else i}.part'

  def _close_file(self):
    if self._writer:
      self._writer.close()
