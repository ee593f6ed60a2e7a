"""Writers, the parameter table."""

import json
import math
import sys

import numpy as np

from artjax.training import metric_writers


def lines(path):
  return [json.loads(line) for line in path.read_text().splitlines()]


def test_json_lines_and_tensorboard(tmp_path):
  writer = metric_writers.writer(str(tmp_path))
  writer.write_scalars(3, {'loss': np.float32(0.5), 'bad': math.inf})
  writer.write_images(3, {'panel': np.zeros([1, 8, 8, 3], np.uint8)})
  writer.close()
  assert lines(tmp_path / 'metrics.jsonl') == [
    {'step': 3, 'loss': 0.5, 'bad': None}
  ]
  assert list(tmp_path.glob('events.out.tfevents.*'))


def test_without_clu_lines_are_still_written(tmp_path, monkeypatch):
  monkeypatch.setitem(sys.modules, 'clu', None)  # What a missing one does.
  writer = metric_writers.writer(str(tmp_path))
  writer.write_scalars(1, {'loss': 2.0})
  writer.close()
  assert lines(tmp_path / 'metrics.jsonl') == [{'step': 1, 'loss': 2.0}]
  assert not list(tmp_path.glob('events*'))
  assert '6' in metric_writers.parameter_table({'a': {'w': np.zeros([2, 3])}})


def test_other_processes_write_nothing(tmp_path):
  writer = metric_writers.writer(str(tmp_path), primary=False)
  writer.write_scalars(1, {'loss': 2.0})
  writer.close()
  assert not list(tmp_path.iterdir())


def test_parameter_table_counts():
  table = metric_writers.parameter_table(
    {'conv': {'kernel': np.zeros([3, 3, 3, 8])}}
  )
  assert '216' in table
