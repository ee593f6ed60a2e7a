"""Restores picture files: scans, photographs, whole folders of them.

  artjax restore scan.tif photos/ --output=restored/
  artjax restore --weights=structure scan.tif --output=restored/
  artjax restore --weights=detect,inpaint scan.tif --output=filled/
  artjax restore --weights=inpaint scan.tif --mask=holes.png -o out/
  artjax restore --weights=detect scans/ --output=found/
  artjax restore --weights=colorize grey.tif --output=coloured/

JPEG, PNG, TIFF, WebP, AVIF and HEIF files of 8 or 16 bits keep their format,
depth, size, colour space and metadata. Weights that only find damage write a
damage map, STEM.damage.png, and no picture. A picture that cannot be restored
is reported with the reason, and the others are restored all the same. Exit
status: 0 all done, 1 some failed, 2 wrong use. The last line of stdout is a
JSON object.
"""

import argparse
from collections.abc import Sequence
import json
import os
import sys
import time
from typing import Any

from artjax.restoration import batch
from artjax.restoration import default_chain
from artjax.restoration import options as options_lib
from artjax.restoration import progress

# NumPy, JAX and libvips are imported where they are needed: `--help` and a
# wrong flag answer at once.

_LOG = 'restore.jsonl'


def main(argv: Sequence[str] | None = None) -> int:
  """Restores what the command line names; the exit status."""
  parser = _parser()
  args, options = _parsed(parser, argv)

  from artjax.image_io import formats

  items, left_alone = batch.find(
    args.pictures, args.recursive, formats.SUFFIXES
  )
  if not items:
    parser.error(
      f'no picture in {", ".join(args.pictures)}'
      + (f' ({left_alone} other files)' if left_alone else '')
    )

  from artjax.restoration import chain as chain_lib

  try:
    chain = chain_lib.Chain(args.weights)
    chain.check(options, args.mask, args.hints)
    wanted = _wanted(args, chain)
  except (ValueError, OSError) as error:
    parser.error(str(error))
  batch.plan(items, args.output, args.name, args.weights, wanted)
  if left_alone:
    _say(f'{left_alone} other files in the folders are left alone')
  for notice in chain.notices(options, wanted.damage_map):
    _say(notice)
  start = time.time()
  if args.dry_run:
    for item in items:
      print(f'{item.source} -> {item.problem or item.output}')
    failures, skipped = {i.source: i.problem for i in items if i.problem}, 0
  else:
    failures, skipped = _run(items, chain, options, args)
  return _finish(args, items, failures, skipped, start)


def parse(
  argv: Sequence[str] | None = None,
) -> tuple[argparse.Namespace, options_lib.Options]:
  """The command line: all that it says, and the options of restoration in it.

  Raises:
    SystemExit: with status 2, after one line on stderr, for a wrong flag.
  """
  return _parsed(_parser(), argv)


def _parser():
  parser = argparse.ArgumentParser(
    description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
  )
  add = parser.add_argument
  add(
    'pictures',
    nargs='+',
    metavar='PICTURE',
    help='files, folders or quoted patterns',
  )
  add(
    '--weights',
    default=default_chain.WEIGHTS,
    help='default %(default)s; '
    'a name, a workdir or a .safetensors file; '
    "'a,b' runs a and then b; 'a:0.3+b:0.7' is the weighted mean of two "
    'weights of one network; put a path with a comma, colon or plus in quotes',
  )
  add('-o', '--output', required=True, help='folder for the results')
  add(
    '--name',
    default='{stem}{suffix}',
    metavar='TEMPLATE',
    help='file name of a result; default %(default)s',
  )
  add('--recursive', action='store_true', help='include subfolders')
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
  return parser


def _parsed(parser, argv):
  """(arguments, options); a wrong one ends the program."""
  args = parser.parse_args(argv)
  args.self_ensemble |= args.uncertainty
  try:
    options = options_lib.from_arguments(args)
  except ValueError as error:
    parser.error(str(error))
  for name in ('mask', 'hints'):
    path = getattr(args, name)
    if path and not os.path.exists(path):
      parser.error(f'--{name}={path}: no such file or folder')
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


