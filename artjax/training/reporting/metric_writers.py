"""Writers of metrics: TensorBoard events and a JSON-lines file.

A run that resumes from a checkpoint repeats the steps after it; metrics that
the interrupted run wrote for these steps are dropped.

`<workdir>/metrics.jsonl` is always written, TensorBoard events only if clu and
TensorFlow are installed; otherwise the log says so once. Both support those
calls of `clu.metric_writers.MetricWriter` that are used.
"""

from collections.abc import Mapping, Sequence
import importlib.metadata
import json
import math
import os
import platform
import shlex
import socket
import subprocess
import sys
from typing import Any

from absl import logging
import ml_collections

from artjax import atomic_files


class JsonLines:
  """Appends {'step': ..., name: value, ...} lines to a file."""

  def __init__(self, path: str, step: int = 0):
    """Appends to the file at `path`, after removing lines after `step`."""
    self._path = path
    if os.path.exists(path):
      with open(path, 'r+') as file:  # or it fails at the first line
        lines = file.readlines()
      kept = [line for line in lines if _step(line) <= step]
      if len(kept) < len(lines):
        atomic_files.write_text(path, ''.join(kept))

  def write_scalars(self, step: int, scalars: Mapping[str, Any]) -> None:
    """Writes one line; values that are not finite become null, as in JSON."""
    numbers = {k: float(v) for k, v in scalars.items()}
    values = {k: v if math.isfinite(v) else None for k, v in numbers.items()}
    with open(self._path, 'a') as file:
      file.write(json.dumps({'step': int(step), **values}) + '\n')

  def write_texts(self, step: int, texts: Mapping[str, str]) -> None:
    """Ignores texts: TensorBoard has them, config.json the configuration."""

  def write_images(self, step: int, images: Mapping[str, Any]) -> None:
    """Ignores pictures: TensorBoard and the evaluation report have them."""

  def flush(self) -> None:
    """Every line is on disk already."""

  close = flush


class Writers:
  """Passes every call on to several writers.

  One that fails, as on a full disk, is reported once and then left out, so that
  a run does not end because its curves cannot be written.
  """

  def __init__(self, writers: Sequence[Any]):
    """Passes calls on to `writers`, in order."""
    self._writers = list(writers)

  def _all(self, call):
    for writer in list(self._writers):
      try:
        call(writer)
      except Exception as error:  # of many types, of threads that write
        logging.error(
          '%s cannot write and is left out: %s', _name(writer), _in_short(error)
        )
        self._writers.remove(writer)

  def begin(self, step: int, texts: Mapping[str, str]) -> None:
    """Writes the first texts of a run, {name: markdown}.

    Raises:
      ValueError: one of the writers cannot write. A failure at the beginning
        is not a disk that became full, but should be fixed first.
    """
    for writer in self._writers:
      try:
        writer.write_texts(step, texts)
        writer.flush()
      except Exception as error:
        raise ValueError(
          f'{_name(writer)} cannot write: {_in_short(error)}'
        ) from error

  def write_scalars(self, step: int, scalars: Mapping[str, Any]) -> None:
    """{name: number} at `step`."""
    self._all(lambda writer: writer.write_scalars(step, scalars))

  def write_texts(self, step: int, texts: Mapping[str, str]) -> None:
    """{name: markdown} at `step`."""
    self._all(lambda writer: writer.write_texts(step, texts))

  def write_images(self, step: int, images: Mapping[str, Any]) -> None:
    """{name: u8[N, H, W, 3]} at `step`."""
    self._all(lambda writer: writer.write_images(step, images))

  def flush(self) -> None:
    """Returns when all is on disk."""
    self._all(lambda writer: writer.flush())

  def close(self) -> None:
    """Flushes and closes the files."""
    self._all(lambda writer: writer.close())


