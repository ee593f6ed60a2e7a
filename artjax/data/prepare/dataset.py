"""Turns a folder of pictures into a dataset of sub-images, for `tfds:` sources.

There are three passes: pictures are hashed (pictures.py), cut in parallel
processes (subimages.py), and written (writer.py). Sub-images are kept in a
folder of parts, one file per picture, until the dataset is complete, so that an
interrupted run resumes. The dataset is written to a temporary folder and moved
to its place when it is complete, with a record of its inputs and settings, from
which the next run sees that nothing is left to do.
"""

import concurrent.futures
import dataclasses
import hashlib
import json
import os
import re
import shutil
from typing import Any

from artjax import atomic_files
from artjax import worker_processes
from artjax.data import run_lock
from artjax.data import sources
from artjax.data.prepare import beam
from artjax.data.prepare import pictures as picture_files
from artjax.data.prepare import subimages
from artjax.data.prepare import writer
from artjax.data.prepare.progress import progress
from artjax.data.sources import provenance
from artjax.data.sources import scan

PARTS = ('train', 'validation')
_FORMAT = 1  # to be raised whenever the same settings give other sub-images
_VERSION = '1.0.0'
_RECORD = 'prepare.json'


def prepare(
  pictures: str | os.PathLike,
  output: str | os.PathLike,
  name: str,
  settings: subimages.Settings = subimages.Settings(),
  *,
  validation: float = 0.2,
  workers: int = 0,
  overwrite: bool = False,
  runner: beam.Runner | None = None,
) -> dict[str, Any]:
  """Makes the dataset `output`/`name`, or finds it made.

  Args:
    pictures: folder, searched with its subfolders.
    output: folder of datasets, TFDS' data_dir.
    name: of the dataset: lower case, digits and _.
    settings: `subimages.Settings`.
    validation: share of pictures whose sub-images are the split 'validation';
      which ones follows from their content, as `sources.split` has it.
    workers: processes; 0 = one per core. They change nothing in the result.
    overwrite: replace a dataset of that name made by other settings or of
      other pictures.
    runner: of Apache Beam, whose workers do it instead of processes of this
      machine. It changes nothing in the result either.

  Returns:
    dict: 'pictures' used, 'rejected' and 'dropped' their number, 'sub_images'
    {split: number}, 'unchanged' whether it was there before.

  Raises:
    ValueError: bad arguments; no usable picture, or none for a split; another
      dataset of that name; no TFDS; another run at the same dataset.
    OSError: no such folder, a file that vanished, a full disk.
  """
  if not re.fullmatch('[a-z][a-z0-9_]*', name):
    raise ValueError(
      f'name={name!r} must be lower-case letters, digits and _, a letter first'
    )
  if not 0 <= validation < 1:
    raise ValueError(f'validation={validation} is not in [0, 1)')
  validation = float(validation)  # 0 is 0.0 in the record
  workers = workers or scan.cores()
  output = os.path.expanduser(output)
  target = os.path.join(output, name)
  work = os.path.join(output, f'.{name}.parts')
  if runner:
    runner.results = os.path.join(work, 'beam')
  found, rejected, described = picture_files.find(pictures, workers, runner)
  options = {**dataclasses.asdict(settings), 'validation': validation}
  # Through JSON, so that it equals what is read back: tuples become lists.
  options = json.loads(json.dumps(options))
  fingerprint = _fingerprint(
    _FORMAT,
    options,
    [(picture.name, picture.digest.hex()) for picture in found],
  )
  if os.path.exists(target):
    record = _read_record(target)
    if record['fingerprint'] == fingerprint:
      return {**record['result'], 'unchanged': True}
    if not overwrite:
      raise ValueError(
        f'{target} is there already, made '
        f'{_difference(record["options"], options)}: choose '
        'another --name or pass --overwrite'
      )
  modules = writer.import_tfds(name)
  refusal = f'another run is at work in {work}: wait for its end'
  with run_lock.held(work, refusal):
    folder = os.path.join(
      work, _fingerprint(_FORMAT, dataclasses.asdict(settings))[:16]
    )
    parts = {p.name: os.path.join(folder, p.digest.hex()) for p in found}
    if runner:
      runner.map(
        beam.cut,
        [beam.Cut(p.path, p.digest, parts[p.name], settings) for p in found],
      )
    else:
      _cut(found, parts, settings, workers)
    summaries = {p.name: subimages.read_summary(parts[p.name]) for p in found}
    rejected += [
      (name, summary['reason'])
      for name, summary in summaries.items()
      if summary['reason']
    ]
    used = [p for p in found if not summaries[p.name]['reason']]
    sources.report(str(pictures), len(used), rejected)
    split = {
      part: [p for p in used if sources.part_of(p.digest, validation) == part]
      for part in PARTS
    }
    numbers = {
      part: sum(summaries[p.name]['kept'] for p in split[part])
      for part in PARTS
    }
    _check_numbers(pictures, numbers, len(used), rejected, validation)
    known = {p.name: described[p.name] for p in used if p.name in described}
    result = {
      'pictures': len(used),
      'rejected': len(rejected),
      'sub_images': {k: v for k, v in numbers.items() if v},
      'dropped': sum(summaries[p.name]['dropped'] for p in used),
    }
    new = os.path.join(work, 'new')
    shutil.rmtree(new, ignore_errors=True)
    _write(
      modules,
      os.path.join(new, _VERSION),
      name,
      result['sub_images'],
      {part: [(p.name, parts[p.name]) for p in split[part]] for part in PARTS},
      licence=', '.join(filter(None, provenance.licences(known.values()))),
      runner=runner,
    )
    if known:
      atomic_files.write_text(
        os.path.join(new, provenance.NAME),
        ''.join(
          json.dumps({**entry, 'file': file}, ensure_ascii=False) + '\n'
          for file, entry in known.items()
        ),
      )
    atomic_files.write_text(
      os.path.join(new, _RECORD),
      json.dumps(
        {
          'fingerprint': fingerprint,
          'options': options,
          'result': result,
          'rejected': sorted(rejected),
        },
        indent=1,
      )
      + '\n',
    )
    if os.path.exists(target):
      old = os.path.join(work, 'old')
      shutil.rmtree(old, ignore_errors=True)
      os.rename(target, old)
    os.rename(new, target)
    shutil.rmtree(work)
  return {**result, 'unchanged': False}


