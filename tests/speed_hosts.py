"""Images a second of two hosts beside one, each on a core of its own.

  python tests/speed_hosts.py --cores=0,1

The batch is the same for all together. Rounds of both are taken in turn, for
machines are noisy, and medians compared. The last line of stdout is JSON; the
exit status is 1 where two are less than 1.6 times as fast.
"""

import argparse
import json
import os
import pathlib
import socket
import statistics
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).parent.parent
WANTED = 1.6
FIELDS = (
  '--config=nafnet:quick',
  '--config.data.loader=threads',
  '--config.data.workers=1',
  '--config.batch_size=16',
  '--config.log_every=2',
  '--config.eval_every=0',
  '--config.checkpoint_every=1000000',
)


def main():
  """Measures; see the module."""
  parser = argparse.ArgumentParser(
    description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
  )
  parser.add_argument('--cores', default='0,1', help='of the first, the second')
  parser.add_argument('--steps', type=int, default=16)
  parser.add_argument('--rounds', type=int, default=3)
  parser.add_argument(
    'override', nargs='*', metavar='--config.FIELD=VALUE', help='after --'
  )
  args = parser.parse_args()
  cores = args.cores.split(',')
  found = {1: [], 2: []}
  for i in range(args.rounds):
    for hosts, rates in found.items():
      rates.append(speed(cores[:hosts], args))
    print(f'round {i + 1}: {found}', file=sys.stderr)
  one, two = (statistics.median(rates) for rates in found.values())
  print(
    json.dumps(
      {
        'images_per_s': {'one': round(one, 2), 'two': round(two, 2)},
        'rounds': [[round(r, 2) for r in rates] for rates in found.values()],
        'speed_up': round(two / one, 3),
      }
    )
  )
  sys.exit(two < WANTED * one)


def speed(cores, args):
  """Images a second, the median of reports after the first two."""
  with socket.socket() as free:
    free.bind(('127.0.0.1', 0))
    address = f'127.0.0.1:{free.getsockname()[1]}'
  with tempfile.TemporaryDirectory() as workdir:
    processes = [
      subprocess.Popen(
        [
          *('taskset', '-c', core, sys.executable, '-m', 'artjax.main'),
          *FIELDS,
          f'--config.steps={args.steps}',
          *args.override,
          f'--workdir={workdir}',
          *(
            [
              f'--coordinator={address}',
              f'--num_processes={len(cores)}',
              f'--process_id={i}',
            ]
            if len(cores) > 1
            else []
          ),
        ],
        cwd=ROOT,
        env={**os.environ, 'PYTHONPATH': str(ROOT)},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
      )
      for i, core in enumerate(cores)
    ]
    for process in processes:
      _, err = process.communicate(timeout=1800)
      assert process.returncode == 0, err[-3000:]
    lines = pathlib.Path(workdir, 'metrics.jsonl').read_text().splitlines()
  rates = [json.loads(line)['images_per_s'] for line in lines]
  return statistics.median(rates[2:])


if __name__ == '__main__':
  main()
