"""Seconds from a command to the first step of training."""

import argparse
import os
import resource
import subprocess
import sys
import tempfile
import time


def speed(args: argparse.Namespace) -> dict:
  """Seconds from launch to the first training step, cold and cached."""
  found = {}
  with tempfile.TemporaryDirectory() as folder:
    for name in ('cold', 'cached'):
      workdir = os.path.join(folder, name)
      start = time.time()
      process = subprocess.Popen(
        [
          sys.executable,
          '-m',
          'artjax.main',
          f'--config={args.config}',
          f'--workdir={workdir}',
          '--config.steps=2',
          '--config.log_every=1',
          '--config.eval_every=0',
          '--config.data.loader=threads',
          f'--config.batch_size={args.batch}',
          *args.override,
        ],
        text=True,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        env={
          **os.environ,
          'JAX_COMPILATION_CACHE_DIR': os.path.join(folder, 'cache'),
        },
      )
      metrics = os.path.join(workdir, 'metrics.jsonl')
      while process.poll() is None and not (
        os.path.exists(metrics) and os.path.getsize(metrics)
      ):
        time.sleep(0.05)
      seconds = time.time() - start
      _, errors = process.communicate()
      if process.returncode:
        sys.exit(f'the run failed: {errors.strip().splitlines()[-1:]}')
      found[f'{name}_s'] = round(seconds, 1)
      print(f'{name}: {seconds:.1f} s', flush=True)
  peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
  return {
    'config': args.config,
    'batch': args.batch,
    **found,
    'resident_mb': round(peak),
  }
