"""SIGTERM and SIGINT as a wish to end after the current step."""

import signal
import sys


class StopSignals:
  """Context in which SIGTERM and SIGINT only ask the loop to end.

  `.name` is None until one came, then its name. Outside the main thread, where
  Python allows no handlers, signals keep their usual meaning.
  """

  def __init__(self):
    self.name = None
    self._old = {}

  def _note(self, number, frame):
    del frame
    self.name = signal.Signals(number).name
    print(f'{self.name}: ending after this step', file=sys.stderr)

  def __enter__(self):
    try:
      for number in (signal.SIGTERM, signal.SIGINT):
        self._old[number] = signal.signal(number, self._note)
    except ValueError:  # Not the main thread.
      pass
    return self

  def __exit__(self, *exc):
    for number, handler in self._old.items():
      signal.signal(number, handler)
