"""Memory of a long training.

  python tests/memory_training.py --steps=20000

Quick steps, with reports, checkpoints and evaluations, in one process. From
step `--from` on resident memory may change by 3 % at most. The last line of
stdout is JSON; the exit status is 1 where it changes by more.
"""

import argparse
import json
import os
import pathlib
import sys
import tempfile
import time

from conftest import smallest_config

from artjax import train

ALLOWED = 0.03


def resident():
  """MiB that this process has in memory now."""
  status = pathlib.Path('/proc/self/statm').read_text().split()
  return int(status[1]) * os.sysconf('SC_PAGE_SIZE') / 2**20


def main():
  """Trains; see the module."""
  parser = argparse.ArgumentParser(
    description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
  )
  parser.add_argument('--steps', type=int, default=20_000)
  parser.add_argument('--from', dest='first', type=int, default=2_000)
  parser.add_argument('--every', type=int, default=500, help='of checkpoints')
  args = parser.parse_args()
  config = smallest_config(
    steps=args.steps,
    batch_size=4,
    log_every=50,
    checkpoint_every=args.every,
    eval_every=args.every,
  )
  memory = {}

  def measure(step, metrics):
    del metrics
    if step >= args.first and step % 20 == 0:
      memory[step] = resident()
      if step % args.every == 0:
        print(f'step {step}: {memory[step]:.0f} MiB', file=sys.stderr)

  start = time.monotonic()
  with tempfile.TemporaryDirectory() as workdir:
    train(config, workdir, on_step=measure)
  first = memory[min(memory)]
  change = max(abs(m / first - 1) for m in memory.values())
  print(
    json.dumps(
      {
        'steps': args.steps,
        'resident_mib': {
          f'step_{min(memory)}': round(first, 1),
          'least_since': round(min(memory.values()), 1),
          'most_since': round(max(memory.values()), 1),
          'last': round(memory[max(memory)], 1),
        },
        'change': round(change, 4),
        'seconds': round(time.monotonic() - start),
      }
    )
  )
  sys.exit(change > ALLOWED)


if __name__ == '__main__':
  main()
