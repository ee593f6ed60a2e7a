"""The memory of this process and its workers."""

import multiprocessing
import pathlib
import re
import resource


def resident_mb() -> float:
  """The most memory that this process and its workers had resident, MiB."""
  workers = sum(
    int(
      re.search(
        r'VmHWM:\s*(\d+)', pathlib.Path(f'/proc/{child.pid}/status').read_text()
      )[1]
    )
    for child in multiprocessing.active_children()
  )
  own = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
  return (own + workers) / 1024
