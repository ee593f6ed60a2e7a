"""Spreads the work over machines with Apache Beam: `prepare-data --beam=...`.

The runners of TFDS' own builders do for ours: Beam's DirectRunner on this
machine, Dataflow, Spark or Flink on many. The folders of pictures and of the
output have to be the same on all of them. The pipeline is our own and not that
of TFDS' builders, whose records differ from run to run; here each worker writes
the very bytes that one machine would.
"""

from collections.abc import Callable, Iterable, Sequence
import contextlib
import glob
import json
import os
import shutil
from typing import Any, NamedTuple

from artjax.data.prepare import subimages
from artjax.data.prepare import writer


class Runner:
  """Maps functions over items on the workers of a Beam runner.

  Attributes:
    results: folder for what workers return; made, and removed again.
  """

  def __init__(self, name: str, options: str = ''):
    """Checks the runner, before the long work.

    Args:
      name: 'DirectRunner', 'DataflowRunner', 'FlinkRunner', ...
      options: of the pipeline, as for `tfds build`: 'a=1,b'.

    Raises:
      ValueError: Beam is not installed, or knows no such runner.
    """
    try:
      import apache_beam
      from apache_beam import runners
    except ImportError as error:
      raise ValueError(
        f'--beam={name} needs Apache Beam: make beam-setup, or pip install '
        f'"artjax[beam]" in an environment of its own ({error})'
      ) from error
    self._beam = apache_beam
    self._name, self.results = name, ''
    self._flags = [f'--{option}' for option in options.split(',') if option]
    try:
      runners.create_runner(name)
    except (ValueError, ImportError) as error:
      raise ValueError(f'--beam={name}: {error}') from error

  def map(
    self, function: Callable[[Any], Any], items: Iterable[Any]
  ) -> list[Any]:
    """Results of a function, in order.

    Args:
      function: of a module, of an item, to what JSON can hold.
      items: what can be pickled.

    Raises:
      ValueError: the pipeline failed.
    """
    beam = self._beam
    from apache_beam.options import pipeline_options

    folder = self.results
    shutil.rmtree(folder, ignore_errors=True)
    numbered = list(enumerate(items))
    try:
      with beam.Pipeline(
        self._name, pipeline_options.PipelineOptions(self._flags)
      ) as pipeline:
        _ = (
          pipeline
          | beam.Create(numbered)
          | beam.Reshuffle()  # items of one worker become those of all
          | beam.Map(_numbered, function)
          | beam.io.WriteToText(os.path.join(folder, 'results'))
        )
    except RuntimeError as error:  # of whatever a worker raised
      reason = str(error).strip().splitlines()[-1]
      raise ValueError(f'--beam={self._name}: {reason}') from error
    found: dict[int, Any] = {}
    for path in glob.glob(os.path.join(glob.escape(folder), 'results*')):
      with open(path, encoding='utf-8') as file:
        found.update(json.loads(line) for line in file)
    shutil.rmtree(folder, ignore_errors=True)
    with contextlib.suppress(OSError):  # where nothing else is in it
      os.rmdir(os.path.dirname(folder))
    return [found[number] for number, _ in numbered]


def _numbered(item, function):
  number, argument = item
  return json.dumps([number, function(argument)])


class Cut(NamedTuple):
  """The arguments of `subimages.cut_file`."""

  path: str
  digest: bytes
  part: str
  settings: subimages.Settings


def cut(item: Cut) -> None:
  """Cuts a picture, unless its part is there."""
  if not os.path.exists(item.part):
    subimages.cut_file(*item)


def write(
  runner: Runner,
  folder: str,
  name: str,
  parts: dict[str, list[tuple[str, str]]],
) -> dict[str, list[tuple[int, int]]]:
  """Writes the files of a dataset, each by one worker.

  Args:
    runner: maps.
    folder: of the dataset; made.
    name: of the dataset.
    parts: {split: [(name of the picture, path of its part)]}.

  Returns:
    {split: [(records, bytes) of each file]}, for `writer.write_metadata`.
  """
  os.makedirs(folder)
  files, shards = {}, []
  for split, pictures in parts.items():
    sizes = runner.map(writer.record_sizes, pictures)
    records = [
      (picture, part, i, size)
      for (picture, part), of_one in zip(pictures, sizes)
      for i, size in enumerate(of_one)
    ]
    divided = divide(records)
    files[split] = [(len(f), sum(size for *_, size in f)) for f in divided]
    for i, file in enumerate(divided):
      path = os.path.join(
        folder, f'{name}-{split}.array_record-{i:05d}-of-{len(divided):05d}'
      )
      shards.append((path, [record[:3] for record in file]))
  runner.map(writer.write_file, shards)
  return files


def divide(records: Sequence[tuple]) -> list[list[tuple]]:
  """Divides records, whose last field is their size, as `writer` does."""
  files: list[list[tuple]] = []
  left = 0
  for record in records:
    if left <= 0:
      files.append([])
      left = writer.SHARD
    files[-1].append(record)
    left -= record[-1]
  return files
