"""The command line of `artjax restore`."""

import argparse
from collections.abc import Sequence
import importlib.util
import os

from artjax.restoration import default_chain
from artjax.restoration import options as options_lib
from artjax.restoration import presets
from artjax.restoration.batch import outputs
from artjax.restoration.batch import shards
from artjax.restoration.batch import streams
from artjax.restoration.batch.storage import stores
from artjax.restoration.batch.storage import urls

_USAGE = """Restores picture files: scans, photographs, whole folders of them.

  artjax restore scan.tif photos/ --output=restored/
  artjax restore --preset=print prints/ --output=restored/
  artjax restore --weights=structure scan.tif --output=restored/
  artjax restore --weights=detect,inpaint scan.tif --output=filled/
  artjax restore --weights=inpaint scan.tif --mask=holes.png -o out/
  artjax restore --weights=detect scans/ --output=found/
  artjax restore --weights=colorize grey.tif --output=coloured/
  artjax restore scans/ --output=restored/ --shard=0/4

JPEG, PNG, TIFF, WebP and AVIF files of 8 or 16 bits keep their format, depth,
size, colour space and metadata; `artjax formats` lists what else can be read
here. Weights that only find damage write a
damage map, STEM.damage.png, and no picture. A picture that cannot be restored
is reported with the reason, and the run continues with the others. Exit status:
0 all done, 1 some failed, 2 wrong usage, 130 Ctrl-C. The last line of stdout is
a JSON object.
"""


def parse(
  argv: Sequence[str] | None = None,
) -> tuple[argparse.Namespace, options_lib.Options]:
  """Parses the command line: all arguments, and the options of restoration.

  Raises:
    SystemExit: with status 2, after one line on stderr, for a wrong flag.
  """
  return parsed(make_parser(), argv)


def make_parser() -> argparse.ArgumentParser:
  """The parser of the command line."""
  parser = argparse.ArgumentParser(
    description=_USAGE, formatter_class=argparse.RawDescriptionHelpFormatter
  )
  add = parser.add_argument
  add(
    'pictures',
    nargs='+',
    metavar='PICTURE',
    help='files, folders or quoted patterns, also s3://... and gs://... (needs '
    "the extra storage); '-' for stdin",
  )
  add(
    '--preset',
    choices=presets.NAMES,
    default='',
    help='weights and options for a kind of picture; others that are given win',
  )
  add(
    '--weights',
    default=default_chain.WEIGHTS,
    help='default %(default)s; '
    'a name, a workdir or a .safetensors file; '
    "'a,b' runs a and then b; 'a:0.3+b:0.7' is the weighted mean of two "
    'weights of one network; put a path with a comma, colon or plus in quotes',
  )
  add('-o', '--output', required=True, help='folder or URL for the results')
  add(
    '--name',
    default='{stem}{suffix}',
    metavar='TEMPLATE',
    help='file name of a result; default %(default)s',
  )
  add(
    '--format',
    default='',
    choices=outputs.FORMATS,
    help='of the results; default: that of each picture. JPEG and most AVIF '
    'and WebP files lose a little when they are written, PNG and TIFF nothing',
  )
  add('--recursive', action='store_true', help='include subfolders')
  add(
    '--pages',
    default='first',
    choices=('first', 'all'),
    help='of files with several, such as TIFF: STEM.page1.SUFFIX, ...',
  )
  add(
    '--resume',
    action='store_true',
    help='skip what is already done with the same content and settings',
  )
  add(
    '--fail_fast',
    action='store_true',
    help='stop at the first picture that fails',
  )
  add('--dry_run', action='store_true', help='only list what would be done')
  add(
    '--verbose',
    action='store_true',
    help='list the files in folders that are skipped, with the reason',
  )

  group = parser.add_argument_group('several machines or GPUs')
  group.add_argument(
    '--shard',
    metavar='I/N',
    help='restore only part I of N, counted from 0: 0/4, 1/4, 2/4 and 3/4 are '
    "all pictures, each once; 'auto' takes I and N from the tasks of a SLURM "
    'array, or from JOB_COMPLETION_INDEX and JOB_COMPLETIONS',
  )
  group.add_argument(
    '--runner',
    default='local',
    choices=('local', 'ray'),
    help='where pictures are restored: in this process, or by workers on the '
    'machines of a Ray cluster (needs the extra ray)',
  )
  group.add_argument(
    '--address',
    default='',
    help='of the Ray cluster, or auto; default: a cluster of this machine',
  )
  group.add_argument(
    '--workers',
    type=int,
    metavar='N',
    help='of Ray; default: one per GPU, without GPUs one per machine',
  )
  group.add_argument(
    '--num_gpus',
    type=float,
    metavar='G',
    help='GPUs of each worker; 0.5: two workers share one; default 1, without '
    'GPUs 0',
  )

  group = parser.add_argument_group('restoration')
  options_lib.add_arguments(group)

  group = parser.add_argument_group('additional inputs')
  group.add_argument(
    '--mask',
    default='',
    metavar='FILE|DIR',
    help='white where to fill; in a folder, the file with the name of the '
    'picture, or its damage map STEM.damage.png, cut at --mask_threshold',
  )
  group.add_argument(
    '--hints',
    default='',
    metavar='FILE|DIR',
    help='colours for colorizing: a PNG with strokes on a transparent ground; '
    'in a folder, the file with the name of the picture',
  )

  group = parser.add_argument_group('additional outputs')
  group.add_argument(
    '--report', action='store_true', help='a JSON record, STEM.SUFFIX.json'
  )
  group.add_argument(
    '--change_map',
    action='store_true',
    help='how much each pixel changed (CIEDE2000), STEM.change.png',
  )
  group.add_argument(
    '--uncertainty',
    action='store_true',
    help='how much the 8 views of --self_ensemble differ, STEM.uncertainty.png',
  )
  group.add_argument(
    '--save_mask',
    action='store_true',
    help='the mask that was filled, STEM.mask.png, and the damage '
    'probabilities, STEM.damage.png',
  )
  group.add_argument(
    '--c2pa',
    default='',
    metavar='FILE.pem',
    help='content credentials in the result (C2PA), signed with the private '
    'key and the certificates of this file; needs c2pa-python',
  )
  return parser


