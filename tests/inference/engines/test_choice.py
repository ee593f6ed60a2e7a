"""engine=auto: what is measured, and what is kept of it."""

import numpy as np
import pytest

from artjax.inference.engines import base
from artjax.inference.engines import choice

TILE, CONTEXT = np.zeros((1, 4, 4, 3)), np.zeros((1, 2, 2, 3))


class Clock:
  """Time passes only while a network runs."""

  def __init__(self):
    self.now, self.runs = 0.0, 0

  def __call__(self):
    return self.now

  def network(self, seconds, difference=0.0, error=None):
    def run(params, tiles, context):
      self.runs += 1
      if error:
        raise error
      self.now += seconds
      return tiles + difference / 255

    return run


def measured(networks, clock):
  return choice.measure(networks, {}, TILE, CONTEXT, clock)


@pytest.mark.parametrize(
  'seconds, best', [(0.5, 'openvino'), (0.95, 'jax'), (1.5, 'jax')]
)
def test_the_fastest_by_a_margin(seconds, best):
  clock = Clock()
  networks = {'jax': clock.network(1), 'openvino': clock.network(seconds)}
  found = measured(networks, clock)
  assert found['engine'] == best
  assert found['seconds'] == {'jax': 1, 'openvino': seconds}


def test_neither_what_differs_nor_what_fails():
  clock = Clock()
  found = measured(
    {
      'jax': clock.network(1),
      'onnx': clock.network(0.1, difference=1.5),
      'openvino': clock.network(0.1, error=base.CannotRun('no cumsum')),
    },
    clock,
  )
  assert found['engine'] == 'jax' and list(found['seconds']) == ['jax']
  assert found['cannot'] == {
    'onnx': 'its result differs by 1.5 levels',
    'openvino': 'no cumsum',
  }


@pytest.mark.parametrize(
  'levels, best', [(0.3, 'openvino-bf16'), (0.4, 'jax'), (np.nan, 'jax')]
)
def test_bfloat16_only_where_it_costs_next_to_nothing(levels, best):
  # 0.3 levels are 58.6 dB, 0.4 are 56.1: of 34 dB they cost 0.015 and 0.027.
  clock = Clock()
  networks = {
    'jax': clock.network(1),
    'openvino-bf16': clock.network(0.1, difference=levels),
  }
  found = measured(networks, clock)
  assert found['engine'] == best
  if levels == 0.4:
    assert found['cannot'] == {
      'openvino-bf16': 'rounding costs too much (56 dB)'
    }


def test_not_a_number_is_not_equal():
  clock = Clock()
  networks = {'jax': clock.network(1), 'onnx': clock.network(0, float('nan'))}
  assert measured(networks, clock)['engine'] == 'jax'


def test_without_memory_jax_is_kept_or_fails():
  clock = Clock()
  fails = clock.network(0, error=MemoryError())
  found = measured({'jax': clock.network(1), 'onnx': fails}, clock)
  assert found['cannot'] == {'onnx': 'out of memory'}
  with pytest.raises(MemoryError):
    measured({'jax': fails, 'onnx': clock.network(1)}, clock)


def test_is_measured_once_for_a_network(caches, monkeypatch):
  monkeypatch.setattr(choice.names, 'called', str)
  clock = Clock()
  networks = {'jax': clock.network(1), 'onnx': clock.network(0)}
  ask = lambda identity: choice.fastest(networks, {}, TILE, CONTEXT, identity)
  first = ask('a network')
  runs = clock.runs
  assert ask('a network') == first and clock.runs == runs > 0
  assert first.notice.startswith('engine=auto: ')
  ask('another')
  assert clock.runs == 2 * runs
  for path in (caches / 'engines').iterdir():  # cut off, say by a full disk
    path.write_text('{"engine": "on')
  assert ask('a network').engine in networks and clock.runs == 3 * runs


def test_without_another_engine_there_is_nothing_to_measure():
  clock = Clock()
  used = choice.fastest({'jax': clock.network(1)}, {}, TILE, CONTEXT, '')
  assert used.engine == 'jax' and clock.runs == 0
  assert 'pip install "artjax[openvino]"' in used.notice
