"""Speed of a run over many pictures: one after the other, and overlapping."""

import argparse
import io
import math
import os
import statistics
import tempfile
import time

# How many pictures are in work at the same time; see batch/turns.py.
_MODES = {'one_by_one': 1, 'overlapping': 3}


def speed(args: argparse.Namespace) -> dict:
  """Pictures a second of `artjax restore`, start excluded, in both modes.

  The modes take turns in one process, so that a change of the machine's load
  hits both. The networks are compiled before. The time of processors says what
  overlapping costs: where other programs use the cores too, more threads get a
  larger share of them.
  """
  from artjax.restoration.batch import worker as worker_lib
  from artjax.restoration.options import Options

  worker = worker_lib.load(args.weights, Options())
  speeds: dict[str, list[float]] = {mode: [] for mode in _MODES}
  costs: dict[str, list[float]] = {mode: [] for mode in _MODES}
  with tempfile.TemporaryDirectory() as folder:
    sources = _pictures(args, os.path.join(folder, 'in'))
    _restored(worker, sources[:1], os.path.join(folder, 'first'), 1)
    for i in range(args.rounds):
      for mode, at_once in _MODES.items():
        out = os.path.join(folder, f'{mode}{i}')
        start = time.process_time()
        speeds[mode].append(_restored(worker, sources, out, at_once))
        cost = (time.process_time() - start) / len(sources)
        costs[mode].append(round(cost, 3))
      ratio = speeds['overlapping'][-1] / speeds['one_by_one'][-1]
      said = ', '.join(f'{m} {speeds[m][-1]:.3f}' for m in _MODES)
      print(f'round {i + 1}: {said} pictures/s, x{ratio:.2f}', flush=True)
  ratios = [b / a for a, b in zip(*speeds.values())]
  return {
    'weights': args.weights,
    'pictures': args.pictures,
    'megapixels': args.megapixels,
    'format': args.format,
    'pictures_per_second': {
      mode: round(statistics.median(found), 4) for mode, found in speeds.items()
    },
    'processor_seconds_a_picture': {
      mode: statistics.median(found) for mode, found in costs.items()
    },
    'ratios': [round(ratio, 3) for ratio in ratios],
    'median_ratio': round(statistics.median(ratios), 3),
  }


def _pictures(args, folder):
  """Paths of new files: squares of a picture, each from another place."""
  import pyvips

  os.makedirs(folder)
  side = math.isqrt(round(args.megapixels * 1e6))
  image = pyvips.Image.new_from_file(args.picture)[:3]
  width, height = image.width, image.height
  image = image.replicate(side // width + 2, side // height + 2)
  paths = []
  for i in range(args.pictures):
    left, top = (i * length // args.pictures for length in (width, height))
    paths.append(os.path.join(folder, f'{i:04}.{args.format}'))
    image.crop(left, top, side, side).write_to_file(paths[-1])
  return paths


def _restored(worker, sources, out, at_once):
  """Restores files into a folder; returns pictures a second.

  Raises:
    ValueError: one of them has failed.
  """
  from artjax.image_io import formats
  from artjax.restoration.batch import finding
  from artjax.restoration.batch import interrupts as interrupts_lib
  from artjax.restoration.batch import journal
  from artjax.restoration.batch import outputs
  from artjax.restoration.batch import progress
  from artjax.restoration.batch import running

  items, _ = finding.find(sources, False, formats.SUFFIXES)
  outputs.plan(items, out, '{stem}{suffix}', '', outputs.Wanted())
  outcome = running.Outcome()
  with (
    interrupts_lib.Interrupts() as interrupts,
    journal.Journal(out) as log,
    progress.Progress(len(items), io.StringIO()) as bar,
  ):
    finished = journal.Finished({})
    run = running.Run(
      outcome, log, bar, interrupts, worker.settings, finished, [], True
    )
    start = time.monotonic()
    run.restore(items, worker, at_once)
    seconds = time.monotonic() - start
  for reason in outcome.failures.values():
    raise ValueError(reason)
  return len(items) / seconds
