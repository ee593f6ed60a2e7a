"""Environment variables that libraries read when they start.

Every command calls `set_defaults` before it imports JAX, libvips or TensorFlow.
Variables that the user has set are kept.
"""

import os
import pathlib


def cache() -> pathlib.Path:
  """The folder of caches, which may be deleted at any time."""
  base = os.environ.get('XDG_CACHE_HOME') or pathlib.Path.home() / '.cache'
  return pathlib.Path(base, 'artjax')


def set_defaults() -> None:
  """Sets what is not set yet; without effect on what is imported already."""
  for name, value in {
    # Compiled networks are kept from one call to the next.
    'JAX_COMPILATION_CACHE_DIR': str(cache() / 'xla'),
    # libvips' warnings name no file; what matters is raised.
    'VIPS_WARNING': '0',
    # TensorFlow reports on the machine at length.
    'TF_CPP_MIN_LOG_LEVEL': '3',
    'TF_ENABLE_ONEDNN_OPTS': '0',
  }.items():
    os.environ.setdefault(name, value)
