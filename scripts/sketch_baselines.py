"""Prints what a network makes of sketches beside what needs no network.

  python scripts/sketch_baselines.py --train=pairs:train/photo,train/sketch \
      --val=pairs:val/photo,val/sketch --weights=runs/faces --output=runs/table

For aligned pairs of one size. The baselines are the sketch itself, the
photograph of the training pair with the most similar sketch, and a ridge
regression of the photograph's pixels on the principal components of the sketch.
"""

import argparse
import json
import os
import sys

import numpy as np

METRICS = ('ssim_rgb', 'ssim_y', 'lpips', 'gms_y')
_SHARES = 1.0, 3.0, 10.0, 30.0  # penalties to choose from, see Ridge
_LUMA = np.float32([0.299, 0.587, 0.114])


def pairs(spec):
  """(sketches, photographs) u8[N, H, W, 3] of a source, all of one size."""
  from artjax.data import sources

  source = sources.load(spec)
  found = [source[i] for i in range(len(source))]
  if 'target' not in found[0]:
    raise ValueError(f'{spec}: name pairs:PHOTOGRAPHS,SKETCHES')
  shapes = {
    example[key].shape for example in found for key in ('image', 'target')
  }
  if len(shapes) > 1:
    raise ValueError(
      f'{spec}: the baselines need pictures of one size, not {len(shapes)}'
    )
  return tuple(
    np.stack([example[key] for example in found]) for key in ('image', 'target')
  )


class Nearest:
  """The photograph of the pair whose sketch is the most similar."""

  def __init__(self, sketches, photographs):
    self._known, self._photographs = _small(sketches), photographs

  def __call__(self, sketch):
    distance = np.square(self._known - _small(sketch[None])).sum(1)
    return self._photographs[distance.argmin()]


class Ridge:
  """Ridge regression of pixels on the principal components of sketches.

  With fewer pairs than pixels it is solved between pairs. The penalty is a
  share of the components' mean variance.
  """

  def __init__(self, sketches, photographs, share):
    x, y = _small(sketches), np.float32(photographs).reshape(len(sketches), -1)
    self._shape = photographs.shape[1:]
    self._mean_x, self._mean_y = x.mean(0), y.mean(0)
    self._x = x - self._mean_x
    gram = np.float64(self._x @ self._x.T)
    penalty = share * np.trace(gram) / len(gram)
    self._weights = np.float32(
      np.linalg.solve(
        gram + penalty * np.eye(len(gram)), np.float64(y - self._mean_y)
      )
    )

  def __call__(self, sketch):
    known = (_small(sketch[None]) - self._mean_x) @ self._x.T
    pixels = self._mean_y + (known @ self._weights)[0]
    return (
      np.rint(np.clip(pixels, 0, 255)).astype(np.uint8).reshape(self._shape)
    )


def best_ridge(train, sketches, photographs):
  """The `Ridge` of the penalty that these very pairs like best, by SSIM.

  That favours it: a network has to beat it all the same.
  """
  from artjax.evaluation import metrics

  def ssim(ridge):
    return np.mean(
      [
        metrics.ssim_rgb(ridge(sketch)[None], photograph[None])
        for sketch, photograph in zip(sketches, photographs)
      ]
    )

  return max((Ridge(*train, share) for share in _SHARES), key=ssim)


def _small(sketches):
  """Luma at half the size, where strokes of different hands agree better."""
  import cv2

  halves = [
    cv2.resize(s @ _LUMA, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA)
    for s in sketches
  ]
  return np.stack(halves).reshape(len(sketches), -1)


def measure(name, restore, sketches, photographs):
  """{'name', metric: mean} of a function of a sketch, and its pictures."""
  from artjax.evaluation import base
  from artjax.evaluation import figures

  made = [restore(sketch) for sketch in sketches]
  rows = [
    figures.measure(METRICS, one, photograph, 0)
    for one, photograph in zip(made, photographs)
  ]
  return {'name': name, **base.means(rows)}, made


def main():
  """Parses the command line, prints the table."""
  parser = argparse.ArgumentParser(
    description=__doc__, formatter_class=argparse.RawTextHelpFormatter
  )
  parser.add_argument('--train', required=True, help='pairs: to learn from')
  parser.add_argument('--val', required=True, help='pairs: to measure on')
  parser.add_argument(
    '--weights',
    action='append',
    default=[],
    help='workdir or .safetensors file; may be repeated',
  )
  parser.add_argument('--output', help='folder of table.md and panels.jpg')
  parser.add_argument('--panels', type=int, default=12)
  args = parser.parse_args()
  try:
    result = run(args)
  except (ValueError, OSError) as error:
    sys.exit(f'sketch_baselines: {error}')
  print(json.dumps(result))


def run(args):
  """Measures everything; the dict for the last line of stdout."""
  from artjax import atomic_files
  from artjax.evaluation import report
  from artjax.inference import network

  train, (sketches, photographs) = pairs(args.train), pairs(args.val)
  if train[0].shape[1:] != sketches.shape[1:]:
    raise ValueError('--train and --val differ in size')
  columns = [
    ('sketch', lambda sketch: sketch),
    ('nearest pair', Nearest(*train)),
    ('PCA ridge', best_ridge(train, sketches, photographs)),
  ]
  columns += [(where, network.Restorer.load(where)) for where in args.weights]
  found, pictures = [], []
  for name, restore in columns:
    row, made = measure(name, restore, sketches, photographs)
    found.append(row)
    pictures.append(made)
  lines = [
    '| | ' + ' | '.join(METRICS) + ' |',
    '|---' * (len(METRICS) + 1) + '|',
  ]
  lines += [
    f'| {row["name"]} | '
    + ' | '.join(f'{row[name]:.4f}' for name in METRICS)
    + ' |'
    for row in found
  ]
  lines += ['', f'Means over {len(sketches)} pairs of {args.val}.']
  print('\n'.join(lines), flush=True)
  if args.output:
    atomic_files.write_text(
      os.path.join(args.output, 'table.md'), '\n'.join(lines) + '\n'
    )
    rows = [
      report.side_by_side(*row)
      for row in zip(
        *(made[: args.panels] for made in [*pictures, list(photographs)])
      )
    ]
    atomic_files.write_picture(
      os.path.join(args.output, 'panels.jpg'), np.concatenate(rows)
    )
  return {'rows': found, 'pairs': len(sketches), 'output': args.output}


if __name__ == '__main__':
  main()
