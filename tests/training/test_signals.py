"""SIGTERM and SIGINT: the first asks, a second breaks off what may be."""

import os
import signal
import threading

import pytest

from artjax.training import signals


def send(number):
  os.kill(os.getpid(), number)


@pytest.mark.parametrize('number', [signal.SIGTERM, signal.SIGINT])
def test_the_first_only_asks(number, capsys):
  before = signal.getsignal(number)
  with signals.StopSignals() as stop:
    assert stop.name is None
    with stop.may_break_off():
      send(number)
    assert stop.name == number.name
    send(number)  # nothing may be broken off here
  assert f'{number.name}: ending after this step' in capsys.readouterr().err
  assert signal.getsignal(number) is before


def test_a_second_breaks_off_what_may_be():
  with signals.StopSignals() as stop:
    send(signal.SIGTERM)
    with pytest.raises(KeyboardInterrupt, match='SIGINT'):
      with stop.may_break_off():
        send(signal.SIGINT)
    with stop.may_break_off(alone=False):  # others wait for what it does
      send(signal.SIGINT)
    send(signal.SIGINT)  # again nothing
    assert stop.name == 'SIGINT'


def test_in_another_thread_signals_keep_their_meaning():
  before, found = signal.getsignal(signal.SIGTERM), []

  def enter():
    with signals.StopSignals() as stop:
      found.append((stop.name, signal.getsignal(signal.SIGTERM)))

  thread = threading.Thread(target=enter)
  thread.start()
  thread.join()
  assert found == [(None, before)]
