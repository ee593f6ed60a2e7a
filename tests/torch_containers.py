"""PyTorch's files of tensors, written without PyTorch: zip, legacy, script."""

import pickle
import struct
import zipfile

import numpy as np

_STORAGES = {
  'f2': 'HalfStorage',
  'f4': 'FloatStorage',
  'f8': 'DoubleStorage',
  'i8': 'LongStorage',
  'u1': 'ByteStorage',
  'bf': 'BFloat16Storage',
}


class View:
  """A tensor that is a view of numbers, as torch stores one."""

  def __init__(self, numbers, shape, strides, offset=0, kind=None):
    self.numbers, self.kind = numbers, kind or numbers.dtype.str[1:]
    self.shape, self.strides, self.offset = shape, strides, offset


class Object:
  """One of a class of TorchScript."""

  def __init__(self, **attributes):
    self.attributes = attributes


class Call:
  """What a function of a module makes of arguments."""

  def __init__(self, module, name, *arguments):
    self.function = f'c{module}\n{name}\n'.encode()
    self.arguments = arguments


class Raw(bytes):
  """Instructions of a pickle, as they are."""


def _data(value, storages):
  """The instructions that make a value."""
  data = lambda value: _data(value, storages)
  if isinstance(value, Raw):
    return bytes(value)
  if isinstance(value, Call):
    return value.function + b'(' + b''.join(map(data, value.arguments)) + b'tR'
  if isinstance(value, np.ndarray):
    strides = [step // value.itemsize for step in value.strides]
    value = View(value.ravel(), value.shape, strides)
  if isinstance(value, View):
    key = storages.setdefault(id(value.numbers), (len(storages), value))[0]
    storage = Raw(
      b'('
      + data('storage')
      + f'ctorch\n{_STORAGES[value.kind]}\n'.encode()
      + data(str(key))
      + data('cuda:0')
      + data(len(value.numbers))
      + b'tQ'
    )
    return data(
      Call(
        'torch._utils',
        '_rebuild_tensor_v2',
        storage,
        value.offset,
        tuple(value.shape),
        tuple(value.strides),
        False,
        {},
      )
    )
  if isinstance(value, Object):
    return b'c__torch__.nets\nNet\n)\x81' + data(value.attributes) + b'b'
  if isinstance(value, dict):
    items = b''.join(data(k) + data(v) for k, v in value.items())
    return b'ccollections\nOrderedDict\n)R(' + items + b'u'
  if isinstance(value, tuple):
    return b'(' + b''.join(map(data, value)) + b't'
  if isinstance(value, list):
    return b'](' + b''.join(map(data, value)) + b'e'
  # Words and numbers, without what begins and ends a pickle.
  return pickle.dumps(value, 2)[2:-1]


def pickled(value, storages):
  return b'\x80\x02' + _data(value, storages) + b'.'


def write_zip(path, value, *, script=False, extra=(), **options):
  """The layout of today; `options` are zipfile's."""
  storages = {}
  data = pickled(value, storages)
  with zipfile.ZipFile(path, 'w', **options) as archive:
    archive.writestr('net/data.pkl', data)
    archive.writestr('net/byteorder', 'little')
    if script:
      archive.writestr('net/code/__torch__/nets.py', 'import os')
      archive.writestr('net/constants.pkl', b'\x80\x02).')
    for key, view in storages.values():
      archive.writestr(f'net/data/{key}', view.numbers.tobytes())
    for name, content in extra:
      archive.writestr(name, content)


def write_legacy(path, value):
  """The layout before torch 1.6."""
  storages = {}
  body = pickled(value, storages)
  # Here a storage has one field more, which may be None.
  body = body.replace(b'tQ', b'NtQ')
  system = {'protocol_version': 1001, 'little_endian': True}
  parts = [
    pickle.dumps(0x1950A86A20F9469CFC6C, 2),
    pickle.dumps(1001, 2),
    pickle.dumps(system, 2),
    body,
    pickle.dumps([str(key) for key, _ in storages.values()], 2),
  ]
  for _, view in storages.values():
    parts += [struct.pack('<q', len(view.numbers)), view.numbers.tobytes()]
  path.write_bytes(b''.join(parts))
