"""Reads pickles of tensors without executing any code in them.

A pickle is a program that can import and call any function, and Python's
unpickler executes it. This one implements only the instructions that occur in
files of named tensors, and only the globals that PyTorch uses there, all of
which become plain data. What Lightning stores beside the weights, settings and
states of callbacks, is skipped. Anything else is refused, and named in the
error.

The size of the result is limited by the length of the pickle, since no
instruction here repeats or enlarges data, by the number of instructions and the
depth of nesting; keys are strings or integers only.
"""

from collections.abc import Callable
import dataclasses
import pickletools
from typing import Any

import numpy as np

_INSTRUCTIONS = 20_000_000  # the largest checkpoints have some 100,000
_BRACKETS = 1000  # limit of open marks
# bfloat16 is the upper half of a float32; see torch_files.
BFLOAT16 = 'bfloat16'
_STORAGES = {
  'torch.DoubleStorage': 'f8',
  'torch.FloatStorage': 'f4',
  'torch.HalfStorage': 'f2',
  'torch.BFloat16Storage': BFLOAT16,
  'torch.LongStorage': 'i8',
  'torch.IntStorage': 'i4',
  'torch.ShortStorage': 'i2',
  'torch.CharStorage': 'i1',
  'torch.ByteStorage': 'u1',
  'torch.BoolStorage': '?',
}


# Classes in a checkpoint of Lightning, with settings of OmegaConf. Objects of
# them are not made: empty ones take their places.
_SKIPPED = ('pytorch_lightning.', 'lightning.', 'omegaconf.')
_SKIPPED_NAMES = {
  'typing.Any',
  'collections.defaultdict',
  *(
    f'{module}.{name}'
    for module in ('builtins', '__builtin__')
    for name in ('dict', 'list', 'tuple', 'str', 'int', 'float', 'bool')
  ),
}


class Refused(ValueError):
  """A pickle uses something that named tensors do not need."""


@dataclasses.dataclass(frozen=True)
class Storage:
  """Raw data that tensors are views of; it is outside the pickle.

  Attributes:
    kind: NumPy's name of the element type, or `BFLOAT16`.
    key: identifies the storage.
    count: number of elements.
    view: (first, count) of a part of it, or None.
  """

  kind: str
  key: str
  count: int
  view: tuple[int, int] | None = None


@dataclasses.dataclass(frozen=True)
class Tensor:
  """A view of a storage: offset, shape and strides, in elements."""

  storage: Storage
  offset: int
  shape: tuple[int, ...]
  strides: tuple[int, ...]


class Record(dict):
  """Attributes of a TorchScript object, by name."""


class _Skipped(dict):
  """In the place of an object that is skipped: stays empty."""

  def __setitem__(self, key, value):
    pass


@dataclasses.dataclass(frozen=True)
class _Maker:
  """A global of the allow-list: its name, and the function that replaces it."""

  name: str
  make: Callable[..., Any]


def read(file: Any, classes: bool = False) -> Any:
  """The data of one pickle: dicts, lists, tuples, numbers, `Tensor`s.

  Args:
    file: binary, with read and readline; afterwards at the end of the pickle.
    classes: whether TorchScript classes may occur; their objects become
      `Record`s.

  Raises:
    Refused: it uses a global or an instruction that tensors do not need.
    ValueError: it is damaged, or exceeds the limits.
  """
  machine = _Machine(classes)
  try:
    for count, (opcode, argument, _) in enumerate(pickletools.genops(file)):
      if count > _INSTRUCTIONS:
        raise ValueError(f'more than {_INSTRUCTIONS:,} instructions')
      if opcode.name == 'STOP':
        return machine.pop()
      machine.run(opcode.name, argument)
  except Refused:
    raise
  except (
    ValueError,  # pickletools' own
    LookupError,
    TypeError,
    AttributeError,
    OverflowError,
    MemoryError,
  ) as error:
    raise ValueError(f'damaged ({error or type(error).__name__})') from error
  raise ValueError('damaged (it is cut off)')


