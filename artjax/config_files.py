"""Configurations by name: `unet` is a file that this package ships."""

from collections.abc import Sequence
import pathlib

FOLDER = pathlib.Path(__file__).parent / 'configs'


def names() -> list[str]:
  """Names of the shipped configurations, sorted."""
  return sorted(
    path.stem for path in FOLDER.glob('*.py') if path.stem != '__init__'
  )


def resolve(spec: str) -> str:
  """`FILE.py[:VARIANT]` of a file, or of a name: `NAME[:VARIANT]`.

  Raises:
    ValueError: it is neither a file that is there nor a name.
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
  """A command line whose --config names a file.

  Raises:
    ValueError: --config names no configuration, see `resolve`.
  """
  found = list(argv)
  for i, arg in enumerate(argv):
    if arg.startswith('--config='):
      found[i] = '--config=' + resolve(arg.removeprefix('--config='))
    elif arg == '--config' and i + 1 < len(argv):
      found[i + 1] = resolve(argv[i + 1])
  return found
