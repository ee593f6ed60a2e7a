"""Measures speed: `artjax benchmark`, from the repository."""

import sys

from artjax import environment
from artjax.benchmark import command

if __name__ == '__main__':
  environment.set_defaults()
  sys.exit(command.main())