def writer(
  workdir: str,
  step: int = 0,
  *,
  primary: bool = True,
  more: Mapping[str, Any] | None = None,
) -> Writers:
  """The writers of a run; processes other than the primary one have none.

  Args:
    workdir: folder of the run.
    step: at which the run begins.
    primary: whether this process writes.
    more: {name: writer} of trackers, which do not hold up the run where clu is
      installed.
  """
  if not primary:
    return Writers([])
  path = os.path.join(workdir, 'metrics.jsonl')
  writers: list[Any] = [JsonLines(path, step)]
  others = dict(more or {})
  try:
    from clu import metric_writers  # Seconds: it brings TensorFlow along.

    _purge(workdir, step)
    others['TensorBoard'] = metric_writers.SummaryWriter(workdir)
    for name, other in others.items():
      others[name] = metric_writers.AsyncWriter(other)
    logging.info('TensorBoard: tensorboard --logdir=%s', workdir)
  except ImportError as e:
    logging.warning(
      'No TensorBoard events: %s is not installed. Metrics go to %s.',
      e.name,
      path,
    )
  for name, other in others.items():
    other.name = name
  return Writers([*writers, *others.values()])


def _name(writer):
  return getattr(writer, 'name', type(writer).__name__)


def _in_short(error):
  return (str(error).splitlines() or [type(error).__name__])[0]


def _step(line):
  """The step of a line; inf for a line that was cut off by a kill."""
  try:
    return json.loads(line)['step']
  except (ValueError, KeyError):
    return math.inf


def _purge(workdir, step):
  """Makes TensorBoard drop later steps that an earlier run wrote."""
  from tensorboard.compat.proto import event_pb2
  from tensorboard.summary.writer import event_file_writer

  writer = event_file_writer.EventFileWriter(workdir, filename_suffix='.start')
  start = event_pb2.SessionLog(status=event_pb2.SessionLog.START)
  # Its first start purges nothing, wherever it is: that one is for nothing.
  for first in (2**62, step + 1):
    writer.add_event(event_pb2.Event(step=first, session_log=start))
  writer.close()


def described(config: ml_collections.ConfigDict) -> dict[str, str]:
  """{name: markdown} that documents how a run was made."""
  import jax  # Light to import this file without.

  device = jax.devices()[0]
  lines = [
    ('command', shlex.join(sys.argv)),
    ('revision', _revision()),
    ('host', f'{socket.gethostname()}, Python {platform.python_version()}'),
    ('devices', f'{jax.device_count()} x {device.device_kind}'),
    *((name, _version(name)) for name in _PACKAGES),
  ]
  return {
    'run': '\n'.join(f'- {name}: `{value}`' for name, value in lines),
    'config': f'```\n{config.to_json(indent=2)}\n```',
  }


_PACKAGES = (
  'artjax',
  'jax',
  'jaxlib',
  'flax',
  'optax',
  'orbax-checkpoint',
  'numpy',
  'tensorflow-cpu',
)


def _version(name):
  try:
    return importlib.metadata.version(name)
  except importlib.metadata.PackageNotFoundError:
    return 'not installed'


def _revision():
  """Revision of the checkout of this code, with + if files are changed."""
  folder, file = os.path.split(os.path.abspath(__file__))
  git = lambda *command: subprocess.run(
    ['git', '-C', folder, *command], capture_output=True, text=True, timeout=10
  )
  try:
    # An installed package may lie in a checkout of something else.
    if git('ls-files', '--error-unmatch', file).returncode:
      return 'no checkout'
    return git(
      'describe', '--always', '--dirty=+', '--abbrev=12'
    ).stdout.strip()
  except (OSError, subprocess.TimeoutExpired):
    return 'unknown'


def parameter_table(params: Any) -> str:
  """The network's tensors with their shapes and counts, as text."""
  try:
    from clu import parameter_overview

    return parameter_overview.get_parameter_overview(
      params, include_stats=False
    )
  except ImportError:
    import jax  # Only for this short form of the table.

    counts = {
      name: sum(leaf.size for leaf in jax.tree.leaves(part))
      for name, part in params.items()
    }
    rows = [f'{name:32} {count:12,}' for name, count in counts.items()]
    return '\n'.join([*rows, f'{"in all":32} {sum(counts.values()):12,}'])