def _write(modules, folder, name, numbers, parts, *, licence, runner):
  parts = {split: parts[split] for split in numbers}
  if runner:
    files = beam.write(runner, folder, name, parts)
  else:
    files = writer.write(modules, folder, name, numbers, parts)
  writer.write_metadata(modules, folder, files, licence)


def _fingerprint(*content):
  return hashlib.sha256(json.dumps(content).encode()).hexdigest()


def _read_record(target):
  """What a dataset was made of; ValueError if it is none of ours."""
  try:
    with open(os.path.join(target, _RECORD), encoding='utf-8') as file:
      return json.load(file)
  except (OSError, ValueError) as error:
    raise ValueError(
      f'{target} is there already and was not made by this '
      'command: choose another --name'
    ) from error


def _difference(old, new):
  changed = [f'{key}={old.get(key)}' for key in new if old.get(key) != new[key]]
  return f'with {", ".join(changed)}' if changed else 'of other pictures'


def _cut(pictures, parts, settings, workers):
  """Makes the parts that are not there yet."""
  todo = [p for p in pictures if not os.path.exists(parts[p.name])]
  if not todo:
    return
  pool = worker_processes.pool(min(workers, len(todo)), subimages.start_worker)
  try:
    futures = [
      pool.submit(subimages.cut_file, p.path, p.digest, parts[p.name], settings)
      for p in todo
    ]
    for future in progress(
      concurrent.futures.as_completed(futures),
      'Cutting',
      len(pictures),
      len(pictures) - len(todo),
    ):
      future.result()
  except concurrent.futures.process.BrokenProcessPool as error:
    raise ValueError(
      'a worker process was ended from outside, perhaps for want of memory; '
      'what is cut is kept: run the same command again, with fewer --workers'
    ) from error
  finally:
    pool.shutdown(wait=True, cancel_futures=True)


def _check_numbers(pictures, numbers, used, rejected, validation):
  """ValueError for a split without sub-images."""
  if not used:
    first = f' ({rejected[0][0]}: {rejected[0][1]})' if rejected else ''
    raise ValueError(
      f'{pictures}: no usable picture; left out {len(rejected)} files{first}'
    )
  if not any(numbers.values()):
    raise ValueError(f'{pictures}: every sub-image is flat; lower --min_std')
  for part, advice in (
    ('train', 'lower it'),
    ('validation', 'raise it, or pass --validation=0 for no such split'),
  ):
    if not numbers[part] and (part == 'train' or validation):
      raise ValueError(
        f'{pictures}: none of {used} pictures gives to the {part} part at '
        f'--validation={validation:g}; {advice}'
      )
