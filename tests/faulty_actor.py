"""Actors of Ray that end where the name of a picture says so."""

import os
import shutil
import signal

from restore_command import FAKE_CHAIN

from artjax.restoration.batch import worker
from artjax.restoration.batch.cluster import ray_workers

# A run of the command on Ray with actors of this module; the first argument
# names their class.
COMMAND = (
  FAKE_CHAIN
  + """
import sys
import faulty_actor
from artjax.restoration import chain
from artjax.restoration import command
from artjax.restoration.batch.cluster import ray_workers
ray_workers.Actor = getattr(faulty_actor, sys.argv[1])
if sys.argv[1] == 'Copies':
  chain.Chain = FakeChain
sys.exit(command.main(sys.argv[2:]))
"""
)


class Actor(ray_workers.Actor):
  """Restores pictures; one that is called kill* ends the process."""

  def restore(self, item, last):
    if os.path.basename(item.source).startswith('kill'):
      os.kill(os.getpid(), signal.SIGKILL)
    return super().restore(item, last)


class Copies(Actor):
  """As `Actor`, but pictures are copied, which needs no network."""

  def __init__(self, job):
    self._problem, self._worker = '', _Copying(job)


class _Copying(worker.Worker):
  def __init__(self, job):
    self.settings = job.settings

  def _restore(self, item, on_tiles, turn):
    shutil.copyfile(item.source, item.outputs['picture'])
    return {'notices': [], 'tiling': []}
