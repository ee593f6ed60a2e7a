"""Lists the available weights: task, scale, parameters, licence.

  artjax weights
  artjax weights --json

These are the shipped weights and those in your own folder, $ARTJAX_WEIGHTS or
~/.local/share/artjax/weights, where `artjax fetch-weights` and `artjax
import-weights` write. --weights takes the name of a file there, without its
suffix: files of artjax or of published networks (.pth, .pt, .ckpt,
.safetensors, .npz).
"""

import argparse
from collections.abc import Sequence
import dataclasses
import json
import sys

_COLUMNS = ('name', 'task', 'scale', 'parameters', 'model', 'licence')


def main(argv: Sequence[str] | None = None) -> int:
  """Prints a line for each file; the exit status is 1 if one is unusable."""
  parser = argparse.ArgumentParser(
    description=__doc__, formatter_class=argparse.RawTextHelpFormatter
  )
  parser.add_argument(
    '--json',
    action='store_true',
    help='one JSON object per line, with all fields',
  )
  args = parser.parse_args(argv)
  from artjax.inference import catalogue
  from artjax.inference import weights

  try:
    entries = list(catalogue.entries())
  except ValueError as error:
    sys.exit(f'artjax weights: {error}')
  if args.json:
    for entry in entries:
      print(json.dumps(dataclasses.asdict(entry)))
  else:
    _print_table([_cells(entry) for entry in entries])
    print(f'\nYour own folder: {weights.user_folder()}')
  return int(any(entry.problem for entry in entries))


def _cells(entry):
  """A row of the table."""
  if entry.problem:
    return entry.name, f'cannot be used: {entry.problem}'
  return (
    entry.name,
    entry.task,
    f'x{entry.scale}',
    f'{entry.parameters:,}',
    entry.model,
    entry.licence,
  )


def _print_table(rows):
  """Aligned columns; the text of a problem takes the rest of its line."""
  rows = [_COLUMNS, *rows]
  whole = [row for row in rows if len(row) == len(_COLUMNS)]
  widths = [max(map(len, column)) for column in zip(*whole)]
  widths[0] = max(len(row[0]) for row in rows)
  for row in rows:
    cells = [
      cell.rjust(width) if title == 'parameters' else cell.ljust(width)
      for title, cell, width in zip(_COLUMNS, row, widths)
    ]
    print('  '.join(cells).rstrip())
