"""Serves the web page: `artjax serve`, from the repository."""

import sys

from artjax import environment
from artjax.commands import serve

if __name__ == '__main__':
  environment.set_defaults()
  sys.exit(serve.main())