class _Machine:
  """Stack, memory and instructions of the unpickler."""

  def __init__(self, classes):
    self.classes = classes
    self.stack, self.outer, self.memory = [], [], {}

  def run(self, name, argument):
    if name in _PUSHED:
      self.stack.append(_PUSHED[name](argument))
    elif name in _STORED:
      self.memory[argument] = self.stack[-1]
    elif name in _RECALLED:
      self.stack.append(self.memory[argument])
    elif name not in _IGNORED:
      instruction = getattr(self, f'_{name.lower()}', None)
      if instruction is None:
        raise Refused(f'the instruction {name}, which tensors do not need')
      instruction(argument)

  def pop(self):
    if not self.stack:
      raise ValueError('the stack is empty')
    return self.stack.pop()

  def _mark(self, _):
    if len(self.outer) >= _BRACKETS:
      raise ValueError(f'more than {_BRACKETS} open marks')
    self.outer.append(self.stack)
    self.stack = []

  def _since_mark(self):
    items, self.stack = self.stack, self.outer.pop()
    return items

  def _pop(self, _):
    self.pop()

  def _pop_mark(self, _):
    self._since_mark()

  def _dup(self, _):
    self.stack.append(self.stack[-1])

  def _memoize(self, _):
    self.memory[len(self.memory)] = self.stack[-1]

  # Containers.

  def _tuple(self, _):
    items = self._since_mark()
    self.stack.append(tuple(items))

  def _tuple1(self, _):
    self._last(1)

  def _tuple2(self, _):
    self._last(2)

  def _tuple3(self, _):
    self._last(3)

  def _last(self, count):
    items = [self.pop() for _ in range(count)]
    self.stack.append(tuple(reversed(items)))

  def _list(self, _):
    items = self._since_mark()
    self.stack.append(items)

  def _dict(self, _):
    items = self._since_mark()
    self.stack.append(_filled({}, items))

  def _append(self, _):
    item = self.pop()
    self._top(list).append(item)

  def _appends(self, _):
    items = self._since_mark()
    self._top(list).extend(items)

  def _setitem(self, _):
    value, key = self.pop(), self.pop()
    _filled(self._top(dict), (key, value))

  def _setitems(self, _):
    items = self._since_mark()
    _filled(self._top(dict), items)

  def _top(self, kind):
    if not isinstance(self.stack[-1], kind):
      raise ValueError(f'a {kind.__name__} was expected')
    return self.stack[-1]

  # Globals and their calls.

  def _global(self, argument):
    self.stack.append(self._found(argument.replace(' ', '.')))

  def _stack_global(self, _):
    name, module = self.pop(), self.pop()
    self.stack.append(self._found(f'{module}.{name}'))

  def _found(self, name):
    if self.classes and name.startswith('__torch__.'):
      return _Maker(name, Record)
    if name.startswith(_SKIPPED) or name in _SKIPPED_NAMES:
      return _Maker(name, lambda *_: _Skipped())
    if name not in GLOBALS:
      raise Refused(
        f'{name}, which named tensors do not need; load the file in the '
        "program that wrote it, and save the network's state_dict()"
      )
    return GLOBALS[name]

  def _reduce(self, _):
    arguments, maker = self.pop(), self.pop()
    if not isinstance(maker, _Maker) or not isinstance(arguments, tuple):
      raise ValueError('it calls something that is not a function')
    self.stack.append(maker.make(*arguments))

  _newobj = _reduce

  def _build(self, _):
    state = self.pop()
    # The state of a dict is PyTorch's `_metadata`, which is ignored.
    if isinstance(self.stack[-1], Record) and isinstance(state, dict):
      self.stack[-1].update(state)
    elif not isinstance(self.stack[-1], dict):
      raise ValueError('it sets attributes of an object without any')

  def _binpersid(self, _):
    kind, maker, key, _, count, *view = self.pop()
    if kind != 'storage' or not isinstance(maker, _Maker):
      raise ValueError(f'it refers to a {kind}, not to a storage')
    if maker.name not in _STORAGES or not isinstance(count, int) or count < 0:
      raise ValueError(f'{maker.name} is not a known storage')
    part = None
    if view and view[0] is not None:
      _, first, part_count = view[0]
      part = first, part_count
    self.stack.append(Storage(_STORAGES[maker.name], str(key), count, part))


