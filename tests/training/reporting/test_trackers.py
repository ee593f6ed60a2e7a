"""Trackers: what they are told, and that a run goes on in them."""

import json
import sys
import types

from conftest import tiny_config
import numpy as np
import pytest

from artjax.training import preflight
from artjax.training.reporting import metric_writers
from artjax.training.reporting import trackers

PICTURES = np.zeros([2, 4, 4, 3], np.uint8)


@pytest.fixture
def wandb(monkeypatch):
  """A module in the place of wandb; `.calls` is what was asked of it."""
  calls = []

  class Run:
    def __init__(self, identity):
      self.id = identity or 'made-up'
      self.log = lambda values: calls.append(('log', values))
      self.define_metric = lambda *a, **k: calls.append(('define', a, k))
      self.finish = lambda: calls.append(('finish',))

  def init(**settings):
    calls.append(('init', settings))
    return Run(settings['id'])

  module = types.ModuleType('wandb')
  module.__spec__ = types.SimpleNamespace()  # it can be found
  module.calls, module.init = calls, init
  module.Image = lambda picture: ('image', picture.shape)
  module.Table = lambda columns, data: ('table', columns, data)
  monkeypatch.setitem(sys.modules, 'wandb', module)
  return module


def test_wandb_is_told_and_goes_on(tmp_path, wandb, monkeypatch):
  monkeypatch.setitem(sys.modules, 'clu', None)  # it takes seconds to load
  config = tiny_config(loggers=('wandb',))
  for step in (0, 2):
    more = trackers.start(config, str(tmp_path))
    writer = metric_writers.writer(str(tmp_path), step, more=more)
    writer.begin(step, {'run': 'text'})
    writer.write_scalars(step + 1, {'loss': np.float32(0.5)})
    writer.write_images(step + 1, {'a | b': PICTURES})
    writer.close()
  named = [call for call in wandb.calls if call[0] == 'init']
  assert [settings['id'] for _, settings in named] == [None, 'made-up']
  assert named[0][1]['name'] == tmp_path.name
  assert named[0][1]['config']['optimizer.name'] == 'adam'
  logged = [call[1] for call in wandb.calls if call[0] == 'log']
  assert logged[:3] == [
    {'step': 0, 'run': ('table', ['text'], [['text']])},
    {'step': 1, 'loss': 0.5},
    {'step': 1, 'a | b': [('image', (4, 4, 3))] * 2},
  ]
  assert logged[4] == {'step': 3, 'loss': 0.5}
  # Steps as wandb counts them only increase: repeated ones would be lost.
  assert ('define', ('*',), {'step_metric': 'step'}) in wandb.calls
  assert wandb.calls[-1] == ('finish',)


@pytest.fixture
def stand_in(monkeypatch):
  """A module in the place of mlflow; `.calls` is what was asked of it."""
  calls = []

  class Client:
    def log_metric(self, run, name, value, step):
      calls.append(('metric', run, name, value, step))

    def log_text(self, run, text, path):
      calls.append(('text', run, text, path))

    def log_image(self, run, picture, path):
      calls.append(('image', run, picture.shape, path))

  def start_run(run_id, run_name):
    calls.append(('start', run_id, run_name))
    info = types.SimpleNamespace(run_id=run_id or 'made-up')
    return types.SimpleNamespace(info=info)

  module = types.ModuleType('mlflow')
  module.__spec__ = types.SimpleNamespace()  # it can be found
  module.calls, module.MlflowClient, module.start_run = calls, Client, start_run
  module.log_params = lambda params: calls.append(('params', params))
  module.end_run = lambda: calls.append(('end',))
  monkeypatch.setitem(sys.modules, 'mlflow', module)
  return module


def test_calls_of_mlflow(tmp_path, stand_in):
  config = tiny_config(loggers=('mlflow',))
  for _ in range(2):
    [tracker] = trackers.start(config, str(tmp_path)).values()
    tracker.write_scalars(3, {'eval/a | b': np.float32(0.5), 'bad': np.inf})
    tracker.write_texts(3, {'run: x': 'text'})
    tracker.write_images(3, {'worst': PICTURES})
    tracker.close()
  start, (_, params), *first = stand_in.calls[:7]
  assert start == ('start', None, tmp_path.name)
  assert params['optimizer.name'] == 'adam'
  assert first == [
    ('metric', 'made-up', 'eval/a_-_b', 0.5, 3),
    ('text', 'made-up', 'text', 'run-_x-3.md'),
    ('image', 'made-up', (4, 4, 3), 'worst/00000003-0.png'),
    ('image', 'made-up', (4, 4, 3), 'worst/00000003-1.png'),
    ('end',),
  ]
  # The run is continued, without parameters, which cannot change.
  assert stand_in.calls[7:] == [('start', 'made-up', None), *first]


def test_mlflow_has_metrics_parameters_and_artifacts(tmp_path, monkeypatch):
  mlflow = pytest.importorskip('mlflow')
  monkeypatch.chdir(tmp_path)  # where some of its versions write at once
  monkeypatch.setenv('MLFLOW_ALLOW_FILE_STORE', 'true')
  mlflow.set_tracking_uri((tmp_path / 'mlruns').as_uri())
  config = tiny_config(loggers=('mlflow',))
  for step in (0, 2):
    config.seed = step  # parameters cannot be changed
    more = trackers.start(config, str(tmp_path))
    writer = metric_writers.writer(str(tmp_path), step, more=more)
    writer.begin(step, {'run': 'text'})
    writer.write_scalars(
      step + 1, {'eval/loss': np.float32(0.5), 'bad': np.nan}
    )
    writer.write_images(step + 1, {'worst: a | b': PICTURES})
    writer.close()
  client = mlflow.MlflowClient()
  known = json.loads((tmp_path / 'trackers.json').read_text())['mlflow']
  [run] = client.search_runs(['0'])
  assert run.info.run_id == known and run.info.run_name == tmp_path.name
  assert run.data.params['optimizer.name'] == 'adam'
  assert run.data.params['seed'] == '0' and 'bad' not in run.data.metrics
  history = client.get_metric_history(known, 'eval/loss')
  assert [(m.step, m.value) for m in history] == [(1, 0.5), (3, 0.5)]
  names = [a.path for a in client.list_artifacts(known)]
  assert names == ['run-0.md', 'run-2.md', 'worst-_a_-_b']
  shown = [a.path for a in client.list_artifacts(known, names[-1])]
  assert len(shown) == 4 and shown[0].endswith('/00000001-0.png')


def test_what_is_unknown_or_missing_is_said_before_anything_is_made(
  monkeypatch,
):
  with pytest.raises(ValueError, match="no 'tensorboad'; there are mlflow"):
    preflight.check_fields(tiny_config(loggers=('tensorboad',)))
  monkeypatch.setattr(trackers.importlib.util, 'find_spec', lambda name: None)
  with pytest.raises(ValueError, match='wandb is not installed: pip install'):
    preflight.check_fields(tiny_config(loggers=('wandb',)))


def test_a_tracker_that_cannot_begin_is_one_line(tmp_path, wandb):
  def init(**settings):
    raise RuntimeError('no account\nlog in')

  wandb.init = init
  with pytest.raises(ValueError, match='^loggers: wandb cannot begin: no acco'):
    trackers.start(tiny_config(loggers=('wandb',)), str(tmp_path))
  assert trackers.start(tiny_config(), str(tmp_path)) == {}
  assert not list(tmp_path.iterdir())
