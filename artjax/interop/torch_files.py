"""Reads PyTorch's files of tensors (.pth, .pt, .ckpt) without PyTorch.

Three layouts (https://docs.pytorch.org/docs/stable/notes/serialization.html):

  zip      since torch 1.6: `data.pkl`, and a file of raw data for each storage
  legacy   before: five pickles, then the storages one after the other
  script   TorchScript: a zip with the program in `code/`, which is not run

The pickles are read by torch_pickle.py.
"""

from collections.abc import Callable, Iterator
import contextlib
import math
import mmap
import os
import struct
from typing import Any
import zipfile

import numpy as np

from artjax.interop import torch_pickle

_MAGIC = 0x1950A86A20F9469CFC6C  # of the legacy layout
_PROTOCOL = 1001
_PICKLE_BYTES = 2**28  # limit of data.pkl; some 100 bytes for each tensor
# Limit of the size of all arrays over that of the file. It may exceed 1, since
# tensors can share a storage, and half precision becomes float32.
_LARGER = 16
_SMALL = 2**26  # bytes that every file may take
_DEPTH = 64  # limit of nesting

# What reading a damaged file can raise.
_DAMAGE = (
  ValueError,
  LookupError,
  TypeError,
  EOFError,
  OSError,
  RuntimeError,  # an encrypted zip
  NotImplementedError,  # a zip of an odd version
  MemoryError,
  struct.error,
  zipfile.BadZipFile,
)

_Numbers = Callable[[torch_pickle.Storage], np.ndarray]


def read(path: str) -> Any:
  """The object of a file: dicts and lists, with f32 or integer arrays.

  For TorchScript {name: array}, named as in the network's state_dict().

  Raises:
    ValueError: another format, a damaged file, one that contains more than
      tensors (the message names the first such object), or one that would
      unpack to far more than its size. No code in it is run.
  """
  with open(path, 'rb') as file:
    try:
      start = file.read(4)
      file.seek(0)
      if start == b'PK\x03\x04':
        return _read_zip(file, os.path.getsize(path))
      return _read_legacy(file)
    except _DAMAGE as error:
      reason = (str(error).splitlines() or [type(error).__name__])[0]
      if isinstance(error, torch_pickle.Refused):
        what = f'refused, for it holds {reason}'
      else:
        what = f'not a file of tensors ({reason})'
      raise ValueError(f'{path}: {what}') from error


# A zip.


def _read_zip(file, size):
  with zipfile.ZipFile(file) as archive:
    # What is compressed is the program of TorchScript, which is not read.
    entries = {
      info.filename: info
      for info in archive.infolist()
      if info.compress_type == zipfile.ZIP_STORED
    }
    if sum(info.file_size for info in entries.values()) > size:
      raise ValueError('entries larger than the file: a zip bomb')
    pickles = [name for name in entries if name.split('/')[1:] == ['data.pkl']]
    if len(pickles) != 1:
      raise ValueError('a zip without a data.pkl that is not compressed')
    root = pickles[0].removesuffix('data.pkl')
    script = any(n.startswith(f'{root}code/') for n in archive.namelist())
    if entries[pickles[0]].file_size > _PICKLE_BYTES:
      raise ValueError('a data.pkl of more than 256 MiB')
    with archive.open(pickles[0]) as pickle:
      found = torch_pickle.read(pickle, classes=script)
    order = '<'
    if f'{root}byteorder' in entries:
      order = (
        '>' if archive.read(entries[f'{root}byteorder']) == b'big' else '<'
      )

    def numbers(storage):
      name = f'{root}data/{storage.key}'
      if name not in entries:
        raise ValueError(f'storage {storage.key} is missing')
      data = archive.read(entries[name])
      dtype = torch_pickle.dtype(storage.kind).newbyteorder(order)
      if len(data) < storage.count * dtype.itemsize:
        raise ValueError(f'storage {storage.key} is cut off')
      return np.frombuffer(data, dtype, storage.count)

    arrays = _Arrays(numbers, size)
    if script:
      return dict(arrays.named(found))
    return arrays.all(found)


# The legacy layout.


