"""Restores picture files: scans, photographs, whole folders of them.

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

import argparse
from collections.abc import Sequence
import io
import json
import os
import signal
import sys
import time

from artjax.restoration import default_chain
from artjax.restoration import options as options_lib
from artjax.restoration import presets
from artjax.restoration.batch import finding
from artjax.restoration.batch import interrupts as interrupts_lib
from artjax.restoration.batch import journal
from artjax.restoration.batch import outputs
from artjax.restoration.batch import progress
from artjax.restoration.batch import running
from artjax.restoration.batch import shards
from artjax.restoration.batch import steps as steps_lib
from artjax.restoration.batch import streams
from artjax.restoration.batch import worker as worker_lib

# NumPy, JAX and libvips are imported where they are needed: `--help` and a
# wrong flag answer at once.


def main(
  argv: Sequence[str] | None = None, steps: steps_lib.Steps | None = None
) -> int:
  """Restores the pictures of the command line; returns the exit status.

  Args:
    argv: the arguments; None = those of the process.
    steps: of a run that is continued after a crash.
  """
  for stream in (sys.stdout, sys.stderr):  # names need not be Unicode
    if isinstance(stream, io.TextIOWrapper):
      stream.reconfigure(errors='backslashreplace')
  parser = _parser()
  args, options = _parsed(parser, argv)
  start = time.time()
  items: list[finding.Item] = []
  outcome = running.Outcome()
  with interrupts_lib.Interrupts() as interrupts, streams.Spool() as spool:
    try:
      _restore(
        parser,
        args,
        options,
        items,
        outcome,
        interrupts,
        spool,
        steps or steps_lib.Steps(),
      )
    except KeyboardInterrupt:
      outcome.signal = interrupts.number or signal.SIGINT
      outcome.stopped = signal.Signals(outcome.signal).name
    return _finish(args, items, outcome, start)


def _restore(parser, args, options, items, outcome, interrupts, spool, steps):
  """Finds, plans and restores; `items` and `outcome` are added to."""
  from artjax.image_io import formats

  try:
    outputs.check_folder(args.output)
  except ValueError as error:
    parser.error(f'--output={args.output}: {error}')
  named = [*args.pictures, *filter(None, (args.mask, args.hints))]
  _check_inputs(parser, args, named)
  made = journal.read(args.output)
  found, left_alone = finding.find(
    args.pictures, args.recursive, formats.SUFFIXES, args.output, spool, made
  )
  if not found:
    parser.error(
      f'no picture in {", ".join(args.pictures)}'
      + (f' ({len(left_alone)} other files)' if left_alone else '')
    )

  _check_inputs(parser, args, [item.source for item in found])

  from artjax.restoration import chain as chain_lib
  from artjax.restoration.batch import bringing
  from artjax.restoration.batch import pages
  from artjax.restoration.provenance import credentials

  try:
    chain = chain_lib.Chain(args.weights)
    chain.check(options, args.mask, args.hints)
    wanted = _wanted(args, chain)
    signer = credentials.Signer(args.c2pa) if args.c2pa else None
    where = bringing.places(args.mask, args.hints, spool)
  except (ValueError, OSError) as error:
    parser.error(str(error))
  if args.pages == 'all':
    found = pages.split(found)
  found, more = bringing.bring(found, where)
  left_alone += more
  items += found
  # Maps and masks that no run has made are somebody's own.
  kept = [one.path for one in left_alone if one.path.endswith(outputs.BESIDE)]
  kept = [path for path in kept if os.path.realpath(path) not in made]
  outputs.plan(
    items, args.output, args.name, args.weights, wanted, kept, args.format
  )
  if args.shard:
    items[:] = args.shard.part(found)
    _say(f'shard {args.shard}: {len(items)} of {len(found)} pictures')
  if left_alone:
    _say(
      f'{len(left_alone)} other files in the folders are left alone'
      + ('' if args.verbose else ' (--verbose names them)')
    )
  for path, why in left_alone if args.verbose else ():
    _say(f'  {path}: {why}')
  for notice in chain.notices(options, wanted.damage_map):
    _say(notice)
  if args.dry_run:
    for item in items:
      print(f'{item.called} -> {item.problem or item.output}')
      for notice in item.notices:
        _say(f'{item.called}: {notice}')
    outcome.failures |= {i.called: i.problem for i in items if i.problem}
    return
  try:
    log = journal.Journal(args.output, args.shard.in_name if args.shard else '')
  except OSError as error:
    parser.error(f'{error.filename}: {error.strerror}')
  worker = worker_lib.Worker(chain, options, signer)
  with log, progress.Progress(len(items)) as bar:
    run = running.Run(
      outcome,
      log,
      bar,
      interrupts,
      worker.settings,
      journal.Finished(made if args.resume else {}),
      chain.notices(options),
      args.fail_fast,
      steps,
    )
    run.restore(items, worker)


def parse(
  argv: Sequence[str] | None = None,
) -> tuple[argparse.Namespace, options_lib.Options]:
  """Parses the command line: all arguments, and the options of restoration.

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
    help="files, folders or quoted patterns; '-' for stdin",
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
  add('-o', '--output', required=True, help='folder for the results')
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
    '--shard',
    metavar='I/N',
    help='restore only part I of N, counted from 0: 0/4, 1/4, 2/4 and 3/4 are '
    "all pictures, each once; 'auto' takes I and N from the tasks of a SLURM "
    'array, or from JOB_COMPLETION_INDEX and JOB_COMPLETIONS',
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


def _parsed(parser, argv):
  """(arguments, options); wrong ones end the program."""
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


def _check_inputs(parser, args, names):
  """Ends the program if shards could not share the inputs."""
  if args.shard:
    try:
      shards.check_inputs(names, args.output)
    except ValueError as error:
      parser.error(f'--shard={args.shard}: {error}')


def _wanted(args, chain):
  """The files that are wanted; ValueError if the chain cannot make them."""
  if args.save_mask and not (chain.finds or chain.fills):
    raise ValueError(f'--save_mask: {chain} neither finds nor fills damage')
  for name in ('change_map', 'uncertainty', 'c2pa'):
    if getattr(args, name) and not chain.makes_picture:
      raise ValueError(f'--{name}: {chain} finds damage and changes no picture')
  whole = min(args.strength, args.structure) == 1
  if args.confidence_map and (not chain.predicts_errors or not whole):
    raise ValueError(
      '--confidence_map needs calibrated weights that predict their errors '
      f'and --strength=1 --structure=1: {chain} has none'
    )
  return outputs.Wanted(
    picture=chain.makes_picture,
    change_map=args.change_map,
    uncertainty=args.uncertainty,
    report=args.report,
    mask=args.save_mask,
    damage_map=chain.finds and (args.save_mask or not chain.makes_picture),
    confidence_map=args.confidence_map,
  )


def _finish(args, items, outcome, start):
  """Prints the summary; the exit status."""
  counts = outcome.counts(len(items))
  if not args.dry_run:
    for name, count in counts.items():
      if count:
        _say(f'{name:>9} {count:6d}')
  for reason in outcome.failures.values():
    _say(f'  {reason}')
  if outcome.stopped:
    _say(f'stopped: {outcome.stopped}; --resume does what is left')
  print(
    json.dumps(
      {
        'pictures': len(items),
        **{k.replace(' ', '_'): v for k, v in counts.items()},
        'output': args.output,
        'shard': str(args.shard or ''),
        'dry_run': args.dry_run,
        'stopped': outcome.stopped,
        'seconds': round(time.time() - start, 2),
      }
    )
  )
  return outcome.status


def _say(line):
  print(line, file=sys.stderr)
