"""The classes of local damage: the three channels of every damage mask."""

from collections.abc import Iterable

CLASSES = ('crack', 'loss', 'stain')

# How each is treated: what is opaque hides the paint and can only be filled,
# what is translucent lets it be seen and is restored from what shines through,
# what is thin stands either.
KINDS = {'thin': 'crack', 'opaque': 'loss', 'translucent': 'stain'}


def index(name: str) -> int:
  """The channel of a class.

  Args:
    name: one of `CLASSES`.

  Returns:
    0, 1 or 2.

  Raises:
    ValueError: no such class; the message lists them.
  """
  if name not in CLASSES:
    raise ValueError(
      f'no class of damage {name!r}; it must be one of {", ".join(CLASSES)}'
    )
  return CLASSES.index(name)


def kind(name: str) -> str:
  """The kind of that name, or of the class of that name.

  Args:
    name: one of `KINDS` or of `CLASSES`: 'thin' and 'crack' are the same.

  Raises:
    ValueError: no such kind; the message lists them.
  """
  for known, part in KINDS.items():
    if name in (known, part):
      return known
  raise ValueError(
    f'{name!r} is no kind of damage: there are '
    + ', '.join(f'{known} ({part})' for known, part in KINDS.items())
  )


def channels(kinds: Iterable[str]) -> list[int]:
  """The channels of a mask that hold damage of these kinds, of `KINDS`."""
  return [index(KINDS[name]) for name in kinds]
