"""Calibrates a network's predicted errors against measured ones.

  artjax calibrate --weights=pretrained/structure.safetensors \
      --pictures=folder:train --test=folder:val

For weights that predict their errors (`model.args.confidence`). Pictures are
damaged in three ways: mildly, heavily, and with a kind of damage that training
should leave out, tape. The relation of predicted to measured errors is stored
as a table in the .safetensors file, and gives the expected accuracy of a
picture. The test pictures check it: of the pixels predicted to be within ±e at
80 %, about 80 % should be. The last line of stdout is a JSON object.
"""

import argparse
from collections.abc import Sequence
import json
import sys
from typing import Any

DAMAGE = {
  'mild': 'structure(0.3, keep_losses=True)',
  'heavy': 'structure(0.8, keep_losses=True)',
  'held_out': (
    'structure((0.0, 1.0), breadth=1.0, only=("tape",), keep_losses=True)'
  ),
}
_PIXELS = 20_000  # of an example that count, so that all count alike


def main(argv: Sequence[str] | None = None) -> int:
  """Fits, tests and writes; the exit status."""
  parser = argparse.ArgumentParser(
    description=__doc__, formatter_class=argparse.RawTextHelpFormatter
  )
  add = parser.add_argument
  add(
    '--weights',
    required=True,
    help='a .safetensors file or its name; it is changed',
  )
  add('--pictures', help='to fit on; default: only test what is there')
  add('--test', help='to test on, others than those')
  add(
    '--max_pictures',
    type=int,
    default=100,
    metavar='N',
    help='of each; default %(default)s, 0 = all',
  )
  add('--side', type=int, default=384, metavar='PX', help='pictures are fitted')
  args = parser.parse_args(argv)
  if not (args.pictures or args.test):
    parser.error('give --pictures to fit on, --test to test on, or both')
  try:
    result = calibrate(args)
  except (ValueError, OSError) as error:
    sys.exit(f'artjax calibrate: {error}')
  print(json.dumps(result))
  return 0


def calibrate(args: argparse.Namespace) -> dict[str, Any]:
  """Fits and tests one file; returns the findings for each kind of damage.

  Raises:
    FileNotFoundError: no such weights or pictures.
    ValueError: not a .safetensors file, or its network predicts nothing.
  """
  from artjax.inference import loading
  from artjax.inference import weights as weights_lib
  from artjax.interop import manifest
  from artjax.interop import safetensors_io

  path = weights_lib.find(args.weights)
  if not path.endswith('.safetensors'):
    raise ValueError(f'{path} is no .safetensors file: `artjax export` it')
  config, params = loading.load_checked(path)
  if not config.model.args.get('confidence', False):
    raise ValueError(
      f'{path} predicts nothing: train it with model.args.confidence=True and '
      'losses.confidence above 0'
    )
  result: dict[str, Any] = {'weights': path}
  if args.pictures:
    found = fit(loading.of(config, params), args)
    entry = manifest.entry(path)
    safetensors_io.annotate(path, **found.as_json())
    if entry:
      for key in ('sha256', 'bytes'):
        entry.pop(key)
      manifest.write(path, **entry)
    config, params = loading.load_checked(path)
  restorer: Any = loading.of(config, params)
  if restorer.calibration is None:
    raise ValueError(f'{path} is not calibrated: give --pictures')
  if args.test:
    result['test'] = test(restorer, args)
  return result


def fit(restorer: Any, args: argparse.Namespace) -> Any:
  """The `Calibration` of a restorer's predictions for `args.pictures`."""
  import numpy as np

  from artjax.inference import confidence

  rng, parts = np.random.default_rng(0), []
  for ops in DAMAGE.values():
    for example in _examples(args.pictures, ops, args):
      restored, log_scale = restorer.with_scale(example['image'])
      error, square = confidence.errors(restored, example['target'])
      # With repetition, so that small pictures count as much.
      chosen = rng.integers(0, error.size, _PIXELS)
      parts.append([x.ravel()[chosen] for x in (log_scale, error, square)])
  return confidence.Calibration.fit(*map(np.concatenate, zip(*parts)))


def test(restorer: Any, args: argparse.Namespace) -> dict[str, Any]:
  """{damage: figures of `Calibration.measured`, means over the pictures}."""
  from artjax.evaluation import base

  found = {}
  for name, ops in DAMAGE.items():
    rows = []
    for example in _examples(args.test, ops, args):
      restored, log_scale = restorer.with_scale(example['image'])
      rows.append(
        restorer.calibration.measured(log_scale, restored, example['target'])
      )
    found[name] = {k: round(v, 4) for k, v in base.means(rows).items()}
    print(
      f'{name}: of pixels said to be within ±e at 80 %, '
      f'{found[name]["within_80"]:.1%} are ({len(rows)} pictures)',
      file=sys.stderr,
    )
  return found


def _examples(source, ops, args):
  """Damaged pictures of a source with their targets."""
  from artjax import config as defaults
  from artjax.data import pipeline

  config = defaults.get_config()
  config.eval.source = source
  config.eval.ops = f'fit({args.side})|{ops}'
  config.eval.max_pictures = args.max_pictures
  return pipeline.pictures(config)
