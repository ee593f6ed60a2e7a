"""Prepares a folder of pictures for training: a dataset of sub-images.

  artjax prepare-data PHOTOS/ --output=DATA_DIR --name=paintings
  artjax train --config=unet --workdir=runs/paintings \
      --config.data.source=tfds:paintings@DATA_DIR:train \
      --config.data.validation=0 \
      --config.eval.source=tfds:paintings@DATA_DIR:validation

Large pictures are slow to decode and a crop uses little of them; sub-images are
read by index. Whole pictures, not sub-images, are assigned to training or
validation, by their content. An interrupted run resumes where it stopped; one
with nothing left to do says so. The last line of stdout is a JSON object.
"""

import argparse
from collections.abc import Sequence
import json
import os
import sys
import time


def main(argv: Sequence[str] | None = None) -> int:
  """Makes the dataset, prints the JSON line; returns the exit status."""
  parser = argparse.ArgumentParser(
    description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
  )
  parser.add_argument(
    'pictures', metavar='PHOTOS', help='folder, searched with its subfolders'
  )
  parser.add_argument(
    '--output', required=True, metavar='DATA_DIR', help='folder of datasets'
  )
  parser.add_argument(
    '--name', required=True, help='of the dataset: lower case, digits and _'
  )
  parser.add_argument(
    '--validation',
    type=float,
    default=0.2,
    help='share of pictures held out; default %(default)s',
  )
  parser.add_argument(
    '--crop',
    type=int,
    default=480,
    help='side of a sub-image, px; default %(default)s',
  )
  parser.add_argument(
    '--step',
    type=int,
    default=240,
    help='px from one to the next; default %(default)s',
  )
  parser.add_argument(
    '--threshold',
    type=int,
    default=0,
    help='px at the border that are not worth one more '
    'sub-image; default %(default)s',
  )
  parser.add_argument(
    '--scales',
    type=float,
    nargs='*',
    default=[],
    help='of smaller copies that are cut as well, such as 0.75 0.5 0.333',
  )
  parser.add_argument(
    '--shortest',
    type=int,
    default=0,
    help='shorter side of one more copy, px; 400 in Real-ESRGAN; default none',
  )
  parser.add_argument(
    '--min_size',
    type=int,
    default=32,
    help='pictures with a shorter side below this are left '
    'out, px; default %(default)s',
  )
  parser.add_argument(
    '--min_std',
    type=float,
    default=0,
    help='drop flat sub-images, whose luma (0-255) has a '
    'lower standard deviation; default: keep all',
  )
  parser.add_argument(
    '--workers', type=int, default=0, help='processes; default: one per core'
  )
  parser.add_argument(
    '--overwrite', action='store_true', help='replace a dataset of this name'
  )
  parser.add_argument(
    '--beam',
    default='',
    metavar='RUNNER',
    help='spread the work over machines with Apache Beam: DirectRunner, '
    'DataflowRunner, FlinkRunner, SparkRunner',
  )
  parser.add_argument(
    '--beam_pipeline_options',
    default='',
    metavar='A=1,B',
    help='options of that runner, as for tfds build',
  )
  args = parser.parse_args(argv)
  from artjax.data.prepare import beam
  from artjax.data.prepare import dataset
  from artjax.data.prepare import subimages

  start = time.time()
  try:
    settings = subimages.Settings(
      args.crop,
      args.step,
      args.threshold,
      tuple(args.scales),
      args.shortest,
      args.min_size,
      args.min_std,
    )
    result = dataset.prepare(
      args.pictures,
      args.output,
      args.name,
      settings,
      validation=args.validation,
      workers=args.workers,
      overwrite=args.overwrite,
      runner=beam.Runner(args.beam, args.beam_pipeline_options)
      if args.beam
      else None,
    )
  except (ValueError, OSError) as error:
    sys.exit(f'artjax prepare-data: {error}')
  except KeyboardInterrupt:
    print(
      'artjax prepare-data: interrupted; the pictures that were cut are '
      'kept, the same command goes on from there',
      file=sys.stderr,
    )
    return 130
  if result['unchanged']:
    print(
      'Nothing to do: the dataset is there, of the same pictures and settings',
      file=sys.stderr,
    )
  elif args.min_std:
    print(f'Dropped {result["dropped"]} flat sub-images', file=sys.stderr)
  source = f'tfds:{args.name}@{args.output}'
  print(
    json.dumps(
      {
        **result,
        'output': os.path.join(args.output, args.name),
        'source': f'{source}:train',
        'eval_source': f'{source}:validation'
        if 'validation' in result['sub_images']
        else '',
        'seconds': round(time.time() - start, 2),
      }
    )
  )
  return 0
