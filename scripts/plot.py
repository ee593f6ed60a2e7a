"""Draws the curves of runs: metrics of `metrics.jsonl` over training steps.

  python scripts/plot.py runs/colour runs/unet --metrics=loss,grad_norm \
      --output=docs/experiments/unet_loss.png
  python scripts/plot.py runs/srgan --output=judge.png --after=1000 \
      --metrics=discriminator/real_accuracy,discriminator/fake_accuracy,skipped

The last line of stdout also gives the range of each metric of each run, from
the step `--after` on.
"""

import argparse
import json
import os
import sys


def curves(workdir, name):
  """(steps, values) of one metric of a run; a resumed run's last word counts.

  Raises:
    FileNotFoundError: the folder has no metrics.jsonl.
  """
  path = os.path.join(workdir, 'metrics.jsonl')
  if not os.path.exists(path):
    raise FileNotFoundError(f'{path}: no metrics here; is it a workdir?')
  values = {}
  with open(path) as file:
    for line in file:
      record = json.loads(line)
      if record.get(name) is not None:
        values[record['step']] = record[name]
  return sorted(values), [values[step] for step in sorted(values)]


def main():
  """Parses the command line, writes the picture."""
  parser = argparse.ArgumentParser(
    description=__doc__, formatter_class=argparse.RawTextHelpFormatter
  )
  parser.add_argument('workdirs', nargs='+')
  parser.add_argument('--metrics', default='loss')
  parser.add_argument('--output', required=True)
  parser.add_argument(
    '--after',
    type=int,
    default=0,
    metavar='STEP',
    help='ranges leave out what was before',
  )
  args = parser.parse_args()
  import matplotlib

  matplotlib.use('agg')  # No screen is needed.
  from matplotlib import pyplot

  names = args.metrics.split(',')
  figure, axes = pyplot.subplots(
    1, len(names), figsize=(5 * len(names), 3.2), squeeze=False
  )
  points, ranges = 0, {}
  for axis, name in zip(axes[0], names):
    for workdir in args.workdirs:
      try:
        steps, values = curves(workdir, name)
      except FileNotFoundError as error:
        sys.exit(f'plot: {error}')
      points += len(steps)
      late = [v for step, v in zip(steps, values) if step > args.after]
      if late:
        ranges.setdefault(workdir, {})[name] = [min(late), max(late)]
      if steps:
        axis.plot(
          steps,
          values,
          label=os.path.basename(os.path.normpath(workdir)),
          linewidth=1,
        )
    axis.set_xlabel('step')
    axis.set_title(name)
    axis.grid(alpha=0.3)
    axis.legend()
  if not points:
    sys.exit(f'plot: no {args.metrics} in {", ".join(args.workdirs)}')
  figure.tight_layout()
  part = f'{args.output}.part.png'
  figure.savefig(part, dpi=120)
  os.replace(part, args.output)
  print(
    json.dumps(
      {
        'output': args.output,
        'points': points,
        'after': args.after,
        'ranges': ranges,
      }
    )
  )


if __name__ == '__main__':
  main()
