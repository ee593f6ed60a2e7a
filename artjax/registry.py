"""Finds the objects that a config names: the one dynamic import of the project.

No list has to be kept: every public function or class of a module can be named.
'unet.UNet' is `UNet` in artjax/models/unet.py, or in a file of that name in
another of `MODEL_PACKAGES`. An ops string such as
'random_crop(128)|flip|old_painting((0.0, 1.0))' is a chain of functions
declared by `artjax.data.examples.op` in any module of `OP_PACKAGES`.
"""

import ast
from collections.abc import Callable, Iterable, Iterator
import difflib
import functools
import importlib
import importlib.metadata
import importlib.util
import itertools
import os
import pkgutil
import sys
import types
from typing import Any

from absl import logging

OP_PACKAGES = ('artjax.data.ops', 'artjax.data.degradations')
# Where architectures are; a name in a config says the file and the class only.
MODEL_PACKAGES = (
  'artjax.models',
  'artjax.models.super_resolution',
  'artjax.models.denoising',
  'artjax.models.transforms',
  'artjax.models.attention',
  'artjax.models.inpainting',
  'artjax.models.discriminators',
)
# The group of entry points by which installed packages offer modules.
ENTRY_POINTS = 'artjax'
# Old names of ops -> new ones; accepted for one version.
_RENAMED_OPS = {'kind': 'class_label'}


def get(package: str, name: str) -> Callable[..., Any]:
  """The public function or class called `name` in a package or module.

  Args:
    package: dotted name of a module or package, such as 'artjax.models'.
    name: 'function' of the module, or 'module.function' inside the package.

  Returns:
    The function or class; it must be defined there, not merely imported.

      'package.module:Name' is from another package, see `outside`.

  Raises:
    ValueError: it does not exist; the message lists similar names.
  """
  if ':' in name:
    return outside(name)
  *path, attribute = name.split('.')
  module = _import('.'.join([package, *path]))
  found = public(module) if module else {}
  if attribute in found:
    return found[attribute]
  prefix = ''.join(part + '.' for part in path)
  known = [prefix + other for other in found]
  if not path or not module:
    known += _below(package)
  raise ValueError(f'no {name!r} in {package}; {_close(name, known)}')


def use(modules: Iterable[str]) -> None:
  """Adds modules of other packages, whose ops, losses and metrics can be named.

  Args:
    modules: dotted names, of `config.modules`.

  Raises:
    ValueError: there is no such module.
  """
  for name in modules:
    if name not in _used:
      _used[name] = _outside_module(name)
      _all_ops.cache_clear()


def used() -> list[types.ModuleType]:
  """The modules of `use`, in order, and those that installed packages offer.

  A package offers a module by an entry point of the group `artjax`.

  Raises:
    ValueError: one of an installed package cannot be imported.
  """
  ours = list(_used.values())
  return ours + [module for module in _offered() if module not in ours]


@functools.cache
def _offered():
  """The modules of all entry points of the group."""
  found = []
  points = importlib.metadata.entry_points(group=ENTRY_POINTS)
  for point in sorted(points, key=lambda point: point.name):
    try:
      found.append(importlib.import_module(point.module))
    except Exception as error:  # of many types: it is anybody's code
      raise ValueError(
        f'the entry point {point.name} = {point.value} of an installed package '
        f'cannot be imported ({type(error).__name__}: {error}): repair it, or '
        'uninstall the package'
      ) from error
  return found


_used: dict[str, types.ModuleType] = {}


def outside(name: str) -> Any:
  """The object 'package.module:Name' of another package.

  The package is installed, or is in the folder where the command runs.

  Raises:
    ValueError: there is none.
  """
  path, _, attribute = name.partition(':')
  module = _outside_module(path)
  if not hasattr(module, attribute):
    raise ValueError(
      f'no {attribute!r} in {path}; {_close(attribute, public(module))}'
    )
  return getattr(module, attribute)


def _outside_module(path):
  if os.getcwd() not in sys.path:  # a console script does not look there
    sys.path.append(os.getcwd())
  module = _import(path)
  if module is None:
    raise ValueError(f'no module {path!r} is installed, or in {os.getcwd()}')
  return module


