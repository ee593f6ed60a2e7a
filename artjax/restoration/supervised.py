"""Runs `artjax restore` in a process of its own, which may crash.

A damaged file can crash the libraries that decode it. That costs one picture:
it has failed, and another process restores the others. Where several pictures
were in work, it first tries each of them alone.
"""

from collections.abc import Sequence
import contextlib
import os
import signal
import subprocess
import sys
import tempfile
import threading

from artjax.restoration import command
from artjax.restoration.batch import arguments
from artjax.restoration.batch import steps as steps_lib
from artjax.restoration.batch import streams

# Tell the child the file of steps, and a pipe that ends with its parent.
_STEPS, _PIPE = 'ARTJAX_RESTORE_STEPS', 'ARTJAX_RESTORE_PIPE'
_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def main(argv: Sequence[str] | None = None) -> int:
  """Restores the pictures of the command line; returns the exit status."""
  argv = [*(sys.argv[1:] if argv is None else argv)]
  path = os.environ.pop(_STEPS, '')
  if path:
    pipe = int(os.environ.pop(_PIPE))
    threading.Thread(target=_end_with, args=[pipe], daemon=True).start()
    with contextlib.closing(steps_lib.Steps(path)) as steps:
      return command.main(argv, steps)
  args, _ = arguments.parse(argv)  # what is wrong with it is said at once
  once = any(map(streams.is_stream, (*args.pictures, args.mask, args.hints)))
  with tempfile.TemporaryDirectory(prefix='artjax_') as folder:
    path = os.path.join(folder, 'steps.jsonl')
    child = _Child()
    while True:
      status = child.run(argv, path)
      if status >= 0:
        return status
      name = signal.Signals(-status).name
      steps = steps_lib.Steps(path)
      if once or child.was_asked_to_end or not steps.begun:
        print(f'artjax restore: ended by {name}', file=sys.stderr)
        return 128 - status
      if len(steps.begun) == 1:
        [crashed] = steps.begun
        reason = f'{crashed}: it crashed the process that read it ({name})'
        steps.end(crashed, 'crashed', reason)
      for picture in steps.begun:
        steps.end(picture, 'suspected')
      steps.close()


class _Child:
  """The process that restores; signals are passed on to it."""

  def __init__(self):
    self.was_asked_to_end = False
    self._process = None

  def run(self, argv, path):
    """Its exit status; negative = the number of the signal that ended it."""
    before = {
      number: signal.signal(number, self._pass_on)
      for number in _SIGNALS
      if signal.getsignal(number) is not signal.SIG_IGN  # nohup
    }
    pipe, end = os.pipe()
    try:
      self._process = subprocess.Popen(
        [*_command(), *argv],
        pass_fds=[pipe],
        env={
          **os.environ,
          _STEPS: path,
          _PIPE: str(pipe),
          'PYTHONPATH': os.pathsep.join(p or os.getcwd() for p in sys.path),
        },
      )
      return self._process.wait()
    finally:
      os.close(pipe)
      os.close(end)
      for number, handler in before.items():
        signal.signal(number, handler)

  def _pass_on(self, number, frame):
    del frame
    self.was_asked_to_end = True
    if self._process is not None:
      self._process.send_signal(number)


def _command():
  return [sys.executable, '-P', '-m', 'artjax.cli', 'restore']


def _end_with(pipe):
  """Ends this process, cleanly, once its parent and so the pipe has ended."""
  os.read(pipe, 1)
  os.kill(os.getpid(), signal.SIGTERM)
