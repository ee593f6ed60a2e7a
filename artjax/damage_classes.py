"""The classes of local damage: the three channels of every damage mask."""

CLASSES = ('crack', 'loss', 'stain')


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
