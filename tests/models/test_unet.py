"""The U-Net: counts, wiring, any size, tiles that agree."""

import functools

from conftest import random_params
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from artjax.models import layers
from artjax.models import unet

SMALL = {'features': (8, 12, 16), 'blocks': (1, 1, 1), 'context_size': 16}


@functools.cache
def setup(**overrides):
  """(model, parameters away from the identity that it starts as)."""
  model = unet.UNet(**{**SMALL, **overrides})
  return model, random_params(model, 0.1)


@functools.cache
def start():
  return jax.jit(setup()[0].init)(jax.random.key(0), picture(16, 16))['params']


def run(model, params, x, context=None):
  # Compiled: op by op costs more compilations than one network does.
  # A new function each time, so that nothing is kept from before a patch.
  # Arguments, not closures: XLA would evaluate the latter as it compiles.
  return np.asarray(
    jax.jit(
      lambda params, x, context: model.apply(
        {'params': params}, x, context=context
      )
    )(params, x, context)
  )


def picture(h, w, batch=1):
  return (
    np.random.default_rng(1).uniform(0, 1, [batch, h, w, 3]).astype(np.float32)
  )


def count(model):
  shapes = jax.eval_shape(
    model.init, jax.random.key(0), np.zeros([1, 32, 32, 3], np.float32)
  )
  return sum(x.size for x in jax.tree.leaves(shapes['params']))


def test_parameter_counts():
  assert count(unet.UNet()) == 4_755_306
  assert count(unet.UNet(blocks=(1, 1, 1, 1))) == 2_606_826
  # By hand: three convolutions; 102 quantiles and 448 means and maxima into two
  # dense layers; the colours; the modulation of the blocks at the bottom and on
  # the way up.
  film = lambda f: 256 * 2 * f + 2 * f
  colour = (
    27 * 32
    + 32
    + 9 * 32 * 64
    + 64
    + 9 * 64 * 128
    + 128
    + 550 * 256
    + 256
    + 256 * 256
    + 256
    + 256 * 30
    + 30
  )
  films = 2 * film(256) + 2 * film(128) + 2 * film(64) + film(32)
  stem = 9 * 12 * 32  # the recoloured picture at the entry
  assert (
    count(unet.UNet()) - count(unet.UNet(context_size=0))
    == colour + films + stem
  )
  assert count(unet.UNet(features=(), blocks=())) == colour


@pytest.mark.parametrize('size', [(24, 40), (31, 13), (1, 1)])
def test_any_size_and_identity_at_the_start(size):
  model, moved = setup()
  x = picture(*size)
  y = run(model, start(), x)
  assert y.shape == x.shape and y.dtype == jnp.float32
  np.testing.assert_allclose(y, x, atol=1e-6)
  assert np.abs(run(model, moved, x) - x).max() > 1e-2


# Without the context where it is not in question: it compiles for long.
@pytest.mark.parametrize(
  'overrides',
  [
    {},
    {'norm': 'group', 'context_size': 0},
    {'down': 'stride', 'context_size': 0},
    {'stem': 1, 'context_size': 0},
  ],
  ids=str,
)
def test_every_parameter_gets_a_gradient(overrides):
  model, moved = setup(**overrides)
  grads = jax.jit(
    jax.grad(
      lambda p: (model.apply({'params': p}, picture(16, 24)) ** 2).mean()
    )
  )(moved)
  for path, grad in jax.tree.leaves_with_path(grads):
    assert np.abs(grad).max() > 0, jax.tree_util.keystr(path)


def test_every_skip_changes_the_output(monkeypatch):
  model, moved = setup()
  x = picture(16, 16)
  whole = run(model, moved, x)
  upsample = layers.upsample
  levels = len(SMALL['features']) - 1
  for cut in range(levels):
    calls = []

    def without(y, scale, cut=cut, calls=calls):
      calls.append(y.shape)
      up = upsample(y, scale)
      # The skip is added to this: what cancels it makes the skip a zero.
      return _Absorb(up) if len(calls) == cut + 1 else up

    monkeypatch.setattr(layers, 'upsample', without)
    changed = run(model, moved, x)
    assert len(calls) == levels
    assert np.abs(changed - whole).max() > 1e-3, cut


class _Absorb:
  """An array that swallows what is added to it."""

  def __init__(self, array):
    self._array = array

  def __add__(self, other):
    return self._array


def test_context_matters_and_defaults_to_the_picture():
  model, moved = setup()
  x = picture(16, 16)
  own = run(model, moved, x)
  np.testing.assert_allclose(
    own, run(model, moved, x, context=x), rtol=1e-4, atol=1e-4
  )
  other = run(model, moved, x, context=x * 0.5)
  assert np.abs(own - other).max() > 1e-3


def test_tile_with_context_is_the_whole_within_its_halo():
  model, moved = setup()
  x = picture(160, 160)
  whole = run(model, moved, x)
  halo = -(-(model.receptive_field // 2) // model.multiple) * model.multiple
  assert halo < 72
  tile = run(model, moved, x[:, 16:, 32:], context=x)
  np.testing.assert_allclose(
    tile[:, halo:, halo:], whole[:, 16 + halo :, 32 + halo :], atol=1e-4
  )


def test_receptive_field_is_what_it_says():
  model, moved = setup(context_size=0)
  x = picture(128, 128)
  grad = jax.jit(
    jax.grad(lambda x, p: model.apply({'params': p}, x)[0, 64, 64].sum())
  )(x, moved)
  rows = np.nonzero(np.abs(np.asarray(grad)).max((0, 2, 3)))[0]
  reach = max(64 - rows.min(), rows.max() - 64)
  assert reach <= model.receptive_field // 2 <= reach + model.multiple


def test_bfloat16_computes_but_does_not_store():
  model, moved = setup()
  half = model.clone(dtype=jnp.bfloat16)
  params = jax.eval_shape(half.init, jax.random.key(0), picture(16, 16))
  assert {p.dtype for p in jax.tree.leaves(params)} == {jnp.dtype('float32')}
  x = picture(16, 16)
  exact = run(model, moved, x)
  y = run(half, moved, x)
  assert y.dtype == jnp.float32
  difference = np.abs(y - exact).max() / np.abs(exact).max()
  assert 0 < difference < 0.05


@pytest.mark.parametrize(
  'field, value', [('norm', 'batch'), ('down', 'max'), ('blocks', (1,))]
)
def test_bad_fields_are_named(field, value):
  model = unet.UNet(**{**SMALL, field: value})
  with pytest.raises(ValueError, match=field):
    model.init(jax.random.key(0), picture(16, 16))
