"""Memory use of this process and its workers."""

import multiprocessing
import pathlib
import re
import resource


def resident_mb() -> float:
  """Peak resident memory of this process and its workers, MiB."""
  workers = 0
  for child in multiprocessing.active_children():
    status = pathlib.Path(f'/proc/{child.pid}/status').read_text()
    workers += int(re.findall(r'VmHWM:\s*(\d+)', status)[0])
  own = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
  return (own + workers) / 1024
