"""Restores picture files: scans, photographs, whole folders of them."""

from collections.abc import Sequence
import io
import json
import os
import signal
import sys
import time

from artjax.restoration.batch import arguments
from artjax.restoration.batch import finding
from artjax.restoration.batch import interrupts as interrupts_lib
from artjax.restoration.batch import journal
from artjax.restoration.batch import outputs
from artjax.restoration.batch import progress
from artjax.restoration.batch import real_paths
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
  parser = arguments.make_parser()
  args, options = arguments.parsed(parser, argv)
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
    made = journal.read(args.output)
  except ValueError as error:
    parser.error(f'--output={args.output}: {error}')
  except OSError as error:
    parser.error(f'{error.filename}: {error.strerror}')
  named = [*args.pictures, *filter(None, (args.mask, args.hints))]
  _check_inputs(parser, args, named)
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
  from artjax.restoration.batch.storage import planning
  from artjax.restoration.batch.storage import transfer
  from artjax.restoration.provenance import credentials

  if args.runner == 'ray':
    import jax

    # The GPUs are for the workers; here the networks do not run.
    jax.config.update('jax_platforms', 'cpu')
  try:
    chain = chain_lib.Chain(args.weights)
    chain.check(options, args.mask, args.hints)
    wanted = _wanted(args, chain)
    signer = credentials.Signer(args.c2pa) if args.c2pa else None
    where = bringing.places(args.mask, args.hints, spool)
  except (ValueError, OSError) as error:
    parser.error(str(error))
  worker = transfer.Worker(worker_lib.Worker(chain, options, signer))
  try:
    if not args.format:
      planning.tell_formats(found, worker.settings, made)
    exists = planning.existing(args.output) if args.resume else os.path.exists
  except OSError as error:
    parser.error(f'{error.filename}: {error.strerror}')
  if args.pages == 'all':
    found = pages.split(found)
  found, more = bringing.bring(found, where)
  left_alone += more
  items += found
  # Maps and masks that no run has made are somebody's own.
  kept = [one.path for one in left_alone if one.path.endswith(outputs.BESIDE)]
  real = real_paths.RealPaths()
  kept = [path for path in kept if real(path) not in made]
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
    log = journal.opened(args.output, args.shard.in_name if args.shard else '')
  except OSError as error:
    parser.error(f'{error.filename}: {error.strerror}')
  with log, progress.Progress(len(items)) as bar:
    run = running.Run(
      outcome,
      log,
      bar,
      interrupts,
      worker.settings,
      journal.Finished(made if args.resume else {}, exists),
      chain.notices(options),
      args.fail_fast,
      steps,
    )
    if args.runner == 'ray':
      _restore_by_ray(parser, args, options, items, run, worker.settings)
    else:
      run.restore(items, worker)
    run.end()


def _restore_by_ray(parser, args, options, items, run, settings):
  """Restores items by workers on a Ray cluster."""
  from artjax.restoration.batch.cluster import dispatch
  from artjax.restoration.batch.cluster import ray_workers

  left = []
  for item in items:
    run.interrupts.check()
    if not run.over and not run.passed(item):
      left.append(item)
  if not left or run.over:
    return
  job = ray_workers.Job(args.weights, options, args.c2pa, settings, os.getcwd())
  try:
    pool = ray_workers.Pool(job, args.address, args.workers, args.num_gpus)
  except Exception as error:  # of Ray: no such cluster, another token, ...
    parser.error(f'--runner=ray: {" ".join(str(error).split())}')
  with pool:
    _say(f'workers on the Ray cluster: {pool.workers}')
    dispatch.restore(left, run, pool, pool.workers)


def _check_inputs(parser, args, names):
  """Ends the program if several processes could not share the inputs."""
  if args.runner == 'ray':
    for name in filter(streams.is_stream, names):
      parser.error(f'--runner=ray: {name} can be read by one process only')
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
