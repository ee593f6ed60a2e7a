"""Prepares training data: `artjax prepare-data`, from the repository."""

import sys

from artjax import environment
from artjax.commands import prepare_data

if __name__ == '__main__':
  environment.set_defaults()
  sys.exit(prepare_data.main())
