"""Speed of the input pipeline, of networks, of start-up and of restoration.

  artjax benchmark pipeline --source=folder:PATH
  artjax benchmark step --peer='python peer.py --model unet ...'
  artjax benchmark infer --model=rrdb.RRDBNet --onnx=rrdb.onnx \\
      --peer='python peer.py --model rrdb --mode infer ...'
  artjax benchmark launch --config=esrgan_psnr
  artjax benchmark scale --config=nafnet --step_s=0.1 --devices 8 64 -- \\
      --config.data.source=folder:PATH
  artjax benchmark restore --picture=scan.png --megapixels 1 16 100
  artjax benchmark batch --picture=scan.png --pictures=40 --megapixels=1
  artjax benchmark tiles --source=folder:PATH
  artjax benchmark ramp
  artjax benchmark zoo --source=folder:PATH --pictures=6
  artjax benchmark engines structure detect inpaint span.SPAN

Each prints what it did and, on the last line of stdout, one JSON object. With
--peer both programs run alternately in one call: machines are noisy, and only
ratios measured in the same call can be trusted.
"""

import argparse
from collections.abc import Sequence
import json
import sys

from artjax.benchmark import batches
from artjax.benchmark import engines
from artjax.benchmark import input_pipeline
from artjax.benchmark import launch
from artjax.benchmark import networks
from artjax.benchmark import restoring
from artjax.benchmark import scaling
from artjax.benchmark import zoo


def main(argv: Sequence[str] | None = None) -> int:
  """Parses the command line, runs one benchmark, prints its JSON line."""
  parser = argparse.ArgumentParser(
    description=__doc__, formatter_class=argparse.RawTextHelpFormatter
  )
  commands = parser.add_subparsers(
    required=True,
    metavar='pipeline | step | infer | launch | scale | restore | batch | tiles'
    ' | ramp | zoo | engines',
  )

  p = commands.add_parser('pipeline', help='examples a second')
  p.set_defaults(run=input_pipeline.speed)
  p.add_argument('--source', default='sample')
  p.add_argument('--ops', default='', help='default: damaged 128-px crops')
  p.add_argument(
    '--loader', choices=['tf', 'threads', 'processes'], default='tf'
  )
  p.add_argument('--workers', type=int, default=0, help='0 = one per core')
  p.add_argument('--validation', type=float, default=0.2)
  p.add_argument('--batch', type=int, default=8)
  p.add_argument('--batches', type=int, default=100, help='a repeat')
  p.add_argument('--warmup', type=int, default=60, help='batches')
  p.add_argument('--repeats', type=int, default=3)

  for name, run, what in (
    ('step', networks.step_speed, 'seconds a training step'),
    ('infer', networks.infer_speed, 'seconds of a network'),
  ):
    p = commands.add_parser(name, help=what)
    p.set_defaults(run=run)
    p.add_argument('--model', default='unet.UNet')
    p.add_argument(
      '--fields',
      default='{}',
      help='fields of the model, a Python dict; a step of a '
      'batch norm needs axis_name=None',
    )
    p.add_argument(
      '--dtype', choices=['float32', 'bfloat16'], default='float32'
    )
    p.add_argument('--size', default='128x128', help='of the input, HxW px')
    p.add_argument('--batch', type=int, default=8)
    p.add_argument('--warmup', type=int, default=3)
    p.add_argument('--repeats', type=int, default=10)
    p.add_argument(
      '--peer',
      default='',
      help='a command whose last line of '
      'stdout is JSON with "median_s"; run in turn with ours',
    )
    p.add_argument('--rounds', type=int, default=3, help='turns')
    if name == 'infer':
      p.add_argument(
        '--onnx',
        default='',
        help='the same network exported, '
        'run by ONNX Runtime (the extra `export`)',
      )

  p = commands.add_parser(
    'launch', help='seconds to the first step, of steps and of pauses'
  )
  p.set_defaults(run=launch.speed)
  p.add_argument('--config', required=True)
  p.add_argument('--batch', type=int, default=1)
  p.add_argument('--steps', type=int, default=40, help='of which two pause')
  p.add_argument(
    'override', nargs='*', metavar='--config.FIELD=VALUE', help='after --'
  )

  p = commands.add_parser('scale', help='an estimate for many devices')
  p.set_defaults(run=scaling.estimate)
  p.add_argument('--config', required=True)
  p.add_argument('--devices', type=int, nargs='+', default=[1, 8, 16, 32, 64])
  p.add_argument('--batch', type=int, default=0, help="0 = the config's")
  p.add_argument('--steps', type=int, default=20, help='that are measured')
  p.add_argument(
    '--step_s', type=float, default=0, help='of one device; 0 = measure here'
  )
  p.add_argument('--machine', type=int, default=8, help='devices in one')
  p.add_argument('--machine_gb_s', type=float, default=200, help='GB/s')
  p.add_argument('--network_gb_s', type=float, default=20, help='GB/s')
  p.add_argument('--latency_us', type=float, default=20, help='of a message')
  p.add_argument(
    'override', nargs='*', metavar='--config.FIELD=VALUE', help='after --'
  )

  p = commands.add_parser('restore', help='seconds and memory a picture')
  p.set_defaults(run=restoring.speed)
  p.add_argument('--picture', required=True, help='repeated to every size')
  p.add_argument('--weights', default='unet')
  p.add_argument('--megapixels', type=float, nargs='+', default=[1, 4, 16])

  p = commands.add_parser(
    'batch', help='pictures a second, one by one and overlapping'
  )
  p.set_defaults(run=batches.speed)
  p.add_argument('--picture', required=True, help='parts of it are restored')
  p.add_argument('--weights', default='unet')
  p.add_argument('--pictures', type=int, default=40)
  p.add_argument('--megapixels', type=float, default=1)
  p.add_argument('--format', choices=['jpg', 'png', 'tif'], default='jpg')
  p.add_argument('--rounds', type=int, default=3, help='turns')

  p = commands.add_parser('tiles', help='tiled against whole')
  p.set_defaults(run=restoring.tile_differences)
  p.add_argument('--source', required=True, help='folder:PATH')
  p.add_argument('--weights', default='unet')
  p.add_argument('--tiles', type=int, nargs='+', default=[128, 256, 384])

  p = commands.add_parser('ramp', help='levels of 16 bits that survive')
  p.set_defaults(run=restoring.ramp_levels)
  p.add_argument('--weights', default='unet')

  p = commands.add_parser('zoo', help='all weights on the same pictures')
  p.set_defaults(run=zoo.compare)
  p.add_argument('names', nargs='*', help='of `artjax weights`; default: all')
  p.add_argument('--source', required=True, help='folder:PATH or pairs:A,B')
  p.add_argument('--ops', default='', help='default: damaged, or shrunk')
  p.add_argument('--scale', type=int, default=0, help='only of this scale')
  p.add_argument('--pictures', type=int, default=0, help='at most; 0 = all')

  p = commands.add_parser('engines', help='JAX beside other engines, on a CPU')
  p.set_defaults(run=engines.compare)
  p.add_argument(
    'networks', nargs='+', help='weights, or a model with random ones'
  )
  p.add_argument('--size', default='256x256', help='of a tile, HxW px')
  p.add_argument('--rounds', type=int, default=5, help='turns')
  p.add_argument(
    '--processor_time',
    action='store_true',
    help='of the process, on one core that others use too',
  )

  args = parser.parse_args(argv)
  try:
    result = args.run(args)
  except (ValueError, FileNotFoundError) as error:
    sys.exit(f'benchmark: {error}')
  print(json.dumps(result))
  return 0
