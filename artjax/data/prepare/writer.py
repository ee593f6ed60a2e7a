"""Third pass: writes the parts as a dataset in TFDS's array_record format."""

import os
from typing import Any, NamedTuple

from artjax.data.prepare import subimages
from artjax.data.prepare.progress import progress

_SHARD = 2**28  # bytes


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
    return Tfds(tfds, array_record_module, tf_example_pb2.Example)
  raise ValueError(
    f'name={name} is that of a dataset of the TFDS catalogue: '
    'choose another --name'
  )


def write(
  modules: Tfds,
  folder: str,
  name: str,
  numbers: dict[str, int],
  parts: dict[str, list[tuple[str, str]]],
) -> None:
  """Writes a dataset into a folder that is not there yet.

  TFDS' own builder is not used: its records differ from run to run, in the
  order of their features.

  Args:
    modules: what `import_tfds` gave.
    folder: of the dataset's files, its last component the version.
    name: of the dataset.
    numbers: {split: number of sub-images}, of splits that are not empty.
    parts: {split: [(name of the picture, path of its part)]}.

  Raises:
    OSError: the disk is full.
  """
  tfds = modules.tfds
  os.makedirs(folder)
  infos = []
  try:
    with progress(None, 'Writing', sum(numbers.values())) as bar:
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
    """Closes the last file and names all of them."""
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
