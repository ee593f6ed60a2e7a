"""What a training waits for: its start, a step, evaluations, checkpoints."""

import argparse
import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time


def speed(args: argparse.Namespace) -> dict:
  """Seconds from launch to the first step, of a step and of the pauses.

  The first step is timed twice: without and with compiled programs of an
  earlier run. A third run of `args.steps` steps saves and evaluates twice.
  """
  with tempfile.TemporaryDirectory() as folder:
    found = {}
    for name in ('cold', 'cached'):
      found[f'{name}_s'] = round(_first_step(args, folder, name), 1)
      print(f'{name}: {found[f"{name}_s"]} s', flush=True)
    found |= _pauses(args, folder)
  peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
  return {
    'config': args.config,
    'batch': args.batch,
    **found,
    'resident_mb': round(peak),
  }


def _first_step(args, folder, name):
  """Seconds from launch to the first step."""
  start = time.time()
  process, reports = _train(args, folder, name, steps=2, log_every=1)
  while process.poll() is None and not (
    os.path.exists(reports) and os.path.getsize(reports)
  ):
    time.sleep(0.05)
  seconds = time.time() - start
  _result(process)
  return seconds


def _pauses(args, folder):
  """Seconds of a step (median), an evaluation and a checkpoint (means)."""
  half = args.steps // 2
  process, reports = _train(
    args,
    folder,
    'whole',
    steps=2 * half,
    log_every=max(1, half // 5),
    checkpoint_every=half,
    eval_every=half,
  )
  pauses = _result(process)['pauses_s']
  with open(reports) as file:
    rates = [json.loads(line).get('steps_per_s') for line in file]
  # The first report has the time of compiling.
  step = 1 / statistics.median([rate for rate in rates if rate][1:])
  return {
    'step_s': round(step, 4),
    'evaluation_s': pauses['evaluation'],
    'checkpoint_s': pauses['checkpoint'],
  }


def _train(args, folder, name, **fields):
  """(a training that was started, the path of its reports)."""
  workdir = os.path.join(folder, name)
  fields = {'eval_every': 0, 'data.loader': 'threads'} | fields
  process = subprocess.Popen(
    [
      *(sys.executable, '-m', 'artjax.main', f'--config={args.config}'),
      f'--workdir={workdir}',
      f'--config.batch_size={args.batch}',
      *(f'--config.{field}={value}' for field, value in fields.items()),
      *args.override,
    ],
    text=True,
    stdout=subprocess.PIPE,
    stderr=subprocess.PIPE,
    env={
      **os.environ,
      'JAX_COMPILATION_CACHE_DIR': os.path.join(folder, 'cache'),
    },
  )
  return process, os.path.join(workdir, 'metrics.jsonl')


def _result(process):
  """What a training prints at its end."""
  out, errors = process.communicate()
  if process.returncode:
    lines = errors.strip().splitlines() or ['silently']
    raise ValueError(f'the run failed: {lines[-1]}')
  return json.loads(out.splitlines()[-1])
