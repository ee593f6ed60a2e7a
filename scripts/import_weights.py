"""Reads published weights: `artjax import-weights`, from the repository."""

import sys

from artjax import environment
from artjax.commands import import_weights

if __name__ == '__main__':
  environment.set_defaults()
  sys.exit(import_weights.main())
