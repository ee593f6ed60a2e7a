"""One process decides alone; who does not come to a barrier is named."""

import jax
import pytest

from artjax.training.hosts import agreement
from artjax.training.hosts import watch

LATE = """DEADLINE_EXCEEDED: Barrier timed out. Id: x::0. This usually happens.
# of tasks that reached the barrier: 2/4.
The first task at the barrier: 0. Some timed out task names:
1
3


RPC: /xla.coordination.CoordinationService/Barrier"""


def test_a_lone_process_stops_at_once_and_waits_for_nobody():
  assert agreement.stop(3, 'SIGTERM') == 'SIGTERM'
  assert agreement.stop(5, None) is None
  agreement.barrier('nothing')


class Service:
  """A coordination service whose barriers end with an error."""

  def __init__(self, error):
    self._error = error

  def wait_at_barrier(self, name, milliseconds):
    assert (name, milliseconds) == ('artjax/step 5', 2000)
    raise jax.errors.JaxRuntimeError(self._error)


def wait(monkeypatch, error):
  monkeypatch.setattr(jax, 'process_count', lambda: 4)
  monkeypatch.setattr(watch, 'client', lambda: Service(error))
  agreement.barrier('step 5', 2)


def test_who_does_not_come_is_named(monkeypatch):
  says = '^process 1, 3 did not come to step 5 within 2 s$'
  with pytest.raises(ValueError, match=says):
    wait(monkeypatch, LATE)


def test_other_errors_are_not_taken_for_lateness(monkeypatch):
  with pytest.raises(jax.errors.JaxRuntimeError, match='UNAVAILABLE'):
    wait(monkeypatch, 'UNAVAILABLE: the leader is gone')


class Store:
  """A coordination service that records its calls, in order."""

  def __init__(self, told=()):
    self.calls, self._told = [], list(told)

  def key_value_set(self, key, value):
    self.calls.append(('set', key, value))

  def wait_at_barrier(self, name, milliseconds):
    self.calls.append(('wait', name, milliseconds))

  def key_value_dir_get(self, folder):
    self.calls.append(('get', folder))
    return self._told


def stop(monkeypatch, store, *args):
  monkeypatch.setattr(jax, 'process_count', lambda: 2)
  monkeypatch.setattr(jax, 'process_index', lambda: 1)
  monkeypatch.setattr(watch, 'client', lambda: store)
  return agreement.stop(*args)


def test_a_signal_is_written_before_the_barrier_and_read_after_it(monkeypatch):
  store = Store(
    [('artjax/stop/10/1', 'SIGINT'), ('artjax/stop/10/0', 'SIGTERM')]
  )
  assert stop(monkeypatch, store, 10, 'SIGINT') == 'SIGTERM'  # of the first
  assert store.calls == [
    ('set', 'artjax/stop/10/1', 'SIGINT'),
    ('wait', 'artjax/step 10', 1_800_000),
    ('get', 'artjax/stop/10/'),
  ]


def test_processes_agree_every_five_steps_only(monkeypatch):
  store = Store()
  assert stop(monkeypatch, store, 11, 'SIGTERM') is None and not store.calls
  assert stop(monkeypatch, store, 10, None) is None
  assert [call[0] for call in store.calls] == ['wait', 'get']
