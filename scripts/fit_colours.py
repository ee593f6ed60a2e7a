"""Fits colours to AlexNet features: the start of configs/colorize.py.

  python scripts/fit_colours.py --source=folder:PATH
  --output=runs/likely.safetensors

One linear layer (artjax/models/colour_net.py), by a ridge regression over whole
pictures and their mirror images. The result colours pictures; training goes on
from it, and teaches hints. The last line of stdout is JSON: the mean CIEDE2000
of the held-out pictures, and the factor of their colourfulness, beside sepia.
"""

import argparse
import json
import sys

from artjax import environment

_SOME = 7  # every seventh place is kept


def main():
  """Parses the command line, writes the weights, prints what they reach."""
  parser = argparse.ArgumentParser(
    description=__doc__, formatter_class=argparse.RawTextHelpFormatter
  )
  parser.add_argument('--source', required=True, help='pictures in colour')
  parser.add_argument('--output', required=True, help='a .safetensors file')
  parser.add_argument(
    '--penalty',
    type=float,
    default=3.0,
    help='of the squared weights of standardized inputs',
  )
  parser.add_argument(
    '--validation',
    type=float,
    default=0.1,
    help='share held out, as data.validation does',
  )
  args = parser.parse_args()
  try:
    if not args.output.endswith('.safetensors'):
      raise ValueError(f'--output={args.output} must end in .safetensors')
    if args.penalty <= 0:
      raise ValueError(f'--penalty={args.penalty} must be above 0')
    print(json.dumps(run(args)))
  except (ValueError, OSError) as error:
    sys.exit(f'fit_colours: {error}')


def run(args):
  """Fits, saves and measures; the dict for the last line of stdout."""
  import numpy as np

  from artjax.configs import colorize as config_file
  from artjax.data import sources
  from artjax.evaluation import baselines
  from artjax.evaluation import figures
  from artjax.inference import colorizer
  from artjax.interop import safetensors_io

  config = config_file.get_config()
  source = sources.load(args.source)
  known = Pictures(sources.split(source, 'train', args.validation))
  held_out = Pictures(sources.split(source, 'validation', args.validation))
  params = fit(config, known, args.penalty)
  safetensors_io.save(args.output, params, config)
  columns = {
    'sepia': baselines.Sepia(list(known)),
    'fitted': colorizer.Colorizer(config, params),
  }
  result = {
    'output': args.output,
    'pictures': len(known),
    'held_out': len(held_out),
    'penalty': args.penalty,
  }
  for name, restore in columns.items():
    rows = [
      figures.measure(
        ('ciede2000', 'colourfulness'), restore(target), target, 0
      )
      for target in held_out
    ]
    result[name] = {
      key: round(float(np.mean([row[key] for row in rows])), 3)
      for key in rows[0]
    }
  return result


class Pictures:
  """The pictures of a source, no larger than colours need: u8[H, W, 3]."""

  def __init__(self, source):
    self._source = source

  def __len__(self):
    return len(self._source)

  def __getitem__(self, i):
    from artjax.data.ops import resize

    if i >= len(self):
      raise IndexError(i)
    return resize.fit(512)({'image': self._source[i]['image']}, None)['image']


def fit(config, pictures, penalty):
  """The merged weights of a network whose layer 'likely' is fitted.

  Args:
    config: of the task colorize and a colour_net.ColourNet.
    pictures: u8[H, W, 3] each.
    penalty: of the squared weights, for inputs of variance 1 and colours of
      CIE Lab.
  """
  import jax
  import numpy as np

  from artjax import registry
  from artjax import tasks
  from artjax.interop import safetensors_io
  from artjax.models import colour_net
  from artjax.models import encoders
  from artjax.tasks import colorize

  module, channels = registry.model(config), tasks.get(config.task).channels
  frozen = jax.device_put(encoders.of(module))
  see = jax.jit(
    lambda frozen, grey: module.apply({'frozen': frozen}, grey, method='seen')
  )
  # Sums over all places; each has some 2300 inputs and two outputs.
  count, sums, some = 0, None, []
  for picture in pictures:
    for view in (picture, picture[:, ::-1]):
      grey, ab = _halves(view)
      x = np.asarray(see(frozen, grey[None]))[0]
      x, ab = _places(x, ab)
      found = [np.float64(y) for y in (x.sum(0), ab.sum(0), x.T @ x, x.T @ ab)]
      sums = found if sums is None else [a + b for a, b in zip(sums, found)]
      count += len(x)
      some.append((x[::_SOME], ab[::_SOME]))
  if not count:
    raise ValueError('no pictures to learn from')
  mean_x, mean_ab, products, with_ab = (y / count for y in sums)
  covariance = products - np.outer(mean_x, mean_x)
  # Added, for of what next to no picture excites nothing can be said.
  variance = np.diag(covariance) + 0.01
  kernel = np.linalg.solve(
    covariance + penalty * np.diag(variance),
    with_ab - np.outer(mean_x, mean_ab),
  )
  # Vivid colours are few: the median is nearer to most than the mean.
  x, ab = (np.concatenate(y) for y in zip(*some))
  bias = np.median(ab - x @ kernel, 0)
  start = jax.jit(module.init)(
    jax.random.key(config.seed), np.zeros([1, 64, 64, channels], np.float32)
  )
  scale = colorize.AB * colour_net.SMALL
  start['params']['likely'] = {
    'kernel': np.float32(kernel / scale),
    'bias': np.float32(bias / scale),
  }
  return safetensors_io.merge(start)


def _halves(picture):
  """u8[H, W, 3] -> lightness as a network sees it, and a and b, small."""
  import cv2
  import numpy as np

  from artjax import colour
  from artjax.inference import colorizer

  height, width = colorizer.working_size(*picture.shape[:2])
  small = cv2.resize(
    np.float32(picture) / 255, (width, height), interpolation=cv2.INTER_AREA
  )
  lab = colour.srgb_to_lab(small)
  return lab[..., :1] / 100 - 0.5, lab[..., 1:]


def _places(x, ab):
  """[h, w, C] and [H, W, 2] -> [h * w, C] and [h * w, 2]."""
  import cv2
  import numpy as np

  height, width = x.shape[:2]
  ab = cv2.resize(
    np.ascontiguousarray(ab), (width, height), interpolation=cv2.INTER_AREA
  )
  return x.reshape(height * width, -1), ab.reshape(height * width, 2)


if __name__ == '__main__':
  environment.set_defaults()
  main()
