"""Deep Image Prior beside classical fills: the holes' PSNR as time goes by.

  python scripts/measure_prior.py --source=folder:PATH --output=runs/prior

A square of each picture gets a hole like writing; each is restored by itself,
within `--minutes` of the time of one core, which other programs do not change
much: 20 are 10 minutes of two cores. The folder gets curves.png, panels.jpg
(damaged, Telea, Deep Image Prior, original) and figures.json, anew after each
picture. The last line of stdout is JSON.
"""

import argparse
import json
import os
import sys
import time

from artjax import environment

FILLS = 'telea', 'navier_stokes', 'biharmonic'


def main():
  """Parses the command line, prints a line a picture and the means."""
  parser = argparse.ArgumentParser(
    description=__doc__, formatter_class=argparse.RawTextHelpFormatter
  )
  parser.add_argument('--source', default='sample')
  parser.add_argument('--output', required=True, help='folder')
  parser.add_argument('--pictures', type=int, default=5)
  parser.add_argument('--size', type=int, default=256, help='side, px')
  parser.add_argument(
    '--hole',
    default='(0.05, 0.2), ("text",)',
    help='arguments of the op `missing`',
  )
  parser.add_argument(
    '--minutes', type=float, default=20, help='of all cores together'
  )
  parser.add_argument('--steps', type=int, default=3000, help='at most')
  parser.add_argument('--optimizer', default='muon', help="or 'adam'")
  parser.add_argument('--learning_rate', type=float, default=0.015)
  parser.add_argument(
    '--smooth',
    type=float,
    default=12.0,
    help='px of blur of what it begins from, 0 = grey',
  )
  args = parser.parse_args()
  try:
    print(json.dumps(run(args)))
  except (ValueError, OSError) as error:
    sys.exit(f'measure_prior: {error}')


def run(args):
  """Measures all pictures; the dict for the last line of stdout."""
  import numpy as np

  from artjax import atomic_files
  from artjax import config as defaults
  from artjax.data import pipeline
  from artjax.evaluation import report

  config = defaults.get_config()
  config.eval.source, config.eval.max_pictures = args.source, args.pictures
  config.eval.ops = (
    f'fit({round(1.4 * args.size)})|center_crop({args.size})|'
    f'copy("image", "target")|missing({args.hole})|'
    'keep("image", "target", "mask")'
  )
  protocol = {
    name: getattr(args, name)
    for name in (
      'source',
      'size',
      'hole',
      'minutes',
      'steps',
      'optimizer',
      'learning_rate',
      'smooth',
    )
  }
  path = os.path.join(args.output, 'figures.json')
  found, panels = [], []
  for i, example in enumerate(pipeline.pictures(config)):
    mask = example['mask'][..., 0] > 127
    row, made = measure(example['image'], example['target'], mask, args)
    print(
      f'{i + 1}: '
      + '  '.join(
        f'{name} {row[name]:.2f}' for name in (*FILLS, 'deep_image_prior')
      )
      + f'  {row["steps"]} steps in {row["seconds"]:.0f} s of a core',
      file=sys.stderr,
      flush=True,
    )
    found.append(row)
    panels.append(report.side_by_side(*made, example['target']))
    result = {
      **protocol,
      'pictures': len(found),
      **{
        name: round(float(np.mean([row[name] for row in found])), 3)
        for name in (*FILLS, 'deep_image_prior', 'missing', 'seconds')
      },
    }
    atomic_files.write_text(
      path, json.dumps({**result, 'rows': found}, indent=2)
    )
    atomic_files.write_picture(
      os.path.join(args.output, 'panels.jpg'), np.concatenate(panels)
    )
    draw(found, os.path.join(args.output, 'curves.png'))
  return result


def measure(image, target, mask, args):
  """(figures of one picture, [damaged, Telea's, the prior's]), u8[H, W, 3]."""
  import numpy as np

  from artjax.evaluation import baselines
  from artjax.inference import deep_image_prior

  row, telea = {'missing': round(float(mask.mean()), 4)}, None
  for name in FILLS:
    fill = baselines.FILLS[name](image, mask)
    telea = fill if name == 'telea' else telea
    row[name] = psnr(fill, target, mask)
  curve, spent, last = [], 0.0, None
  since = time.process_time()

  def on_report(report):
    nonlocal spent, last, since
    spent += time.process_time() - since
    last = np.uint8(np.rint(report.picture() * 255))
    curve.append([report.step, round(spent, 1), psnr(last, target, mask)])
    if spent > 60 * args.minutes:
      raise KeyboardInterrupt  # It ends with what there is.
    since = time.process_time()  # Measuring is not the restorer's time.

  blank = np.where(mask[..., None], 0, image) / np.float32(255)
  result = deep_image_prior.restore(
    blank,
    mask=mask,
    steps=args.steps,
    optimizer=args.optimizer,
    learning_rate=args.learning_rate,
    smooth=args.smooth,
    on_report=on_report,
  )
  row |= {
    'deep_image_prior': curve[-1][-1],
    'steps': result.steps,
    'seconds': round(spent, 1),
    'curve': curve,
  }
  return row, [np.uint8(np.rint(255 * blank)), telea, last]


def psnr(picture, target, mask):
  """dB inside the mask, of u8 pictures."""
  from artjax.evaluation import metrics

  found = metrics.psnr_rgb(picture[None], target[None], mask=mask[None])[0]
  return round(float(found), 3)


def draw(rows, path):
  """The gain over Telea of each picture, by minutes of a core."""
  import matplotlib

  matplotlib.use('agg')  # No screen is needed.
  from matplotlib import pyplot

  figure, axis = pyplot.subplots(figsize=(6, 3.4))
  for i, row in enumerate(rows):
    _, seconds, values = zip(*row['curve'])
    axis.plot(
      [s / 60 for s in seconds],
      [v - row['telea'] for v in values],
      label=f'picture {i + 1}',
    )
  axis.axhline(0, color='0.5', linewidth=1)
  axis.set_ylim(bottom=-6)
  axis.set_xlabel('minutes of one core')
  axis.set_ylabel('dB over Telea, inside the holes')
  axis.grid(alpha=0.3)
  axis.legend()
  figure.tight_layout()
  figure.savefig(f'{path}.part.png', dpi=120)
  os.replace(f'{path}.part.png', path)


if __name__ == '__main__':
  environment.set_defaults()
  main()
