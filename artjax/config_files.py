"""Configurations by name, and fields set on the command line.

`unet` is a file that this package ships. Besides the fields of a configuration,
every field of its model's class can be set: --config.model.args.NAME=VALUE.
"""

import ast
from collections.abc import Sequence
import dataclasses
import difflib
import pathlib
import runpy
from typing import Any

import ml_collections

from artjax import registry

Fields = dict[str, Any]  # {'model.args.width': 16}
FOLDER = pathlib.Path(__file__).parent / 'configs'


def names() -> list[str]:
  """Names of the shipped configurations, sorted."""
  return sorted(
    path.stem for path in FOLDER.glob('*.py') if path.stem != '__init__'
  )


def resolve(spec: str) -> str:
  """Turns the name of a configuration, or a file, into `FILE.py[:VARIANT]`.

  Raises:
    ValueError: it is neither an existing file nor a known name.
  """
  name, colon, variant = spec.partition(':')
  if pathlib.Path(name).is_file():
    return spec
  if name not in names():
    raise ValueError(
      f'--config={spec}: no file {name}, and no configuration of that name; '
      f'there are {", ".join(names())}'
    )
  return f'{FOLDER / name}.py{colon}{variant}'


def resolve_flags(argv: Sequence[str]) -> list[str]:
  """A command line whose --config is a file and which sets each field once.

  If a field is given twice the last value counts, also for tuples.

  Raises:
    ValueError: --config names no configuration, see `resolve`.
  """
  found = list(argv)
  for i, arg in enumerate(argv):
    if arg.startswith('--config='):
      found[i] = '--config=' + resolve(arg.removeprefix('--config='))
    elif arg == '--config' and i + 1 < len(argv):
      found[i + 1] = resolve(argv[i + 1])
  last = {arg.partition('=')[0]: i for i, arg in enumerate(found)}
  return [
    arg
    for i, arg in enumerate(found)
    if not (arg.startswith('--config.') and '=' in arg)
    or last[arg.partition('=')[0]] == i
  ]


def take_module_fields(argv: Sequence[str]) -> tuple[list[str], Fields]:
  """Removes fields of modules, which no config lists, from a command line.

  Args:
    argv: of `resolve_flags`.

  Returns:
    (the rest of the command line, the fields that were removed).

  Raises:
    ValueError: the module has no such field, or of another type.
  """
  given = {
    arg[9:].partition('=')[0]: arg.partition('=')[2]
    for arg in argv
    if arg.startswith('--config.')
  }
  config = None
  taken: Fields = {}
  for field, text in given.items():
    part, middle, name = field.partition('.args.')
    if part not in ('model', 'adversary') or not middle or '.' in name:
      continue
    config = config or _config(argv)
    if name not in config[part].args:
      module = given.get(f'{part}.name', config[part].name)
      taken[field] = _value(module, field, name, text)
  rest = [a for a in argv if a[9:].partition('=')[0] not in taken]
  return rest, taken


def set_fields(config: ml_collections.ConfigDict, fields: Fields) -> None:
  """Sets fields that a configuration may lack; in place."""
  with config.unlocked():
    for field, value in fields.items():
      *parents, name = field.split('.')
      part = config
      for parent in parents:
        part = part[parent]
      part[name] = value


def _config(argv):
  """The configuration that a command line names, without its overrides."""
  named = [arg[9:] for arg in argv if arg.startswith('--config=')]
  if not named:
    raise ValueError('--config=NAME comes before its fields')
  path, colon, variant = named[-1].partition(':')
  return runpy.run_path(path)['get_config'](*[variant] if colon else [])


def _value(module, field, name, text):
  """What a text says of a field of a module."""
  cls = registry.module_class(module)
  known = {f.name: f.default for f in dataclasses.fields(cls) if f.init}
  known = {n: d for n, d in known.items() if n not in ('parent', 'name')}
  if name not in known:
    close = difflib.get_close_matches(name, known, 1)
    raise ValueError(
      f'no field --config.{field}: {module} has {", ".join(known)}'
      + (f'; did you mean {close[0]}?' if close else '')
    )
  try:
    value = ast.literal_eval(text.capitalize() if text in _BOOL else text)
  except (ValueError, SyntaxError):
    value = text
  default = known[name]
  if isinstance(default, float) and type(value) is int:
    value = float(value)
  if isinstance(default, (bool, int, float, str, tuple)) and (
    type(value) is not type(default)
  ):
    raise ValueError(
      f'--config.{field}={text} is no {type(default).__name__}, which the '
      f'field of {module} is'
    )
  return value


_BOOL = ('true', 'false')
