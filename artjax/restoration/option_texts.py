"""Parses options that are not numbers, from a flag or a query."""

import argparse

from artjax import damage_classes


def kinds(text: str) -> tuple[str, ...]:
  """'thin,loss' -> ('thin', 'opaque').

  Raises:
    argparse.ArgumentTypeError: an unknown kind.
  """
  try:
    given = {damage_classes.kind(name) for name in text.split(',') if name}
  except ValueError as error:
    raise argparse.ArgumentTypeError(str(error)) from error
  return tuple(kind for kind in damage_classes.KINDS if kind in given)


def region(text: str) -> tuple[int, ...]:
  """'X,Y,W,H' -> (x, y, width, height) in px; '' -> ().

  Raises:
    argparse.ArgumentTypeError: another form.
  """
  try:
    sides = tuple(int(side) for side in text.split(',')) if text else ()
    if len(sides) not in (0, 4):
      raise ValueError
  except ValueError as error:
    raise argparse.ArgumentTypeError(
      f'{text!r} is not X,Y,W,H in whole pixels'
    ) from error
  return sides
