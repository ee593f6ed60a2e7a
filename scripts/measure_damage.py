"""How much some damage costs, and how much of that is colour.

  python scripts/measure_damage.py --source=folder:PATH \
      --ops='copy("image", "target")|old_painting(0.3)'

Beside the degraded pictures stand the same with the best colour transform of
second degree, fitted to the original, which no restorer is told: what is
left then is damage in places, noise and blur. The last line is JSON.
"""

import argparse
import json
import sys


def best_colours(image, target):
  """`image`, u8[H, W, 3], recoloured to come nearest to `target`."""
  import numpy as np

  r, g, b = (image.reshape(-1, 3) / 255 - 0.5).T
  terms = np.stack(
    [np.ones_like(r), r, g, b, r * r, g * g, b * b, r * g, g * b, b * r], 1
  )
  weights = np.linalg.lstsq(terms, target.reshape(-1, 3) / 255, rcond=None)[0]
  colours = np.clip(terms @ weights, 0, 1).reshape(image.shape)
  return np.rint(colours * 255).astype(np.uint8)


def main():
  """Parses the command line, prints a table and a JSON line."""
  parser = argparse.ArgumentParser(
    description=__doc__, formatter_class=argparse.RawTextHelpFormatter
  )
  parser.add_argument('--source', default='sample')
  parser.add_argument('--ops', required=True, help='what damages a picture')
  parser.add_argument('--max_pictures', type=int, default=0, help='0 = all')
  args = parser.parse_args()
  import numpy as np

  from artjax import config as defaults
  from artjax.data import pipeline
  from artjax.evaluation import metrics

  config = defaults.get_config()
  config.eval.source, config.eval.ops = args.source, args.ops
  config.eval.max_pictures = args.max_pictures
  rows = {'degraded': [], 'best colours': []}
  try:
    for example in pipeline.pictures(config):
      image, target = example['image'], example['target']
      for name, picture in (
        ('degraded', image),
        ('best colours', best_colours(image, target)),
      ):
        # An identical picture has no finite PSNR; 60 dB is as good.
        rows[name].append(
          [
            min(60, metrics.psnr_rgb(picture[None], target[None])[0]),
            metrics.accuracy(picture[None], target[None])[0],
          ]
        )
  except (ValueError, OSError) as error:
    sys.exit(f'measure_damage: {error}')
  result = {
    'source': args.source,
    'ops': args.ops,
    'pictures': len(rows['degraded']),
  }
  print(f'{"":14}{"psnr_rgb":>10}{"accuracy":>10}')
  for name, values in rows.items():
    psnr, accuracy = np.mean(values, 0)
    print(f'{name:14}{psnr:10.2f}{accuracy:10.3f}')
    result[name] = {'psnr_rgb': round(psnr, 3), 'accuracy': round(accuracy, 4)}
  print(json.dumps(result))


if __name__ == '__main__':
  main()
