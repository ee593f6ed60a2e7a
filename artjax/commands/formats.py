"""Lists the picture formats that can be read and written on this machine.

artjax formats
"""

import argparse
from collections.abc import Sequence


def main(argv: Sequence[str] | None = None) -> int:
  """Prints a line a format; the exit status."""
  parser = argparse.ArgumentParser(
    description=__doc__, formatter_class=argparse.RawTextHelpFormatter
  )
  parser.parse_args(argv)
  from artjax.image_io import other_libraries

  rows = [('format', 'read by', 'results'), *other_libraries.abilities()]
  widths = [max(map(len, column)) for column in zip(*rows)]
  for row in rows:
    cells = (cell.ljust(width) for cell, width in zip(row, widths))
    print('  '.join(cells).rstrip())
  return 0
