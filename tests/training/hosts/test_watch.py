"""Who is silent, failed or stuck is named; who is done is not missed."""

import json
import time

import jax
import pytest

from artjax.training.hosts import watch


class Service:
  """The key-value store of a coordination service."""

  def __init__(self, **others):
    self.said = {f'artjax/alive/{i}': v for i, v in others.items()}

  def key_value_set(self, key, value, allow_overwrite):
    assert allow_overwrite
    self.said[key] = value

  def key_value_dir_get(self, folder):
    return [(k, v) for k, v in self.said.items() if k.startswith(folder)]


class Ended(Exception):
  pass


@pytest.fixture
def make(monkeypatch):
  """Makes a Watch of process 0 of 2, the other of which said `theirs`."""

  def make(**theirs):
    service = Service()
    if theirs:
      theirs = {'host': 'far', 'step': 1, **theirs}
      service.said['artjax/alive/1'] = json.dumps(theirs)
    monkeypatch.setattr(watch, 'client', lambda: service)
    found = watch.Watch(0.2)
    found.service = service
    return found

  def end(self):
    raise Ended

  monkeypatch.setattr(jax, 'process_count', lambda: 2)
  monkeypatch.setattr(watch.Watch, '_end', end)
  return make


@pytest.mark.parametrize(
  'theirs, says',
  [
    ({'beat': 1}, r'artjax: process 1 \(far\) has been silent for 0 s: ending'),
    ({}, r'process 1 \(never heard of\) has been silent'),
    ({'failed': 'no disk'}, r'process 1 \(far\) ended: no disk$'),
  ],
)
def test_a_process_that_is_gone_is_named(make, capsys, theirs, says):
  with pytest.raises(Ended):
    make(**theirs).run()
  line = capsys.readouterr().err.strip()
  assert '\n' not in line
  assert __import__('re').search(says, line)


def test_a_process_that_is_done_is_not_missed(make, capsys, monkeypatch):
  monkeypatch.setattr(watch, 'STALLED', 60)
  found = make(done=True)
  found.note(4)  # a step just now, so this process is not stalled either
  found.start()
  time.sleep(0.6)
  assert found.is_alive()
  found.finish()
  found.join()
  assert not capsys.readouterr().err
  assert json.loads(found.service.said['artjax/alive/0'])['done']


def test_a_failure_is_told_to_the_others_by_its_last_line(make, capsys):
  found = make()
  with pytest.raises(Ended):
    found.fail('Traceback\nartjax: the disk is full\n')
  said = json.loads(found.service.said['artjax/alive/0'])
  assert said['failed'] == 'the disk is full'
  assert 'Traceback' in capsys.readouterr().err


def test_the_process_that_is_behind_is_named_where_none_goes_on(
  make, capsys, monkeypatch
):
  monkeypatch.setattr(watch, 'STALLED', 0)
  found = make(beat=1, step=3, done=True)
  found.note(None)  # an evaluation, that may take long
  found.start()
  time.sleep(0.2)
  found.finish()
  found = make(beat=1, step=3, done=True)
  found.note(4)
  with pytest.raises(Ended):
    found.run()
  assert 'for want of process 1 (far): ending' in capsys.readouterr().err


def test_started_it_runs_until_all_is_done(make, monkeypatch):
  make(done=True)  # the store
  monkeypatch.setattr(watch, '_watch', None)
  watch.start(0.2)
  assert watch._watch.is_alive()
  watch.at(7)
  watch.done()
  watch._watch.join(10)
  assert not watch._watch.is_alive() and watch._watch._said['step'] == 7
