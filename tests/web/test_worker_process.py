"""The server's end of a child process."""

import asyncio

import pytest

from artjax.web.server import worker_process


class Stuck:
  """A child process that answers once, when it is told to, and no more."""

  def __init__(self):
    self.returncode = None
    self.line = asyncio.Future()  # that it answers
    self.stdin = self.stdout = self

  def write(self, data):
    del data

  async def drain(self):
    pass

  async def readline(self):
    if self.line.done():
      await asyncio.Event().wait()
    return await self.line

  def kill(self):
    self.returncode = -9

  def close(self):
    pass

  async def wait(self):
    return self.returncode


@pytest.mark.parametrize('turns', range(5))
def test_a_cancellation_is_never_lost(turns):
  """As the server stops while a line of progress comes in."""

  async def stop():
    child = worker_process.WorkerProcess(0, '')
    child._process = process = Stuck()
    asked = asyncio.create_task(child.ask({}, timeout=60))
    await asyncio.sleep(0.01)
    process.line.set_result(b'{"event": "progress"}\n')
    for _ in range(turns):
      await asyncio.sleep(0)
    asked.cancel()
    done, _ = await asyncio.wait({asked}, timeout=2)
    assert done and asked.cancelled()
    assert process.returncode == -9

  asyncio.run(stop())
