"""Writers of metrics: TensorBoard events and a JSON-lines file.

`<workdir>/metrics.jsonl` is always written; TensorBoard events through clu
where clu and TensorFlow are installed, and where they are not that is said
once. Both take the calls of `clu.metric_writers.MetricWriter` that are used.
"""

from collections.abc import Mapping, Sequence
import json
import math
import os
from typing import Any

from absl import logging


class JsonLines:
  """Appends {'step': ..., name: value, ...} lines to a file."""

  def __init__(self, path: str):
    """Appends to the file at `path`."""
    self._path = path

  def write_scalars(self, step: int, scalars: Mapping[str, Any]) -> None:
    """One line; a value that is not finite becomes null, as JSON wants."""
    numbers = {k: float(v) for k, v in scalars.items()}
    values = {k: v if math.isfinite(v) else None for k, v in numbers.items()}
    with open(self._path, 'a') as file:
      file.write(json.dumps({'step': int(step), **values}) + '\n')

  def write_images(self, step: int, images: Mapping[str, Any]) -> None:
    """Pictures are left to TensorBoard and to the evaluation's report."""

  def flush(self) -> None:
    """Every line is on disk already."""

  close = flush


class Writers:
  """Passes every call on to several writers."""

  def __init__(self, writers: Sequence[Any]):
    """Passes on to `writers`, in order."""
    self._writers = writers

  def write_scalars(self, step: int, scalars: Mapping[str, Any]) -> None:
    """{name: number} at `step`."""
    for writer in self._writers:
      writer.write_scalars(step, scalars)

  def write_images(self, step: int, images: Mapping[str, Any]) -> None:
    """{name: u8[N, H, W, 3]} at `step`."""
    for writer in self._writers:
      writer.write_images(step, images)

  def flush(self) -> None:
    """Returns when all is on disk."""
    for writer in self._writers:
      writer.flush()

  def close(self) -> None:
    """Flushes and lets go of the files."""
    for writer in self._writers:
      writer.close()


def writer(workdir: str, *, primary: bool = True) -> Writers:
  """The writers of a run; of other processes than the primary one, none."""
  if not primary:
    return Writers([])
  writers: list[Any] = [JsonLines(os.path.join(workdir, 'metrics.jsonl'))]
  try:
    from clu import metric_writers  # Seconds: it brings TensorFlow along.

    writers.append(
      metric_writers.AsyncWriter(metric_writers.SummaryWriter(workdir))
    )
    logging.info('TensorBoard: tensorboard --logdir=%s', workdir)
  except ImportError as e:
    logging.warning(
      'No TensorBoard events: %s is not installed. Metrics go to %s.',
      e.name,
      os.path.join(workdir, 'metrics.jsonl'),
    )
  return Writers(writers)


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
