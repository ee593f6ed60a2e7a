"""Writers, the parameter table."""

import json
import math
import sys
import time

from ml_collections import ConfigDict
import numpy as np
import pytest
from tensorboard.backend.event_processing import plugin_event_accumulator

from artjax.training.reporting import metric_writers


def lines(path):
  return [json.loads(line) for line in path.read_text().splitlines()]


def test_json_lines_and_tensorboard(tmp_path):
  writer = metric_writers.writer(str(tmp_path))
  writer.write_scalars(3, {'loss': np.float32(0.5), 'bad': math.inf})
  writer.write_images(3, {'panel': np.zeros([1, 8, 8, 3], np.uint8)})
  writer.write_texts(3, {'run': '- command: `artjax`'})
  writer.close()
  assert lines(tmp_path / 'metrics.jsonl') == [
    {'step': 3, 'loss': 0.5, 'bad': None}
  ]
  shown = plugin_event_accumulator.EventAccumulator(str(tmp_path)).Reload()
  assert {event.step for event in shown.Tensors('run')} == {3}


def test_what_a_broken_run_wrote_of_later_steps_is_dropped(tmp_path):
  for start, steps in ((0, (1, 2, 3)), (2, (3, 4))):
    if start:
      time.sleep(1)  # files of events are in the order of their seconds
    writer = metric_writers.writer(str(tmp_path), start)
    for step in steps:
      writer.write_scalars(step, {'loss': step + start / 10})
    writer.close()
    with open(tmp_path / 'metrics.jsonl', 'a') as file:
      file.write('{"step": 4, "lo')  # a kill in the middle of a line
    writer = metric_writers.JsonLines(str(tmp_path / 'metrics.jsonl'), 9)
  assert [line['loss'] for line in lines(tmp_path / 'metrics.jsonl')] == [
    *(1, 2, 3.2, 4.2)
  ]
  shown = plugin_event_accumulator.EventAccumulator(str(tmp_path)).Reload()
  assert [event.step for event in shown.Tensors('loss')] == [1, 2, 3, 4]


def test_a_writer_that_fails_is_left_out_and_said(tmp_path, caplog):
  writer = metric_writers.Writers(
    [
      metric_writers.JsonLines(str(tmp_path / 'gone' / 'a')),
      metric_writers.JsonLines(str(tmp_path / 'b')),
    ]
  )
  for step in (1, 2):
    writer.write_scalars(step, {'loss': 0.5})
  assert [line['step'] for line in lines(tmp_path / 'b')] == [1, 2]
  [said] = [r.message for r in caplog.records]
  assert 'JsonLines cannot write and is left out: ' in said and 'gone' in said


def test_a_writer_that_fails_at_the_beginning_ends_the_run(tmp_path):
  class Broken:
    def write_texts(self, step, texts):
      raise OSError('no space\nat all')

  writer = metric_writers.Writers([Broken()])
  with pytest.raises(ValueError, match='^Broken cannot write: no space$'):
    writer.begin(0, {'run': 'text'})
  (tmp_path / 'metrics.jsonl').mkdir()
  with pytest.raises(OSError):
    metric_writers.writer(str(tmp_path))


def test_a_run_is_described(monkeypatch):
  monkeypatch.setattr(sys, 'argv', ['artjax', 'train', '--config=a b'])
  said = metric_writers.described(ConfigDict({'steps': 3}))
  for part in ("train '--config=a b'", '- jax: `', '- devices: `', 'revision'):
    assert part in said['run']
  assert '"steps": 3' in said['config']


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