def parsed(
  parser: argparse.ArgumentParser, argv: Sequence[str] | None
) -> tuple[argparse.Namespace, options_lib.Options]:
  """What `parse` returns, with a parser that can report other errors too."""
  args = parser.parse_args(argv)
  if args.preset:
    preset = presets.get(args.preset)
    parser.set_defaults(weights=preset.weights, **preset.options)
    args = parser.parse_args(argv)
  args.self_ensemble |= args.uncertainty
  try:
    options = options_lib.from_arguments(args)
  except ValueError as error:
    parser.error(str(error))
  try:
    if args.shard is not None:
      args.shard = shards.parse(args.shard, os.environ)
  except ValueError as error:
    parser.error(f'--shard={args.shard}: {error}')
  _check_runner(parser, args)
  _check_urls(parser, args)
  for name in ('mask', 'hints'):
    path = getattr(args, name)
    if path not in ('', streams.STDIN) and not os.path.exists(path):
      parser.error(f'--{name}={path}: no such file or folder')
  if args.format and '{suffix' not in args.name:
    parser.error(
      f'--format={args.format}: --name={args.name} has no {{suffix}} for it'
    )
  try:
    named = args.name.format(stem='a', suffix='.png', weights='b')
    if os.path.basename(named) != named or not named:
      raise ValueError('it must not name folders')
  except (KeyError, IndexError, ValueError) as error:
    parser.error(
      f'--name={args.name!r}: {error}; known are {{stem}}, {{suffix}} and '
      '{weights}'
    )
  return args, options


def _check_urls(parser, args):
  """Brings URLs into their normal form."""

  def checked(name):
    if not urls.is_url(name):
      return name
    url = urls.normal(name)
    stores.check(url)
    if args.runner == 'ray' and urls.scheme(url) == 'memory':
      raise ValueError(f'--runner=ray: {url} can be read by one process only')
    return url

  try:
    args.pictures = [*map(checked, args.pictures)]
    args.output = checked(args.output)
  except ValueError as error:
    parser.error(str(error))
  except OSError as error:
    parser.error(f'{error.filename}: {error.strerror}')
  for name in ('mask', 'hints'):
    path = getattr(args, name)
    if urls.is_url(path):
      parser.error(
        f'--{name} cannot be in an object store: copy it to a folder'
      )
  if args.pages == 'all' and any(map(urls.is_url, args.pictures)):
    parser.error('--pages=all cannot be used with pictures in an object store')


def _check_runner(parser, args):
  for name in ('address', 'workers', 'num_gpus'):
    if getattr(args, name) not in ('', None) and args.runner != 'ray':
      parser.error(f'--{name} needs --runner=ray')
  if args.runner == 'ray' and importlib.util.find_spec('ray') is None:
    parser.error("--runner=ray: Ray is not installed: 'artjax[ray]' has it")
  if args.workers is not None and args.workers < 1:
    parser.error(f'--workers={args.workers} is less than 1')
  if args.num_gpus is not None and args.num_gpus < 0:
    parser.error(f'--num_gpus={args.num_gpus:g} is less than 0')
