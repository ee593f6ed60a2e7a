"""Pictures are given to workers that may end at any time, without Ray."""

import collections
import io
import itertools
import signal

import pytest

from artjax.restoration.batch import finding
from artjax.restoration.batch import interrupts as interrupts_lib
from artjax.restoration.batch import journal
from artjax.restoration.batch import progress
from artjax.restoration.batch import running
from artjax.restoration.batch import worker
from artjax.restoration.batch.cluster import dispatch


class Pool:
  """Workers that end where a picture's name says so: 'ends2', two times."""

  def __init__(self):
    self.running, self.at_once = set(), 0
    self.given = collections.Counter()
    self._numbers = itertools.count()
    self.on_wait = lambda: None

  def start(self):
    number = next(self._numbers)
    self.running.add(number)
    self.at_once = max(self.at_once, len(self.running))
    return number + 1  # a worker is true

  def end(self, worker):
    self.running.discard(worker - 1)

  def give(self, worker, item, last):
    assert worker - 1 in self.running
    self.given[item.called] += 1
    return worker, item.called, self.given[item.called]

  def ended(self, tasks, seconds):
    self.on_wait()
    return tasks[-1:]  # not in their order

  def result(self, task):
    _, name, times = task
    if name.startswith('ends') and times <= int(name[4:]):
      raise dispatch.WorkerEnded('the worker ended')
    if name.startswith('bad'):
      return worker.failed(finding.Item(name, name), 'bad')
    stop = 'the disk is full' if name.startswith('full') else ''
    return worker.Result('done', {'status': 'done', 'key': 'k'}, stop=stop)


@pytest.fixture(name='restore')
def restore_fixture(tmp_path):
  pool, outcome, said = Pool(), running.Outcome(), io.StringIO()

  def restore(*names, workers=2, **more):
    items = [
      finding.Item(name, name, outputs={'picture': str(tmp_path / name)})
      for name in names
    ]
    with (
      journal.Journal(str(tmp_path)) as log,
      progress.Progress(len(items), said) as bar,
      interrupts_lib.Interrupts() as interrupts,
    ):
      run = running.Run(
        outcome, log, bar, interrupts, '', journal.Finished({}), [], **more
      )
      dispatch.restore(items, run, pool, workers)
    return outcome.counts(len(items))

  restore.pool, restore.outcome, restore.said = pool, outcome, said
  yield restore
  assert not pool.running  # each was ended


def test_each_picture_is_given_once(tmp_path, restore):
  names = [f'{i}.png' for i in range(20)]
  assert restore(*names, workers=3)['done'] == 20
  assert restore.pool.given == dict.fromkeys(names, 1)
  assert restore.pool.at_once == 3
  made = journal.read(str(tmp_path))
  assert {*made} == {str(tmp_path / name) for name in names}
  assert '[20/20]' in restore.said.getvalue()


def test_no_more_workers_than_pictures(restore):
  assert restore('a', workers=5)['done'] == 1
  assert restore.pool.at_once == 1


def test_a_picture_is_tried_twice(restore):
  counts = restore('a', 'ends1', 'b', 'ends2', 'c', 'ends9')
  assert counts == {'done': 4, 'skipped': 0, 'failed': 2, 'not tried': 0}
  assert {*restore.outcome.failures} == {'ends2', 'ends9'}
  assert restore.outcome.failures['ends2'] == 'ends2: the worker ended, 2 times'
  assert restore.pool.given == dict(a=1, b=1, c=1, ends1=2, ends2=2, ends9=2)
  said = restore.said.getvalue()
  assert said.count('the worker ended; it is tried once more') == 3


@pytest.mark.parametrize(
  'bad, more', [('full', {}), ('bad', {'fail_fast': True})]
)
def test_a_run_that_stops_begins_no_other_picture(restore, bad, more):
  counts = restore('a', bad, 'b', 'c', 'ends1', **more)
  assert counts['not tried'] >= 2
  assert sum(restore.pool.given.values()) <= 3
  assert restore.outcome.status == 1


def test_after_a_signal_the_pictures_in_hand_end(restore):
  waits = itertools.count()

  def on_wait():
    if next(waits) == 1:
      signal.raise_signal(signal.SIGTERM)

  restore.pool.on_wait = on_wait
  with pytest.raises(KeyboardInterrupt):
    restore(*'abcdef')
  assert restore.outcome.done == sum(restore.pool.given.values()) == 3


def test_pictures_in_hand_get_some_time_only(restore, monkeypatch):
  monkeypatch.setattr(dispatch, '_GRACE', 0.05)
  monkeypatch.setattr(restore.pool, 'ended', lambda *unused: [])
  restore.pool.on_wait = None
  checks = itertools.count()

  def check(self):
    if next(checks):
      raise KeyboardInterrupt

  monkeypatch.setattr(interrupts_lib.Interrupts, 'check', check)
  with pytest.raises(KeyboardInterrupt):
    restore('a', 'b')
  assert restore.outcome.done == 0
