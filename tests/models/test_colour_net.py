"""The network that colours by what a frozen one sees."""

import jax
import numpy as np
import pytest

from artjax import registry
from artjax.configs import colorize
from artjax.models import colour_net
from artjax.models import encoders


@pytest.fixture(name='net', scope='module')
def net_fixture():
  """(module, its variables, drawn away from the start)."""
  module = registry.model(colorize.get_config('quick'))
  rng = np.random.default_rng(0)
  draw = lambda x: np.float32(0.05 * rng.standard_normal(x.shape))
  found = registry.variables(colorize.get_config('quick'), 4)
  return module, {
    'params': jax.tree.map(draw, found['params']),
    'frozen': encoders.of(module),
  }


def seen(hinted=False, height=64, width=48):
  """Lightness, and perhaps one hint."""
  x = np.zeros([1, height, width, 4], np.float32)
  x[..., 0] = np.random.default_rng(1).uniform(-0.5, 0.5, x.shape[:3])
  if hinted:
    x[:, 10:14, 10:14, 1:] = 0.3, -0.2, 1
  return x


def test_parameters():
  found = registry.variables(colorize.get_config(), 4)
  # What is frozen is neither trained nor saved.
  assert set(found) == {'params'}
  assert sum(x.size for x in jax.tree.leaves(found['params'])) == 1_426_794


def test_it_starts_as_grey():
  module = colour_net.ColourNet(features=(8, 8), blocks=(1, 1))
  start = jax.jit(module.init)(jax.random.key(0), seen(True))
  frozen = encoders.of(module)
  y = jax.jit(module.apply)({**start, 'frozen': frozen}, seen(True))
  assert y.shape == (1, 64, 48, 2) and not np.asarray(y).any()


def test_what_is_seen_elsewhere_counts(net):
  module, variables = net
  x = seen()
  other = x.copy()
  other[:, 40:, 30:, 0] = 0.4
  run = jax.jit(module.apply)
  y, changed = (np.asarray(run(variables, part)) for part in (x, other))
  assert np.abs(y - changed)[:, :16, :16].max() > 1e-4


def test_hints_alone_bring_the_unet_in(net):
  module, variables = net
  no_unet = {
    **variables['params'],
    'spread': jax.tree.map(np.zeros_like, variables['params']['spread']),
  }
  run = jax.jit(module.apply)
  for hinted in (False, True):
    y, without = (
      np.asarray(run({**variables, 'params': params}, seen(hinted)))
      for params in (variables['params'], no_unet)
    )
    assert np.array_equal(y, without) != hinted


def test_its_frozen_network_is_asked_for(net):
  module, variables = net
  with pytest.raises(ValueError, match='ColourNet uses alexnet'):
    module.apply({k: v for k, v in variables.items() if k != 'frozen'}, seen())


def test_training_leaves_the_likely_colours(net):
  module, variables = net
  rest = {k: v for k, v in variables.items() if k != 'params'}

  def loss(params, x):
    return (module.apply({'params': params, **rest}, x) ** 2).mean()

  gradients = jax.jit(jax.grad(loss))(variables['params'], seen(True))
  assert not any(
    np.asarray(g).any() for g in jax.tree.leaves(gradients['likely'])
  )
  assert all(
    np.asarray(g).any()
    for g in jax.tree.leaves(gradients['spread']['stem_out'])
  )