def _wanted(args, chain):
  """The `batch.Wanted` of a command line; ValueError where a chain has none."""
  if args.save_mask and not (chain.finds or chain.fills):
    raise ValueError(f'--save_mask: {chain} neither finds nor fills damage')
  for name in ('change_map', 'uncertainty'):
    if getattr(args, name) and not chain.makes_picture:
      raise ValueError(f'--{name}: {chain} finds damage and changes no picture')
  if args.confidence_map and (not chain.predicts_errors or args.strength < 1):
    raise ValueError(
      '--confidence_map needs calibrated weights that predict their errors '
      f'and --strength=1: {chain} at {args.strength:g} has none'
    )
  return batch.Wanted(
    picture=chain.makes_picture,
    change_map=args.change_map,
    uncertainty=args.uncertainty,
    report=args.report,
    mask=args.save_mask,
    damage_map=chain.finds and (args.save_mask or not chain.makes_picture),
    confidence_map=args.confidence_map,
  )


def _run(items, chain, options, args):
  """Restores item after item: ({source: reason}, number skipped)."""
  from artjax.inference import tiling
  from artjax.restoration import restore_file
  from artjax.restoration import user_inputs

  settings = json.dumps([options.as_json(), chain.describe()])
  log_path = os.path.join(args.output, _LOG)
  done = batch.read_log(log_path) if args.resume else {}
  general = set(chain.notices(options))  # said already, of all of them
  failures: dict[str, str] = {}
  skipped = 0
  os.makedirs(args.output, exist_ok=True)
  with (
    open(log_path, 'a', encoding='utf-8') as log,
    progress.Progress(len(items)) as bar,
  ):
    for item in items:
      bar.start(os.path.basename(item.source))
      entry: dict[str, Any] = {'source': os.path.abspath(item.source)}
      try:
        if item.problem:
          raise ValueError(item.problem)
        brought = [
          user_inputs.find(where, item.source, kind) if where else ''
          for kind, where in (('mask', args.mask), ('hints', args.hints))
        ]
        entry['key'] = batch.key(settings, item.source, *filter(None, brought))
        if done.get(entry['key']) == os.path.abspath(item.output) and (
          os.path.exists(item.output)
        ):
          skipped += 1
          bar.finish('skipped')
          continue
        outputs = restore_file.Outputs(**{'picture': '', **item.outputs})
        record = restore_file.restore_file(
          item.source, chain, outputs, options, *brought, bar.tiles
        )
      except (ValueError, OSError, tiling.OutOfMemory) as error:
        reason = failures[item.source] = _one_line(error, item.source)
        batch.log(log, entry | {'status': 'failed', 'reason': reason})
        bar.write(reason)
        bar.finish('failed')
        if args.fail_fast:
          break
      else:
        for notice in record['notices'] + record['tiling']:
          if notice not in general:
            bar.write(f'{item.source}: {notice}')
        if 'confidence' in record:
          bar.write(f'{item.source}: {record["confidence"]["sentence"]}')
        batch.log(log, entry | {'status': 'done', **record})
        bar.finish('done')
  return failures, skipped


def _finish(args, items, failures, skipped, start):
  """Prints the summary; the exit status."""
  tried = len(items)
  done = 0 if args.dry_run else tried - len(failures) - skipped
  if args.fail_fast and failures and not args.dry_run:
    # What came after the failure was not tried.
    last = max(i for i, item in enumerate(items) if item.source in failures)
    done -= tried - 1 - last
  counts = {
    'done': done,
    'skipped': skipped,
    'failed': len(failures),
    'not tried': tried - done - skipped - len(failures),
  }
  if not args.dry_run:
    for name, count in counts.items():
      if count:
        _say(f'{name:>9} {count:6d}')
  for reason in failures.values():
    _say(f'  {reason}')
  print(
    json.dumps(
      {
        'pictures': tried,
        **{k.replace(' ', '_'): v for k, v in counts.items()},
        'output': args.output,
        'dry_run': args.dry_run,
        'seconds': round(time.time() - start, 2),
      }
    )
  )
  return 1 if failures else 0


def _say(line):
  print(line, file=sys.stderr)


def _one_line(error, path):
  """What is wrong with a file, in one line that names it."""
  text = ' '.join(str(error).split()) or type(error).__name__
  if isinstance(error, OSError) and error.strerror:
    text = f'{error.filename or path}: {error.strerror}'
  elif type(error).__name__ == 'OutOfMemory':
    text = f'not enough memory even for the smallest tiles ({text})'
  return text if path in text else f'{path}: {text}'