def _read_legacy(file):
  size = os.fstat(file.fileno()).st_size
  if not size:
    raise ValueError('it is empty')
  with contextlib.closing(
    mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
  ) as data:
    if torch_pickle.read(data) != _MAGIC:
      raise ValueError('not a file of torch')
    if torch_pickle.read(data) != _PROTOCOL:
      raise ValueError('an unknown version of the legacy layout')
    if not torch_pickle.read(data).get('little_endian', True):
      raise ValueError('big-endian data')
    found = torch_pickle.read(data)
    kinds = {storage.key: storage.kind for storage in _storages(found, _DEPTH)}
    places = {}
    for key in torch_pickle.read(data):
      (count,) = struct.unpack('<q', data.read(8))
      dtype = torch_pickle.dtype(kinds[key])
      start = data.tell()
      if count < 0 or start + count * dtype.itemsize > size:
        raise ValueError(f'storage {key} is cut off')
      places[key] = start, count, dtype
      data.seek(start + count * dtype.itemsize)

    def numbers(storage):
      start, count, dtype = places[storage.key]
      if count < storage.count:
        raise ValueError(f'storage {storage.key} is cut off')
      # Copied, since the file is closed afterwards.
      return np.frombuffer(data[start : start + count * dtype.itemsize], dtype)

    return _Arrays(numbers, size).all(found)


def _storages(value, depth):
  """All storages of an object."""
  if isinstance(value, torch_pickle.Tensor):
    yield value.storage
  for _, item in _items(value, depth):
    yield from _storages(item, depth - 1)


# Tensors as arrays.


class _Arrays:
  """Converts tensors to arrays; reads each storage once, within a budget."""

  def __init__(self, numbers: _Numbers, size: int):
    self._numbers = numbers
    self._read: dict[str, np.ndarray] = {}
    self._left = _LARGER * size + _SMALL  # bytes

  def all(self, value: Any, depth: int = _DEPTH) -> Any:
    """The same nested dicts and lists, with arrays in place of tensors."""
    if isinstance(value, torch_pickle.Tensor):
      return self.array(value)
    if isinstance(value, dict):
      return {
        name: self.all(item, depth - 1) for name, item in _items(value, depth)
      }
    if isinstance(value, list | tuple):
      return [self.all(item, depth - 1) for _, item in _items(value, depth)]
    return value

  def named(
    self, value: Any, prefix: str = '', depth: int = _DEPTH
  ) -> Iterator[tuple[str, np.ndarray]]:
    """(name, array) of the tensors in nested objects."""
    for name, item in _items(value, depth):
      if isinstance(item, torch_pickle.Tensor):
        yield f'{prefix}{name}', self.array(item)
      elif isinstance(item, torch_pickle.Record):
        yield from self.named(item, f'{prefix}{name}.', depth - 1)

  def array(self, tensor: torch_pickle.Tensor) -> np.ndarray:
    """The array: f32, integers or bool."""
    storage = tensor.storage
    self._left -= 4 * math.prod(tensor.shape)
    if self._left < 0:
      raise ValueError('far more values than a file of this size can contain')
    if storage.key not in self._read:
      self._read[storage.key] = self._numbers(storage)
    flat = self._read[storage.key]
    if storage.view:
      flat = flat[storage.view[0] : storage.view[0] + storage.view[1]]
      if len(flat) < storage.view[1]:
        raise ValueError(f'storage {storage.key} is cut off')
    flat = flat[tensor.offset :]
    view = np.lib.stride_tricks.as_strided(
      flat,
      tensor.shape,
      [stride * flat.itemsize for stride in tensor.strides],
      writeable=False,
    )
    if storage.kind == torch_pickle.BFLOAT16:
      bits = view.astype(np.uint32) << np.uint32(16)
      return bits.view(np.float32)
    if view.dtype.kind == 'f':
      return view.astype(np.float32)
    return view.astype(view.dtype.newbyteorder('='))


def _items(value, depth):
  """(name, item) of a dict; (None, item) of a list."""
  if not isinstance(value, dict | list | tuple):
    return []
  if not depth:
    raise ValueError(f'nested more than {_DEPTH} levels deep')
  if isinstance(value, dict):
    return list(value.items())
  return [(None, item) for item in value]
