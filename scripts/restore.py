"""Restores picture files: `artjax restore`, from the repository."""

import sys

from artjax import environment
from artjax.restoration import supervised

if __name__ == '__main__':
  environment.set_defaults()
  sys.exit(supervised.main())
