"""Data parallelism; of several processes see hosts/."""

import jax
import jax.numpy as jnp
import numpy as np

from artjax.training import distributed


def test_one_process_gathers_its_own():
  assert distributed.gather({'a': 1}) == [{'a': 1}]


def test_a_step_that_is_ready_is_not_compiled_again(monkeypatch):
  def step(state, batch, frozen):
    traced.append(1)
    return state + distributed.mean(batch.sum()) * frozen, {}

  traced, mapped = [], distributed.map_step(step)
  state = distributed.replicate(jnp.zeros([]))
  batch = np.ones([jax.local_device_count(), 2], np.float32)
  distributed.ready(mapped, state, batch, 2.0)
  assert not traced  # one process has nobody to wait for
  waited = []
  monkeypatch.setattr(distributed.agreement, 'barrier', waited.append)
  monkeypatch.setattr(distributed.jax, 'process_count', lambda: 2)
  distributed.ready(mapped, state, batch, 2.0)
  monkeypatch.undo()
  assert waited == ['the first step'] and traced == [1]
  assert float(mapped(state, batch, 2.0)[0]) == 4 and traced == [1]
