"""Weights to choose from, those of other programs included.

A file of artjax says in its header what it is. Of a published .pth file only
its tensors tell, so that a process of its own reads each new one once: the
server imports neither JAX nor networks.
"""

import asyncio
from collections.abc import Iterable
import contextlib
import os
import sys
from typing import Any

from artjax.web.server import choices as choices_lib
from artjax.web.server import limits as limits_lib
from artjax.web.server import worker_process


class KnownWeights:
  """The weights in some folders."""

  def __init__(
    self,
    folders: Iterable[str | os.PathLike],
    limits: limits_lib.Limits,
    scratch: str,
  ):
    """Reads nothing yet.

    Args:
      folders: of the weights; of one name the first file counts.
      limits: of the process that reads published files.
      scratch: folder of its temporary files.
    """
    self._folders = list(folders)
    self._process = worker_process.WorkerProcess(limits.run_memory, scratch)
    self._time = limits.stall_time
    self._published: dict[str, Any] = {}  # of each path, None if of no use
    self._seen: set[tuple[str, int, int]] = set()  # path, time, bytes
    self._turn = asyncio.Lock()

  def choices(self) -> list[choices_lib.Choice]:
    """All that can be chosen, as far as they are read."""
    return choices_lib.find(self._folders, self._published)

  async def refresh(self) -> None:
    """Reads the published files that are new, or have changed."""
    async with self._turn:
      stamps = {*_stamps(choices_lib.foreign(self._folders))}
      new = sorted(path for path, *_ in stamps - self._seen)
      if not new:
        return
      answer = await self._process.ask(
        {'op': 'weights', 'files': new}, self._time
      )
      await self._process.close()
      if answer['event'] != 'done':
        print(f'artjax: reading weights: {answer["reason"]}', file=sys.stderr)
      self._published |= answer.get('found', {})
      self._seen |= stamps  # what failed is not tried again and again

  async def close(self) -> None:
    """Ends the process that reads."""
    await self._process.close()


def _stamps(paths):
  """(path, time, bytes) of each file that is still there."""
  for path in paths:
    with contextlib.suppress(FileNotFoundError):
      status = path.stat()
      yield str(path), status.st_mtime_ns, status.st_size