def public(module: types.ModuleType) -> dict[str, Callable[..., Any]]:
  """The public functions and classes that `module` itself defines."""
  return {
    name: value
    for name, value in vars(module).items()
    if callable(value)
    and not name.startswith('_')
    and getattr(value, '__module__', None) == module.__name__
  }


def ops(package: str = '') -> dict[str, Callable[..., Callable]]:
  """All ops by name: functions that return `fn(example, rng) -> example`.

  They are those declared by `artjax.data.examples.op`, as the decorators of
  degradations do, in the modules of `OP_PACKAGES`.

  Args:
    package: dotted name; only ops of the modules in it. '' = of all.

  Raises:
    ValueError: two modules define an op of the same name.
  """
  return {
    name: factory
    for name, factory in _all_ops().items()
    if f'{factory.__module__}.'.startswith(package and f'{package}.')
  }


@functools.cache
def _all_ops():
  found = {}
  ours = itertools.chain.from_iterable(map(_modules, OP_PACKAGES))
  for module in (*ours, *used()):
    for name, factory in public(module).items():
      if not getattr(factory, 'makes_op', False):
        continue
      if name in found:
        raise ValueError(
          f'two ops are called {name!r}: in {found[name].__module__} and in '
          f'{module.__name__}; rename yours'
        )
      found[name] = factory
  return found


def chain(text: str) -> Callable[[dict, Any], dict]:
  """Composes an ops string into one `fn(example, rng) -> example`.

  Args:
    text: items joined by '|', each `name` or `name(literals, key=literal)`,
      such as 'random_crop(128)|flip'; every name is one of `ops()`. An empty
      string is the identity.

  Returns:
    A function of an example (dict of arrays and 'name') and the
    np.random.Generator from which every op draws in turn. An op that fails
    raises ValueError naming the op and the picture.

  Raises:
    ValueError: not of that form, an unknown name, or wrong arguments.
  """
  steps = [(ast.unparse(item), _op(item)) for item in _items(text)]

  def fn(example, rng):
    for called, step in steps:
      try:
        result = step(example, rng)
        if not isinstance(result, dict):
          raise TypeError(f'returned {type(result).__name__}, not an example')
      except Exception as error:
        raise ValueError(
          f'{called} failed on picture {example.get("name", "?")!r}: '
          f'{type(error).__name__}: {error}'
        ) from error
      example = result
    return example

  return fn


def _items(text: str) -> list[ast.expr]:
  """The syntax trees of the items of an ops string."""
  if not text.strip():
    return []
  try:
    # An ops string reads as one Python expression, a(1) | b | c("x|y").
    tree = ast.parse(f'({text})', mode='eval').body
  except SyntaxError as error:
    raise ValueError(
      f'ops {text!r} cannot be read ({error.msg}); expected '
      "'name|name(1, key=2)|...'"
    ) from error
  items = []
  while isinstance(tree, ast.BinOp) and isinstance(tree.op, ast.BitOr):
    items.append(tree.right)  # a | b | c is (a | b) | c
    tree = tree.left
  return [tree, *reversed(items)]


def _op(item):
  """One item of an ops string -> fn(example, rng)."""
  text = ast.unparse(item)
  ops()  # What is wrong with them all is not the fault of this one.
  name = item.func if isinstance(item, ast.Call) else item
  if not isinstance(name, ast.Name):
    raise ValueError(f'op {text!r} is neither name nor name(arguments)')
  args, kwargs = [], {}
  if isinstance(item, ast.Call):
    try:
      args = [ast.literal_eval(arg) for arg in item.args]
      kwargs = {key.arg: ast.literal_eval(key.value) for key in item.keywords}
    except ValueError as error:
      raise ValueError(
        f'op {text!r}: arguments must be literals such as 3, 0.5, "text", '
        'True or (0.0, 1.0)'
      ) from error
  try:
    return _factory(name.id)(*args, **kwargs)
  except (TypeError, ValueError) as error:
    raise ValueError(f'op {text!r}: {error}') from error


