"""Restores picture files: scans, photographs, whole folders of them.

  python scripts/restore.py --weights=unet scan.tif photos/ --output=restored/
  python scripts/restore.py --weights=detect,inpaint scan.tif --output=filled/
  python scripts/restore.py --weights=inpaint scan.tif --mask=holes.png -o out/
  python scripts/restore.py --weights=colorize grey.tif --output=coloured/

JPEG, PNG, TIFF, WebP, AVIF and HEIF of 8 and 16 bits come back in their own
format, depth, size and colour space, with their metadata. What cannot be
restored is named with its reason, and the rest goes on. Exit status: 0 all
done, 1 some failed, 2 wrong use. The last line of stdout is a JSON object.
"""

import argparse
import dataclasses
import glob
import hashlib
import json
import os
import pathlib
import re
import sys
import time

# Before JAX starts: compiled networks are kept from one call to the next.
os.environ.setdefault(
  'JAX_COMPILATION_CACHE_DIR',
  os.path.join(
    os.environ.get('XDG_CACHE_HOME', os.path.expanduser('~/.cache')),
    'artjax',
    'xla',
  ),
)
# Of libvips, whose warnings name no file; what matters is raised.
os.environ.setdefault('VIPS_WARNING', '0')
sys.path.insert(0, str(pathlib.Path(__file__).parent.parent))


class Item:
  """A picture to restore and where it goes."""

  def __init__(self, source, below):
    self.source = str(source)  # path
    self.below = below  # its path below the folder that was named, or its name
    self.output = ''
    self.problem = ''  # why it cannot be done, known before trying


def parse(argv):
  """The command line."""
  parser = argparse.ArgumentParser(
    description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
  )
  parser.add_argument(
    'pictures',
    nargs='+',
    metavar='PICTURE',
    help='files, folders or quoted patterns',
  )
  parser.add_argument(
    '--weights',
    required=True,
    help="a name ('unet'), a workdir or a .safetensors file; "
    "'a,b' runs one after the other, 'a:0.3+b:0.7' is the "
    'mean of two of one kind',
  )
  parser.add_argument(
    '-o', '--output', required=True, help='folder of the results'
  )
  parser.add_argument(
    '--name',
    default='{stem}{suffix}',
    metavar='TEMPLATE',
    help='of a result; default %(default)s',
  )
  parser.add_argument(
    '--recursive', action='store_true', help='folders within folders too'
  )
  parser.add_argument(
    '--strength',
    type=float,
    default=1.0,
    help='share of the change that is made, 0 to 1',
  )
  parser.add_argument(
    '--self_ensemble',
    action='store_true',
    help='mean over 8 flips and turns: 8 times the work',
  )
  parser.add_argument(
    '--uncertainty',
    action='store_true',
    help='a map of where the 8 disagree, beside the result',
  )
  parser.add_argument(
    '--change_map',
    action='store_true',
    help='a map of how far each pixel was moved (CIEDE2000)',
  )
  parser.add_argument(
    '--report', action='store_true', help='a JSON record beside each result'
  )
  parser.add_argument(
    '--mask',
    default='',
    metavar='FILE|DIR',
    help="what to fill, white; of a folder the mask of the picture's name",
  )
  parser.add_argument(
    '--region',
    default='',
    metavar='X,Y,W,H',
    help='find and fill only there, px',
  )
  parser.add_argument(
    '--save_mask',
    action='store_true',
    help='what was filled and what was found, beside the '
    'result: STEM.mask.png, and STEM.damage.png, which '
    '--mask takes with another --mask_threshold',
  )
  parser.add_argument(
    '--mask_threshold',
    type=float,
    default=0.5,
    help='of the chance of damage, and of grey masks; default %(default)s',
  )
  parser.add_argument(
    '--mask_min_area',
    type=int,
    default=12,
    metavar='PX',
    help='smaller finds are left alone; default %(default)s',
  )
  parser.add_argument(
    '--mask_dilate',
    type=int,
    default=2,
    metavar='PX',
    help='added around what is found; default %(default)s',
  )
  parser.add_argument(
    '--mask_feather',
    type=int,
    default=2,
    metavar='PX',
    help='around a mask, over which the fill fades into the '
    'picture; default %(default)s',
  )
  parser.add_argument(
    '--saturation',
    type=float,
    default=1.0,
    help='of what is colorized, 0 = grey to 2',
  )
  parser.add_argument(
    '--hints',
    default='',
    metavar='FILE|DIR',
    help='colours for what is colorized: a PNG, transparent '
    "but for strokes; of a folder that of the picture's name",
  )
  parser.add_argument(
    '--strip_metadata',
    action='store_true',
    help='leave out everything but the colour profile',
  )
  parser.add_argument(
    '--tile',
    type=int,
    default=0,
    metavar='PX',
    help='side of tiles; default: what is fastest',
  )
  parser.add_argument(
    '--max_pixels',
    type=int,
    default=400_000_000,
    help='larger pictures are refused; default %(default)s',
  )
  parser.add_argument(
    '--resume',
    action='store_true',
    help='skip what is done already, for the same content and settings',
  )
  parser.add_argument(
    '--fail_fast',
    action='store_true',
    help='stop at the first picture that fails',
  )
  parser.add_argument(
    '--dry_run', action='store_true', help='only say what would be done'
  )
  args = parser.parse_args(argv)
  args.self_ensemble |= args.uncertainty
  if not 0 <= args.strength <= 1:
    parser.error(f'--strength={args.strength} is not in [0, 1]')
  if not 0 <= args.saturation <= 2:
    parser.error(f'--saturation={args.saturation} is not in [0, 2]')
  for name in ('tile', 'mask_min_area', 'mask_dilate', 'mask_feather'):
    if getattr(args, name) < 0:
      parser.error(f'--{name}={getattr(args, name)} is less than 0')
  if not 0 < args.mask_threshold < 1:
    parser.error(
      f'--mask_threshold={args.mask_threshold} is not between 0 and 1'
    )
  try:
    args.region = tuple(int(x) for x in args.region.split(',') if args.region)
    if len(args.region) not in (0, 4):
      raise ValueError
  except ValueError:
    parser.error(f'--region={args.region!r} is not X,Y,W,H in whole px')
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
      f'--name={args.name!r}: {error}; known are {{stem}}, '
      '{suffix} and {weights}'
    )
  return parser, args


