"""What donating the training state to a step saves, with two processes.

  python tests/speed_donation.py --state_mb=256

Both processes run steps that change every number of a state, with and without
donation. The last line of stdout is JSON: the median seconds of a step and the
peak of resident memory of a process, each with and without.
"""

import argparse
import json
import os
import pathlib
import socket
import subprocess
import sys

ROOT = pathlib.Path(__file__).parent.parent
CODE = """
import json, resource, statistics, sys, time
import jax, jax.numpy as jnp, numpy as np
from artjax.training import distributed
from artjax.training.hosts import joining
index, address, donated, mb, steps = sys.argv[1:]
joining.join(address, 2, int(index))
pmap = jax.pmap
if donated == 'without':
  jax.pmap = lambda step, *, donate_argnums, **how: pmap(step, **how)

def step(state, batch, frozen):
  move = distributed.mean(batch.mean())
  return jax.tree.map(lambda x: 0.999 * x + move, state), {'loss': move}

run = distributed.map_step(step)
state = distributed.replicate({'w': jnp.ones([int(mb) * 2**18])})
batch = np.ones([jax.local_device_count(), 8], np.float32)
distributed.ready(run, state, batch, {})
seconds = []
for _ in range(int(steps)):
  start = time.perf_counter()
  state, metrics = run(state, batch, {})
  jax.block_until_ready((state, metrics))
  seconds.append(time.perf_counter() - start)
peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
seconds = statistics.median(seconds)
print(json.dumps({'step_s': seconds, 'peak_mb': peak / 1024}))
"""


def measure(donated: str, args: argparse.Namespace) -> dict:
  """What the first of two processes measures; 'with' or 'without'."""
  with socket.socket() as free:
    free.bind(('127.0.0.1', 0))
    address = f'127.0.0.1:{free.getsockname()[1]}'
  given = address, donated, str(args.state_mb), str(args.steps)
  processes = [
    subprocess.Popen(
      [sys.executable, '-c', CODE, str(i), *given],
      env={**os.environ, 'PYTHONPATH': str(ROOT)},
      stdout=subprocess.PIPE,
      stderr=subprocess.PIPE,
      text=True,
    )
    for i in range(2)
  ]
  try:
    found = [process.communicate(timeout=1800) for process in processes]
  finally:
    for process in processes:
      process.kill()
  out, err = found[0]
  assert processes[0].returncode == 0, err[-3000:]
  return json.loads(out.splitlines()[-1])


def main() -> None:
  """Measures; see the module."""
  parser = argparse.ArgumentParser(
    description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
  )
  parser.add_argument('--state_mb', type=int, default=256)
  parser.add_argument('--steps', type=int, default=20)
  args = parser.parse_args()
  print(json.dumps({name: measure(name, args) for name in ('with', 'without')}))


if __name__ == '__main__':
  main()