def _filled(filled, items):
  """Adds alternating keys and values to `filled`."""
  if len(items) % 2:
    raise ValueError('a key without a value')
  for key, value in zip(items[::2], items[1::2]):
    if isinstance(key, _Maker):  # states of callbacks, by their class
      key = key.name
    # Hashing other keys could take very long.
    if not isinstance(key, str | int):
      raise ValueError('a key is neither a string nor an integer')
    filled[key] = value
  return filled


def _ordered(pairs=()):
  """A dict from pairs, as Python 2 wrote it."""
  return _filled({}, [part for key, value in pairs for part in (key, value)])


def _tensor(storage, offset, shape, strides, *_):
  """A `Tensor` that lies within its storage."""
  numbers = (offset, *shape, *strides)
  if not isinstance(storage, Storage) or len(shape) != len(strides):
    raise ValueError('a tensor without a storage')
  if not all(isinstance(n, int) and n >= 0 for n in numbers):
    raise ValueError('a tensor of invalid shape')
  count = storage.view[1] if storage.view else storage.count
  last = offset + sum((n - 1) * s for n, s in zip(shape, strides))
  if len(shape) > 8 or (0 not in shape and not last < count):
    raise ValueError('a tensor larger than its storage')
  return Tensor(storage, offset, tuple(shape), tuple(strides))


def _parameter(data, *_):
  if not isinstance(data, Tensor):
    raise ValueError('a parameter that is not a tensor')
  return data


def _no_call(*_):
  raise ValueError('it calls a type')


GLOBALS = {
  maker.name: maker
  for maker in (
    _Maker('collections.OrderedDict', _ordered),
    _Maker('typing.OrderedDict', _ordered),
    _Maker('torch._utils._rebuild_tensor', _tensor),
    _Maker('torch._utils._rebuild_tensor_v2', _tensor),
    _Maker('torch._utils._rebuild_parameter', _parameter),
    _Maker('torch.Size', lambda sizes=(): tuple(sizes)),
    _Maker('torch.device', lambda *names: names),
    *(
      _Maker(f'torch.jit._pickle.{name}', lambda items: items)
      for name in ('build_intlist', 'build_doublelist', 'build_boollist')
    ),
    _Maker('torch.jit._pickle.build_tensorlist', lambda items: items),
    _Maker('torch.jit._pickle.restore_type_tag', lambda value, _: value),
    *(_Maker(name, _no_call) for name in _STORAGES),
    *(
      _Maker(f'torch.{name}', _no_call)
      for name in ('float32', 'float16', 'bfloat16', 'float64', 'int64')
    ),
  )
}
_number = lambda value: value
_PUSHED = {
  'NONE': lambda _: None,
  'NEWTRUE': lambda _: True,
  'NEWFALSE': lambda _: False,
  'EMPTY_DICT': lambda _: {},
  'EMPTY_LIST': lambda _: [],
  'EMPTY_TUPLE': lambda _: (),
  **dict.fromkeys(
    (
      'BININT',
      'BININT1',
      'BININT2',
      'BINFLOAT',
      'INT',
      'LONG',
      'LONG1',
      'LONG4',
      'FLOAT',
      'BINUNICODE',
      'BINUNICODE8',
      'SHORT_BINUNICODE',
      'UNICODE',
      'STRING',
      'BINSTRING',
      'SHORT_BINSTRING',
      'BINBYTES',
      'BINBYTES8',
      'SHORT_BINBYTES',
    ),
    _number,
  ),
}
_STORED = frozenset(('PUT', 'BINPUT', 'LONG_BINPUT'))
_RECALLED = frozenset(('GET', 'BINGET', 'LONG_BINGET'))
_IGNORED = frozenset(('PROTO', 'FRAME'))


def dtype(kind: str) -> np.dtype:
  """NumPy's little-endian type of a storage's `kind`."""
  return np.dtype('<u2' if kind == BFLOAT16 else f'<{kind}')
