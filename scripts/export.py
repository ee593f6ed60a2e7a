"""Writes weights for others: `artjax export`, from the repository."""

import sys

from artjax import environment
from artjax.commands import export

if __name__ == '__main__':
  environment.set_defaults()
  sys.exit(export.main())
