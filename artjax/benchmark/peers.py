"""Measurements that alternate with those of another program.

Machines are noisy, so only ratios measured in the same call can be trusted.
"""

import argparse
from collections.abc import Callable
import json
import shlex
import statistics
import subprocess
import sys
import time


def in_turn(
  args: argparse.Namespace, runs: dict[str, Callable[[], dict]]
) -> dict:
  """Medians of several measurements, and their ratios to the peer's.

  A ratio is the peer's time divided by ours: above 1, artjax is faster.

  Args:
    args: with peer and rounds.
    runs: {name: function -> {'median_s', ...}}; the first names the device.
  """
  if args.peer:
    runs = {**runs, 'peer': lambda: peer_times(args.peer)}
  times: dict[str, list[dict]] = {name: [] for name in runs}
  for i in range(args.rounds if len(runs) > 1 else 1):
    for name, run in runs.items():
      times[name].append(run())
    print(
      f'round {i + 1}: '
      + ', '.join(
        f'{name} {found[-1]["median_s"]:.3f} s' for name, found in times.items()
      ),
      flush=True,
    )
  median = {
    name: statistics.median(t['median_s'] for t in found)
    for name, found in times.items()
  }
  result = {**times.pop('ours')[0], 'median_s': median['ours']}
  for name, found in times.items():
    result[name] = {**found[0], 'median_s': median[name]}
  if args.peer:
    result['speed_to_peer'] = {
      name: round(median['peer'] / seconds, 3)
      for name, seconds in median.items()
      if name != 'peer'
    }
  return result


def peer_times(command: str) -> dict:
  """What a peer's command prints on its last line."""
  out = subprocess.run(
    shlex.split(command), capture_output=True, text=True, check=False
  )
  if out.returncode:
    sys.exit(f'the peer failed: {command}\n{out.stderr.strip()}')
  return json.loads(out.stdout.strip().splitlines()[-1])


def timed(args: argparse.Namespace, call: Callable[[], object]) -> dict:
  """Seconds of the first call; median and minimum of the later ones."""
  times = []
  for _ in range(1 + args.warmup + args.repeats):
    start = time.perf_counter()
    call()
    times.append(time.perf_counter() - start)
  later = times[1 + args.warmup :]
  return {
    'first_s': round(times[0], 2),
    'median_s': statistics.median(later),
    'min_s': min(later),
  }