def _factory(name: str) -> Callable[..., Callable]:
  """The op called `name`, or ValueError with names that come close."""
  if name in _RENAMED_OPS:
    new = _RENAMED_OPS[name]
    logging.warning('the op %s is called %s now', name, new)
    name = new
  if name not in ops():
    raise ValueError(f'no op {name!r}; {_close(name, ops())}')
  return ops()[name]


def _import(name):
  """The module, or None if it does not exist; errors within it are raised."""
  try:
    return importlib.import_module(name)
  except ModuleNotFoundError as error:
    if error.name and (name == error.name or name.startswith(error.name + '.')):
      return None
    raise


def _modules(package: str) -> Iterator[types.ModuleType]:
  """All modules below a package, in order of names."""
  root = importlib.import_module(package)
  for info in pkgutil.walk_packages(root.__path__, f'{package}.'):
    yield importlib.import_module(info.name)


def _below(package):
  """'module.function' of everything public in the modules of a package."""
  path = getattr(_import(package), '__path__', [])  # none: a plain module
  return [
    f'{info.name}.{name}'
    for info in pkgutil.iter_modules(path)
    for name in public(_import(f'{package}.{info.name}'))
  ]


def _close(name, known):
  """'did you mean ...?', or everything there is."""
  close = difflib.get_close_matches(name, known, n=3, cutoff=0.6)
  if close:
    return f'did you mean {" or ".join(close)}?'
  return f'known: {", ".join(sorted(known)) or "nothing"}'


def model(config) -> Any:
  """The linen module that `config.model` and `config.dtype` describe.

  Raises:
    ValueError: no such model, or a field that it does not have.
  """
  return _module(config.model, config.get('dtype', 'float32'), 'model')


def discriminator(config) -> Any | None:
  """The discriminator of `config.adversary`, or None if it names none."""
  if not config.adversary.name:
    return None
  return _module(config.adversary, config.dtype, 'adversary')


def module_class(name: str) -> Any:
  """The class of a model or discriminator, by its name in a config.

  Args:
    name: '<file>.<class>' in `MODEL_PACKAGES`, or 'package.module:Class' of
      another package.

  Raises:
    ValueError: there is none.
  """
  cls = get(_folder_of(name), name)
  if not hasattr(cls, '__dataclass_fields__'):
    raise ValueError(f'{name!r} is no linen module')
  return cls


def _module(described, dtype, field):
  cls = module_class(described.name)
  # A config that was read back from JSON has lists for tuples, which linen
  # fields must not be: a module is hashed to find what is compiled for it.
  fields = {
    name: tuple(value) if isinstance(value, (list, tuple)) else value
    for name, value in described.args.items()
  }
  if 'dtype' in getattr(cls, '__dataclass_fields__', ()):
    fields['dtype'] = dtype
  elif dtype != 'float32':
    raise ValueError(f'dtype={dtype!r}: {described.name} has no field dtype')
  try:
    return cls(**fields)
  except TypeError as error:
    raise ValueError(f'{field}.args of {described.name}: {error}') from error


def _folder_of(name):
  """The package of `MODEL_PACKAGES` that has the file of '<file>.<class>'."""
  file = name.partition('.')[0]
  for package in MODEL_PACKAGES:
    if file and importlib.util.find_spec(f'{package}.{file}'):
      return package
  return MODEL_PACKAGES[0]


def variables(config, channels: int = 3) -> Any:
  """What `model(config)` has: {'params', ...} of jax.ShapeDtypeStruct.

  Args:
    config: with `model`.
    channels: of the model's input, which its task knows.
  """
  return _variables(model(config), channels)


@functools.lru_cache(maxsize=64)  # a deep network takes seconds to trace
def _variables(module, channels):
  import jax  # Only where a model is; ops are looked up without it.
  import numpy as np

  side = getattr(module, 'tile', 0) or 64  # some take tiles of one size only
  return jax.eval_shape(
    module.init,
    jax.random.key(0),
    jax.ShapeDtypeStruct([1, side, side, channels], np.float32),
  )
