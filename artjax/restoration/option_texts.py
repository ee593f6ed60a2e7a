"""Parses the texts of options, from a flag or a query."""

import argparse
from typing import Any

from artjax import damage_classes

_TRUE, _FALSE = ('1', 'true', 'yes', 'on'), ('0', 'false', 'no', 'off', '')


def value(name: str, kind: Any, text: str) -> Any:
  """The text of a bool, a number or a name.

  Raises:
    ValueError: it is none; one line that begins with `name`.
  """
  if kind is bool:
    if text.lower() not in _TRUE + _FALSE:
      raise ValueError(f'{name}={text!r} is neither true nor false')
    return text.lower() in _TRUE
  try:
    return kind(text)
  except ValueError as error:
    wanted = 'a whole number' if kind is int else 'a number'
    raise ValueError(f'{name}={text!r} is not {wanted}') from error


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
