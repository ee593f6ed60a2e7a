#!/usr/bin/env python3
"""Trains a configuration with every combination of some fields' values.

  python scripts/sweep.py unet --set optimizer.learning_rate=1e-4,4e-4 \
      --set losses.ssim=0,0.1 --workdir=runs/sweep --jobs=1 \
      -- --config.data.source=folder:paintings/

Each run has a folder below --workdir, named by its values; what comes after
`--` goes to all of them. --jobs is how many run at a time on this machine, or
`slurm`: then each is a job of sbatch, with --sbatch='--gpus=1 --time=8:00:00'.
A table of the results ends the sweep, and is written to <workdir>/table.md.
The same command again goes on with what has not ended.
"""

import argparse
import concurrent.futures
import itertools
import json
import pathlib
import shlex
import shutil
import subprocess
import sys

from artjax import atomic_files

Values = dict[str, str]  # by field


def main() -> int:
  """Runs the sweep; the exit status is that of the worst run."""
  args = parse(sys.argv[1:])
  runs = combinations(args.set)
  root = pathlib.Path(args.workdir)
  workers = len(runs) if args.jobs == 'slurm' else int(args.jobs)
  with concurrent.futures.ThreadPoolExecutor(workers) as pool:
    results = list(pool.map(lambda values: run(args, root, values), runs))
  text = table(runs, results)
  atomic_files.write_text(root / 'table.md', text)
  print(text, end='')
  return int(any('error' in result for result in results))


def parse(argv):
  """The arguments; a mistake ends the command with one line."""
  place = argv.index('--') if '--' in argv else len(argv)
  parser = argparse.ArgumentParser(
    description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
  )
  parser.add_argument('config', help='a name in configs/, or a file')
  parser.add_argument(
    '--set', action='append', required=True, metavar='FIELD=A,B', help='repeat'
  )
  parser.add_argument('--workdir', default='runs/sweep')
  parser.add_argument('--jobs', default='1', metavar='N|slurm')
  parser.add_argument('--sbatch', default='', help='options of sbatch')
  args = parser.parse_args(argv[:place])
  if args.jobs != 'slurm' and not (args.jobs.isdigit() and int(args.jobs)):
    parser.error(f'--jobs={args.jobs} is neither a number above 0 nor slurm')
  if args.jobs == 'slurm' and not shutil.which('sbatch'):
    parser.error('--jobs=slurm: there is no sbatch here; --jobs=1 needs none')
  fields = []
  for text in args.set:
    field, _, values = text.partition('=')
    if not field or not values:
      parser.error(f'--set {text}: expected FIELD=VALUE,VALUE')
    if field in fields or len(set(split(values))) < len(split(values)):
      parser.error(f'--set {text}: its field or a value is there twice')
    fields.append(field)
  try:
    pathlib.Path(args.workdir).mkdir(parents=True, exist_ok=True)
  except OSError as error:
    parser.error(f'--workdir={args.workdir} cannot be used: {error.strerror}')
  args.rest = argv[place + 1 :]
  return args


def combinations(sets: list[str]) -> list[Values]:
  """Every choice of one value a field, the last field changing fastest."""
  fields = [text.partition('=')[0] for text in sets]
  choices = [split(text.partition('=')[2]) for text in sets]
  return [dict(zip(fields, chosen)) for chosen in itertools.product(*choices)]


def split(text: str) -> list[str]:
  """Values between commas that are in no brackets and no quotes."""
  values, depth, quote = [''], 0, ''
  for char in text:
    if quote:
      quote = '' if char == quote else quote
    elif char in '"\'':
      quote = char
    else:
      depth += (char in '([{') - (char in ')]}')
    if char == ',' and not depth and not quote:
      values.append('')
    else:
      values[-1] += char
  return values


def run(args, root: pathlib.Path, values: Values) -> dict:
  """The result of one run: the JSON of its last line, or {'error': why}."""
  name = ','.join(f'{field}={value}' for field, value in values.items())
  folder = root / ''.join(
    c if c.isalnum() or c in '=,.-_' else '_' for c in name
  )
  folder.mkdir(parents=True, exist_ok=True)
  command = [
    *(sys.executable, '-m', 'artjax.main', f'--config={args.config}'),
    f'--workdir={folder}',
    *(f'--config.{field}={value}' for field, value in values.items()),
    *args.rest,
  ]
  print(f'begins: {name}', file=sys.stderr)
  out, err = folder / 'stdout.txt', folder / 'stderr.txt'
  if args.jobs == 'slurm':
    command = [
      *('sbatch', '--wait', f'--output={out}', f'--error={err}'),
      *(f'--job-name={folder.name}', *shlex.split(args.sbatch)),
      f'--wrap={shlex.join(command)}',
    ]
    status = subprocess.run(command).returncode
  else:
    with out.open('w') as stdout, err.open('w') as stderr:
      status = subprocess.run(command, stdout=stdout, stderr=stderr).returncode
  lines = out.read_text().splitlines() if out.exists() else []
  if status or not lines:
    said = err.read_text().strip().splitlines() if err.exists() else []
    result = {'error': said[-1] if said else f'exit status {status}'}
  else:
    result = json.loads(lines[-1])
  print(f'ended: {name}', file=sys.stderr)
  return result


def table(runs: list[Values], results: list[dict]) -> str:
  """A row of markdown for each run: its values, its loss, its figures."""
  figures = [(r.get('eval') or {}).get('output') or {} for r in results]
  names = list(dict.fromkeys(name for found in figures for name in found))
  head = [*runs[0], 'step', 'loss', *names]
  lines = [f'| {" | ".join(head)} |', '|---' * len(head) + '|']
  for values, result, found in zip(runs, results, figures):
    cells = [*values.values()]
    if 'error' in result:
      cells += [result['error'].replace('|', '/'), *[''] * (len(names) + 1)]
    else:
      cells += [str(result['step']), number(result['loss'])]
      cells += [number(found.get(name)) for name in names]
    lines.append(f'| {" | ".join(cells)} |')
  return '\n'.join(lines) + '\n'


def number(value: float | None) -> str:
  """Four decimals, '-' where there is none."""
  return '-' if value is None else f'{value:.4f}'


if __name__ == '__main__':
  sys.exit(main())
