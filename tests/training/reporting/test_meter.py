"""The meter: means, skipped steps, speed and waiting by a clock of its own."""

import jax.numpy as jnp
import pytest

from artjax.training.reporting import meter as meters


class Clock:
  """`time.perf_counter` that only moves when it is told to."""

  now = 100.0

  def perf_counter(self):
    return self.now


@pytest.fixture
def clock(monkeypatch):
  clock = Clock()
  monkeypatch.setattr(meters, 'time', clock)
  return clock


def row(loss, skipped=0.0):
  return {
    'loss': jnp.float32(loss),
    'grad_norm': jnp.float32(1),
    'skipped': jnp.float32(skipped),
  }


def test_means_since_the_last_report(clock):
  meter = meters.Meter(4, 100)
  for loss in (1.0, 3.0):
    meter.add(row(loss))
    clock.now += 0.5
  values = meter.read()
  assert values['loss'] == 2.0 and values['skipped'] == 0
  assert values['steps_per_s'] == 2 and values['images_per_s'] == 8
  meter.add(row(7.0))
  clock.now += 2
  values = meter.read()
  assert values['loss'] == 7.0 and values['steps_per_s'] == 0.5
  assert meter.last is values
  assert meter.images_per_s() == pytest.approx(4.0)  # of all 3 steps, in 3 s


def test_skipped_steps_are_counted_and_left_out_of_the_means(clock, caplog):
  meter = meters.Meter(1, 10)
  for loss, skipped in ((1.0, 0), (float('nan'), 1), (3.0, 0)):
    meter.add(row(loss, skipped))
  clock.now += 1
  values = meter.read()
  assert values['loss'] == 2.0
  assert meter.skipped == 1 and values['skipped'] == 1
  assert meter.bad_in_a_row == 0  # a good one came after it
  assert 'loss of nan' in caplog.text and 'norm of 1.0' in caplog.text
  for _ in range(2):
    meter.add(row(float('inf'), 1))
  clock.now += 1
  values = meter.read()
  assert values['loss'] == float('inf')  # there is no other
  assert meter.bad_in_a_row == 2 and values['skipped'] == 3
  meter.add(row(float('inf'), 1))
  clock.now += 1
  meter.read()
  assert meter.bad_in_a_row == 3  # over reports


def test_waiting_counts_and_pauses_do_not(clock):
  meter = meters.Meter(2, 100)
  with meter.waiting():
    clock.now += 1
  clock.now += 3
  with meter.paused('evaluation'):
    clock.now += 10
  meter.add(row(1.0))
  values = meter.read()
  assert values['data_wait'] == 0.25 and values['steps_per_s'] == 0.25
  assert meter.data_wait() == 0.25 and meter.images_per_s() == 0.5
  # What was before the last report is not counted again in the next.
  with meter.waiting():
    clock.now += 1
  clock.now += 1
  meter.add(row(1.0))
  values = meter.read()
  assert values['data_wait'] == 0.5 and values['steps_per_s'] == 0.5
  assert meter.data_wait() == pytest.approx(2 / 6)


def test_time_that_ends_in_an_error_counts_too(clock):
  meter = meters.Meter(2, 100)
  for context in (lambda: meter.paused('evaluation'), meter.waiting):
    with pytest.raises(KeyError), context():
      clock.now += 1
      raise KeyError
  clock.now += 1
  meter.add(row(1.0))
  assert meter.read()['data_wait'] == 0.5


def test_the_mean_of_each_kind_of_pause_is_known(clock):
  meter = meters.Meter(2, 10)
  assert meter.mean_pauses() == {}
  for name, seconds in ('evaluation', 3), ('checkpoint', 1), ('evaluation', 5):
    with meter.paused(name):
      clock.now += seconds
  assert meter.mean_pauses() == {'evaluation': 4, 'checkpoint': 1}


def test_eta_is_at_the_pace_of_the_last_report(clock):
  meter = meters.Meter(1, 7200 + 60 + 5)
  meter.add(row(1.0))
  clock.now += 2
  meter.read()
  assert meter.eta(0) == '4:02:10'
  assert meter.eta(7200 + 60) == '0:00:10'


def test_the_queue_is_bounded(clock):
  waited = []

  class Loss:
    def __init__(self, i):
      self.i = i

    def block_until_ready(self):
      waited.append(self.i)

  meter = meters.Meter(1, 10)
  for i in range(5):
    meter.add({'loss': Loss(i)})
  assert waited == [0, 1, 2]
