"""The server's end of a worker process, which decodes and runs networks.

Requests and answers are lines of JSON on its stdin and stdout; see worker.py.
"""

import asyncio
from collections.abc import Callable
import contextlib
import json
import os
import pathlib
import secrets
import sys
from typing import Any

from artjax.web.server import messages

ROOT = pathlib.Path(__file__).parent.parent.parent.parent


class WorkerProcess:
  """A child process that answers one request at a time."""

  def __init__(self, memory: int, scratch: str):
    """Starts nothing yet: the first request does.

    Args:
      memory: bytes that the process may take.
      scratch: folder of its temporary files.
    """
    self._memory = memory
    self._scratch = scratch
    self._process: Any = None
    self._turn = asyncio.Lock()

  @property
  def pid(self) -> int | None:
    """Process id, if it runs."""
    return self._process and self._process.pid

  async def ask(
    self,
    request: dict[str, Any],
    timeout: float,
    on_answer: Callable[[dict[str, Any]], None] = lambda answer: None,
  ) -> dict[str, Any]:
    """Sends a request and waits for its last answer.

    Args:
      request: for worker.py; gets an id if it has none.
      timeout: seconds without an answer after which the process is ended.
      on_answer: called with the answers that come before the last.

    Returns:
      {'event': 'done', 'failed' or 'cancelled', ...}; 'reason' where it failed.
    """
    request = {'id': secrets.token_hex(8), **request}
    async with self._turn:
      try:
        process = await self._start()
        process.stdin.write(json.dumps(request).encode() + b'\n')
        await process.stdin.drain()
        while True:
          # Not wait_for: before Python 3.12 it loses a cancellation that comes
          # together with the line.
          async with asyncio.timeout(timeout):
            line = await process.stdout.readline()
          if not line:
            raise ConnectionError
          answer = json.loads(line)
          if answer['event'] in ('done', 'failed', 'cancelled'):
            return answer
          on_answer(answer)
      except TimeoutError:
        await self.close()
        return {
          'event': 'failed',
          'reason': messages.Message('slow', seconds=round(timeout)),
        }
      except (ConnectionError, ValueError):
        await self.close()
        return {'event': 'failed', 'reason': messages.Message('process_ended')}
      except asyncio.CancelledError:
        # Its answer would be taken for that to the next request.
        await self.close()
        raise

  def cancel(self, key: str) -> None:
    """Asks to end a request, which is then answered with 'cancelled'."""
    if self._process and self._process.returncode is None:
      with contextlib.suppress(ConnectionError):
        self._process.stdin.write(
          json.dumps({'op': 'cancel', 'id': key}).encode() + b'\n'
        )

  async def close(self) -> None:
    """Ends the process."""
    process, self._process = self._process, None
    if process:
      with contextlib.suppress(ProcessLookupError):
        process.kill()
      process.stdin.close()
      await process.wait()

  async def _start(self) -> Any:
    if self._process and self._process.returncode is None:
      return self._process
    await self.close()
    self._process = await asyncio.create_subprocess_exec(
      sys.executable,
      '-m',
      'artjax.web.worker',
      f'--memory={self._memory}',
      stdin=asyncio.subprocess.PIPE,
      stdout=asyncio.subprocess.PIPE,
      cwd=ROOT,
      limit=1 << 20,
      start_new_session=True,
      env={
        **os.environ,
        'TMPDIR': self._scratch,
        'VIPS_WARNING': '0',
        'MALLOC_ARENA_MAX': '2',
      },
    )
    return self._process