def main(argv=None):
  """Restores what the command line names; the exit status."""
  parser, args = parse(argv)
  items, ignored = find(args.pictures, args.recursive)
  if not items:
    parser.error(
      f'no picture in {", ".join(args.pictures)}'
      + (f' ({ignored} other files)' if ignored else '')
    )
  plan_outputs(items, args)
  if ignored:
    print(
      f'{ignored} other files in the folders are left alone', file=sys.stderr
    )
  start = time.time()
  if args.dry_run:
    for item in items:
      print(f'{item.source} -> {item.problem or item.output}')
    return finish(args, items, {}, 0, start)

  from artjax.restoration import damage_mask
  from artjax.restoration import (
    restore_file,  # heavy, so not for --help or a wrong flag
  )

  try:
    chain = restore_file.Chain(args.weights)
    options = restore_file.Options(
      args.strength,
      args.self_ensemble,
      args.tile,
      args.strip_metadata,
      args.max_pixels,
      damage_mask.Options(
        args.mask_threshold,
        args.mask_min_area,
        args.mask_dilate,
        args.mask_feather,
        args.region,
      ),
      args.saturation,
    )
    chain.check(options, args.mask, args.hints)
  except (ValueError, FileNotFoundError) as error:
    parser.error(str(error))
  if args.save_mask and not (chain.finds or chain.fills):
    parser.error(f'--save_mask: {args.weights} neither finds nor fills')
  failures, skipped = run(items, chain, options, args)
  return finish(args, items, failures, skipped, start)


def run(items, chain, options, args):
  """Restores item after item: ({source: reason}, number skipped)."""
  import tqdm

  from artjax.inference import tiling
  from artjax.restoration import hints_file
  from artjax.restoration import mask_file
  from artjax.restoration import restore_file

  settings = json.dumps([dataclasses.asdict(options), chain.describe()])
  log_path = os.path.join(args.output, 'restore.jsonl')
  done = read_log(log_path) if args.resume else {}
  failures, skipped = {}, 0
  os.makedirs(args.output, exist_ok=True)
  with (
    open(log_path, 'a', encoding='utf-8') as log,
    tqdm.tqdm(
      total=len(items),
      unit='picture',
      disable=None,
      bar_format='{l_bar}{bar}| {elapsed}<{remaining}{postfix}',
    ) as bar,
  ):
    for number, item in enumerate(items):
      bar.set_postfix_str(os.path.basename(item.source))
      progress = lambda now, total, number=number: move(
        bar, number + now / total
      )
      entry = {'source': os.path.abspath(item.source)}
      try:
        if item.problem:
          raise ValueError(item.problem)
        mask = mask_file.find(args.mask, item.source) if args.mask else ''
        hints = hints_file.find(args.hints, item.source) if args.hints else ''
        entry['key'] = key(settings, item.source, *filter(None, [mask, hints]))
        if done.get(entry['key']) == os.path.abspath(item.output) and (
          os.path.exists(item.output)
        ):
          skipped += 1
          continue
        record = restore_file.restore_file(
          item.source,
          chain,
          outputs(item.output, args),
          options,
          mask,
          hints,
          progress,
        )
        for notice in record['notices'] + record['tiling']:
          bar.write(f'{item.source}: {notice}', file=sys.stderr)
        entry |= {'status': 'done', **record}
      except (ValueError, OSError, tiling.OutOfMemory) as error:
        reason = one_line(error, item.source)
        failures[item.source] = reason
        entry |= {'status': 'failed', 'reason': reason}
        bar.write(reason, file=sys.stderr)
        if args.fail_fast:
          break
      finally:
        if 'status' in entry:
          log.write(json.dumps(entry) + '\n')
          log.flush()
        move(bar, number + 1)
  return failures, skipped


