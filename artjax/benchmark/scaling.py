"""What many devices would gain: an estimate from what one machine measures.

Two short runs of the training command measure the bytes that devices exchange
in a step, of the compiled program, and the seconds of a step. The rest is the
textbook's ring: each of n devices sends and receives 2 (n - 1) / n of the
bytes, within a machine and then among machines, after the step is computed.
"""

import argparse
from collections.abc import Sequence
import json
import os
import pathlib
import re
import statistics
import subprocess
import sys
import tempfile

_BYTES = {
  'f64': 8,
  'f32': 4,
  's32': 4,
  'u32': 4,
  'f16': 2,
  'bf16': 2,
  'pred': 1,
}
_SHORT = (
  '--config.eval_every=0',
  '--config.data.loader=threads',
  '--config.checkpoint_every=1000000',
)


def estimate(args: argparse.Namespace) -> dict:
  """Measures, and estimates steps on each number of `args.devices`."""
  with tempfile.TemporaryDirectory() as folder:
    exchanged = _exchanged(args, folder)
    seconds = args.step_s or _step_seconds(args, folder)
  rows = [
    {'devices': n, **on(n, seconds, exchanged, args)} for n in args.devices
  ]
  print(
    '| devices | exchange, ms | step, ms | efficiency | speed-up |\n'
    '|---|---|---|---|---|'
  )
  for row in rows:
    print(
      f'| {row["devices"]} | {1e3 * row["exchange_s"]:.1f} | '
      f'{1e3 * row["step_s"]:.0f} | {row["efficiency"]:.1%} | '
      f'{row["speed_up"]:.1f} |'
    )
  return {
    'config': args.config,
    'measured': {
      'exchanged_bytes': exchanged,
      **({} if args.step_s else {'step_s': round(seconds, 4)}),
    },
    'assumed': {
      **({'step_s': args.step_s} if args.step_s else {}),
      'devices_a_machine': args.machine,
      'machine_gb_s': args.machine_gb_s,
      'network_gb_s': args.network_gb_s,
      'latency_us': args.latency_us,
    },
    'estimated': rows,
  }


def on(
  devices: int, seconds: float, exchanged: float, args: argparse.Namespace
) -> dict[str, float]:
  """The estimate of a step on so many devices, each with its own batch.

  Args:
    devices: how many; beyond `args.machine` they are in several machines.
    seconds: a step on one device.
    exchanged: bytes that all have to sum.
    args: machine (devices in one), machine_gb_s, network_gb_s and latency_us.

  Returns:
    exchange_s, step_s, efficiency (of one device alone, in [0, 1]), speed_up.
  """
  within = min(devices, args.machine)
  machines = -(-devices // args.machine)
  exchange = sum(
    2 * (n - 1) / n * exchanged / (speed * 1e9)
    + 2 * (n - 1) * args.latency_us * 1e-6
    for n, speed in ((within, args.machine_gb_s), (machines, args.network_gb_s))
  )
  efficiency = seconds / (seconds + exchange)
  return {
    'exchange_s': round(exchange, 6),
    'step_s': round(seconds + exchange, 6),
    'efficiency': round(efficiency, 4),
    'speed_up': round(devices * efficiency, 2),
  }


def exchanged_bytes(program: str) -> int:
  """Bytes of the results of all all-reduces of a compiled program, as text."""
  total = 0
  for line in program.splitlines():
    match = re.search(r' = (.*?) all-reduce(?:-start)?\(', line)
    for kind, sides in re.findall(
      r'(\w+)\[([\d,]*)\]', match[1] if match else ''
    ):
      count = 1
      for side in filter(None, sides.split(',')):
        count *= int(side)
      total += count * _BYTES[kind]
  return total


def _exchanged(args, folder):
  """Bytes that two devices exchange in a step."""
  dump = os.path.join(folder, 'programs')
  flags = [
    '--xla_force_host_platform_device_count=2',
    f'--xla_dump_to={dump}',
    '--xla_dump_hlo_as_text',
  ]
  _train(
    args,
    os.path.join(folder, 'two'),
    ('--config.steps=1', '--config.batch_size=2'),
    {
      'JAX_PLATFORMS': 'cpu',
      'XLA_FLAGS': ' '.join(flags),
      'JAX_ENABLE_COMPILATION_CACHE': 'false',  # or it need not be compiled
    },
  )
  programs = pathlib.Path(dump).rglob('*after_optimizations.txt')
  return max(
    (exchanged_bytes(path.read_text()) for path in programs), default=0
  )


def _step_seconds(args, folder):
  """The median of a step, reports of the first steps left out."""
  workdir = os.path.join(folder, 'one')
  fields = (
    f'--config.steps={10 + args.steps}',
    '--config.log_every=5',
    *((f'--config.batch_size={args.batch}',) if args.batch else ()),
  )
  _train(args, workdir, fields, {})
  with open(os.path.join(workdir, 'metrics.jsonl')) as file:
    reports = [json.loads(line) for line in file]
  return 1 / statistics.median(r['steps_per_s'] for r in reports[2:])


def _train(args, workdir: str, fields: Sequence[str], environment):
  command = [
    sys.executable,
    '-m',
    'artjax.main',
    f'--config={args.config}',
    f'--workdir={workdir}',
    *_SHORT,
    *args.override,
    *fields,
  ]
  found = subprocess.run(
    command,
    text=True,
    capture_output=True,
    env={**os.environ, **environment},
    check=False,
  )
  if found.returncode:
    lines = found.stderr.strip().splitlines()
    raise ValueError(f'the run failed: {lines[-1] if lines else "silently"}')
