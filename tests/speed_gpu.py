"""One GPU against its targets, beside PyTorch, in ten minutes.

  python tests/speed_gpu.py --rrdb_peer='python peer_torch.py'
  python tests/speed_gpu.py --tiny    # on any machine: whether it runs

A training step of RRDBNet and of NAFNet and RRDBNet's x4 of 480 x 640 px, in
bfloat16, and the seconds from launch to the first step. Each row is a command
of `artjax benchmark`, which is printed. The peers run in turn with it:
channels-last, with autocast, compiled. That of RRDBNet is a command that takes
--model, --mode, --size, --batch, --dtype, --blocks, --channels_last and
--compile; that of NAFNet is torch_nafnet.py. Without torch there are no peers,
and this is said. The last line of stdout is JSON; the exit status is 1 where a
target is missed or a command fails.
"""

import argparse
import functools
import importlib.util
import json
import os
import pathlib
import shlex
import subprocess
import sys
from typing import NamedTuple

ROOT = pathlib.Path(__file__).parent.parent
FASTER = 1.3  # than the peer, at least


# What is measured: RRDBNet's blocks, NAFNet's fields, input sizes and batches.
FULL = {
  'blocks': 23,
  'nafnet': {
    'width': 32,
    'enc_blocks': (2, 2, 4, 8),
    'middle_blocks': 12,
    'dec_blocks': (2, 2, 2, 2),
  },
  'rrdb_step': ('64x64', 16),
  'nafnet_step': ('128x128', 32),
  'rrdb_picture': ('480x640', 1),
  'launch': ('esrgan_psnr', 16),
}
TINY = {
  'blocks': 1,
  'nafnet': {
    'width': 4,
    'enc_blocks': (1, 1),
    'middle_blocks': 1,
    'dec_blocks': (1, 1),
  },
  'rrdb_step': ('16x16', 1),
  'nafnet_step': ('32x32', 1),
  'rrdb_picture': ('16x24', 1),
  'launch': ('esrgan_psnr:quick', 1),
}


class Row(NamedTuple):
  """What is measured, and what it has to reach."""

  name: str
  command: list[str]  # of `artjax benchmark`
  limit: int  # s, of the command
  peer: str = ''  # a command
  value: str = 'median_s'  # of its JSON
  most: float = float('inf')  # s


def rows(args: argparse.Namespace) -> list[Row]:
  """All rows, with small networks and pictures where `args.tiny` says so."""
  sizes = TINY if args.tiny else FULL
  blocks = sizes['blocks']
  rrdb = args.rrdb_peer and (
    f'{args.rrdb_peer} --model=rrdb --blocks={blocks} --channels_last'
  )
  nafnet = ''
  if importlib.util.find_spec('torch'):
    fields = {
      k: list(v) if isinstance(v, tuple) else v
      for k, v in sizes['nafnet'].items()
    }
    nafnet = shlex.join(
      [
        sys.executable,
        str(ROOT / 'tests' / 'torch_nafnet.py'),
        *(f'--{name}={value}' for name, value in fields.items()),
      ]
    )
  config, batch = sizes['launch']
  of = functools.partial(_network, tiny=args.tiny)
  return [
    of('rrdb.RRDBNet', {'blocks': blocks}, 'step', sizes['rrdb_step'], rrdb),
    of('nafnet.NAFNet', sizes['nafnet'], 'step', sizes['nafnet_step'], nafnet),
    of(
      'rrdb.RRDBNet',
      {'blocks': blocks},
      'infer',
      sizes['rrdb_picture'],
      rrdb,
      most=1 / 28,
    ),
    Row(
      'launch to first step',
      [
        *('launch', f'--config={config}', f'--batch={batch}', '--'),
        *('--config.data.source=sample', '--config.dtype=bfloat16'),
      ],
      limit=120,
      value='cold_s',
      most=20,
    ),
  ]


def _network(name, fields, what, size, peer, *, tiny, most=float('inf')):
  """The row of a network: a training step, or a picture."""
  size, batch = size
  both = [
    *(f'--size={size}', f'--batch={batch}', '--dtype=bfloat16'),
    *(['--warmup=1', '--repeats=2'] if tiny else []),
  ]
  if peer:
    mode = '--mode=train' if what == 'step' else '--mode=infer'
    compiled = [] if tiny else ['--compile']
    peer = f'{peer} {shlex.join([mode, *both, *compiled])}'
  return Row(
    f'{name} {what} {size}',
    [what, f'--model={name}', f'--fields={fields}', '--rounds=2', *both],
    limit=160,
    peer=peer,
    most=most,
  )


def measure(row: Row, limit: int | None) -> dict:
  """What a row's command prints within `limit` s, or {'error': why}."""
  command = [sys.executable, '-m', 'artjax.cli', 'benchmark', *row.command]
  if row.peer:
    command.append(f'--peer={row.peer}')
  print(f'$ {shlex.join(command)}', file=sys.stderr, flush=True)
  try:
    done = subprocess.run(
      command,
      cwd=ROOT,
      env={
        **os.environ,
        'PYTHONPATH': str(ROOT),
        # The peer has to find room on the same GPU.
        'XLA_PYTHON_CLIENT_PREALLOCATE': 'false',
      },
      capture_output=True,
      text=True,
      timeout=limit,
    )
  except subprocess.TimeoutExpired:
    return {'error': f'not done within {limit} s'}
  if done.returncode:
    return {'error': (done.stderr.strip().splitlines() or ['silent'])[-1]}
  return json.loads(done.stdout.splitlines()[-1])


def judged(row: Row, found: dict) -> dict:
  """{row, s, ratio, reached} of a measurement."""
  if 'error' in found:
    return {'row': row.name, **found, 'reached': False}
  seconds = found[row.value]
  ratio = found.get('speed_to_peer', {}).get('ours')
  return {
    'row': row.name,
    's': round(seconds, 5),
    'peer_s': found.get('peer', {}).get('median_s'),
    'ratio': ratio,
    'reached': seconds <= row.most and (ratio is None or ratio >= FASTER),
  }


def main() -> None:
  """Measures; see the module."""
  parser = argparse.ArgumentParser(
    description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
  )
  parser.add_argument('--rrdb_peer', default='', help='a command')
  parser.add_argument('--tiny', action='store_true')
  args = parser.parse_args()
  results = []
  print('| row | s | peer, s | ratio |\n|---|---|---|---|')
  for row in rows(args):
    results.append(judged(row, measure(row, None if args.tiny else row.limit)))
    cells = [results[-1].get(key) for key in ('s', 'peer_s', 'ratio')]
    said = ' | '.join('-' if c is None else f'{c:.4g}' for c in cells)
    print(f'| {row.name} | {results[-1].get("error", said)} |', flush=True)
    if not row.peer and row.value == 'median_s':
      print(f'no peer of {row.name}: no ratio', file=sys.stderr)
  print(json.dumps({'tiny': args.tiny, 'rows': results}))
  missed = [r for r in results if not r['reached']]
  # Tiny networks on a CPU have nothing to reach.
  sys.exit(bool([r for r in missed if 'error' in r] if args.tiny else missed))


if __name__ == '__main__':
  main()