def move(bar, position):
  """Advances a progress bar to a position, fractions included."""
  bar.update(max(0, position - bar.n))


def finish(args, items, failures, skipped, start):
  """Prints the summary; the exit status."""
  tried = len(items)
  if args.dry_run:
    failures = {i.source: i.problem for i in items if i.problem}
  done = 0 if args.dry_run else tried - len(failures) - skipped
  if args.fail_fast and failures:
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
        print(f'{name:>9} {count:6d}', file=sys.stderr)
  for reason in failures.values():
    print(f'  {reason}', file=sys.stderr)
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


def find(names, recursive):
  """(items, number of files in folders that are no pictures)."""
  from artjax.image_io import formats

  items, ignored, seen = [], 0, set()

  def add(source, below, problem=''):
    real = os.path.realpath(source)
    if real not in seen:  # named twice, or by a folder and by itself
      seen.add(real)
      items.append(Item(source, below))
      items[-1].problem = problem

  for name in names:
    path = pathlib.Path(name)
    if path.is_dir():

      def failed(error):
        add(
          error.filename, error.filename, f'{error.filename}: {error.strerror}'
        )

      for top, folders, entries in os.walk(path, onerror=failed):
        folders[:] = sorted(
          f for f in folders if recursive and not f.startswith('.')
        )
        for entry in sorted(entries):
          source = pathlib.Path(top, entry)
          if entry.startswith('.') or (
            source.suffix.lower() not in formats.SUFFIXES
          ):
            ignored += 1
          else:
            add(source, str(source.relative_to(path)))
    elif not os.path.lexists(name) and glob.has_magic(name):
      found = sorted(glob.glob(name, recursive=recursive))
      for match in found:
        if not os.path.isdir(match):
          add(match, os.path.basename(match))
      if not found:
        add(name, name, f'{name}: nothing matches')
    else:
      add(name, path.name)
  return items, ignored


def plan_outputs(items, args):
  """Sets where each item goes; what would collide becomes a problem."""
  taken = {os.path.realpath(item.source): item for item in items}
  for item in items:
    if item.problem:
      continue
    folder, name = os.path.split(item.below)
    stem, suffix = os.path.splitext(name)
    # libvips reads HEIC but its free builds do not write it.
    suffix = {'.heic': '.avif', '.heif': '.avif'}.get(suffix.lower(), suffix)
    item.output = os.path.join(
      args.output,
      folder,
      args.name.format(stem=stem, suffix=suffix, weights=named(args.weights)),
    )
    real = os.path.realpath(item.output)
    if real == os.path.realpath(item.source):
      item.problem = (
        f'{item.source}: the output would overwrite it; choose '
        'another --output or --name'
      )
    elif real in taken:
      item.problem = (
        f'{item.source}: its output {item.output} is that of, or '
        f'is, {taken[real].source}; choose another --name'
      )
    else:
      taken[real] = item


def named(weights):
  """Weights as part of a file's name: no folders, nothing that systems mind."""
  return re.sub(r'[^,+]*[/\\]', '', weights).replace(',', '+').replace(':', '_')


def outputs(path, args):
  """Where the files beside a result go."""
  from artjax.restoration import restore_file

  stem = os.path.splitext(path)[0]
  return restore_file.Outputs(
    picture=path,
    change_map=f'{stem}.change.png' if args.change_map else '',
    uncertainty=f'{stem}.uncertainty.png' if args.uncertainty else '',
    report=f'{path}.json' if args.report else '',
    mask=f'{stem}.mask.png' if args.save_mask else '',
    chances=f'{stem}.damage.png' if args.save_mask else '',
  )


def key(settings, *paths):
  """Fingerprint of the content of files and of how they are used."""
  digest = hashlib.sha256(settings.encode())
  for path in paths:
    with open(path, 'rb') as file:
      digest.update(hashlib.file_digest(file, 'sha256').digest())
  return digest.hexdigest()


def read_log(path):
  """{key: output} of what a log says is done; a torn last line is passed."""
  done = {}
  if os.path.exists(path):
    with open(path, encoding='utf-8') as file:
      for line in file:
        try:
          entry = json.loads(line)
        except ValueError:
          continue
        if entry.get('status') == 'done':
          done[entry['key']] = entry['output']
  return done


def one_line(error, path):
  """What is wrong with a file, in one line that names it."""
  text = ' '.join(str(error).split()) or type(error).__name__
  if isinstance(error, OSError) and error.strerror:
    text = f'{error.filename or path}: {error.strerror}'
  elif type(error).__name__ == 'OutOfMemory':
    text = f'not enough memory even for the smallest tiles ({text})'
  return text if path in text else f'{path}: {text}'


if __name__ == '__main__':
  sys.exit(main())
