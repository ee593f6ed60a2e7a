"""Processes that leave Ctrl-C to their parent."""

import os
import signal
import time

from artjax import worker_processes


def test_a_process_that_still_imports_leaves_an_interrupt_to_its_parent():
  with worker_processes.pool(1, time.sleep, 0) as pool:
    future = pool.submit(os.getpid)
    (process,) = pool._processes  # there is no public way to it before it runs
    os.kill(process, signal.SIGINT)
    assert future.result() == process
    assert (
      signal.SIGINT
      in pool.submit(signal.pthread_sigmask, signal.SIG_BLOCK, []).result()
    )
  assert signal.SIGINT not in signal.pthread_sigmask(signal.SIG_BLOCK, [])
