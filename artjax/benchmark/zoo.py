"""All weights that there are, measured on the same pictures."""

import argparse
import json
import os
import subprocess
import sys
import tempfile
from typing import Any

from artjax import tasks
from artjax.inference import catalogue

# The examples of networks that restore, and of those that enlarge.
_DAMAGE = 'structure(0.5, keep_losses=True)'
_SHRUNK = 'copy("image", "target")|downscale({scale})|keep("image", "target")'
_METRICS = ('psnr_rgb', 'psnr_y', 'ssim_y', 'lpips')


def compare(args: argparse.Namespace) -> dict[str, Any]:
  """Evaluates every network for restoring or enlarging, in a process each.

  Prints a Markdown table: one row for each of the weights, with the input of
  each scale above them.

  Raises:
    ValueError: no such weights, or an evaluation failed.
  """
  rows: list[dict[str, Any]] = []
  for entry in _chosen(args.names, args.scale):
    found = _evaluate(entry, args)
    if not any(row['scale'] == entry.scale for row in rows):
      given = {name: found['input'].get(name) for name in _METRICS}
      rows.append({'weights': 'the input', 'scale': entry.scale, **given})
    rows.append(
      {
        'weights': entry.name,
        'scale': entry.scale,
        'parameters': entry.parameters,
        **{name: found['output'][name] for name in _METRICS},
        'seconds': found['seconds'] / found['pictures'],
        'resident_mb': found['resident_mb'],
        'licence': entry.licence,
      }
    )
    print(f'{entry.name}: {found["seconds"]:.0f} s', file=sys.stderr)
  print(_table(rows))
  return {'source': args.source, 'weights': rows}


def _chosen(names, scale):
  """The entries of networks that restore, of these names or of all."""
  known = {
    entry.name: entry
    for entry in catalogue.entries()
    if not entry.problem and tasks.get(entry.task).restores
  }
  for name in names:
    if name not in known:
      raise ValueError(
        f'no weights {name!r} that restore; there are {", ".join(known)}'
      )
  chosen = [known[name] for name in names or known]
  if scale:
    chosen = [entry for entry in chosen if entry.scale == scale]
  if not chosen:
    raise ValueError(f'no weights of scale {scale} (see `artjax weights`)')
  return sorted(chosen, key=lambda entry: entry.scale)


def _evaluate(entry, args):
  """The JSON line of `artjax evaluate`, and 'resident_mb' of its process."""
  ops = args.ops or (
    _DAMAGE if entry.scale == 1 else _SHRUNK.format(scale=entry.scale)
  )
  with (
    tempfile.TemporaryFile('w+') as out,
    tempfile.TemporaryFile('w+') as errors,
  ):
    process = subprocess.Popen(
      [
        *(sys.executable, '-m', 'artjax.cli', 'evaluate'),
        f'--config={"esrgan_psnr" if entry.scale > 1 else "structure"}',
        f'--weights={entry.name}',
        f'--config.eval.source={args.source}',
        f'--config.eval.ops={ops}',
        f'--config.eval.metrics={_METRICS}',
        f'--config.eval.max_pictures={args.pictures}',
      ],
      stdout=out,
      stderr=errors,
    )
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    for file in (out, errors):
      file.seek(0)
    if process.returncode:
      last = errors.read().strip().splitlines()[-1:]
      raise ValueError(f'{entry.name}: {"".join(last)}')
    found = json.loads(out.read().splitlines()[-1])
  return {**found, 'resident_mb': round(usage.ru_maxrss / 1024)}


def _table(rows):
  """Markdown, with a dash where a row has no figure."""
  formats = {
    'weights': '{}',
    'scale': '×{}',
    'parameters': '{:,}',
    **dict.fromkeys(_METRICS[:2], '{:.2f}'),
    **dict.fromkeys(_METRICS[2:], '{:.4f}'),
    'seconds': '{:.2f}',
    'resident_mb': '{:.0f}',
    'licence': '{}',
  }
  lines = [' | '.join(formats), ' | '.join(['---'] * len(formats))]
  lines += [
    ' | '.join(
      '–' if row.get(name) is None else form.format(row[name])
      for name, form in formats.items()
    )
    for row in rows
  ]
  return '\n'.join(f'| {line} |' for line in lines)
