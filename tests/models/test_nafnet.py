"""NAFNet: the paper's counts, wiring, any size."""

from conftest import random_params
import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from artjax.models import nafnet

SMALL = {
  'width': 4,
  'enc_blocks': (1, 1),
  'middle_blocks': 1,
  'dec_blocks': (1, 1),
}


def moved(model):
  return random_params(model, 0.2)


def run(model, params, x):
  # A new function each time, so that nothing is kept from before a patch.
  return np.asarray(
    jax.jit(lambda *args: model.apply(*args))({'params': params}, x)
  )


def picture(h, w):
  return np.random.default_rng(1).uniform(0, 1, [1, h, w, 3]).astype(np.float32)


@pytest.mark.parametrize(
  'width, parameters', [(32, 29_159_715), (64, 115_982_915)]
)
def test_parameter_counts_of_the_paper(width, parameters):
  # 29.16 M and 115.98 M in the authors' tables.
  shapes = jax.eval_shape(
    nafnet.NAFNet(width=width).init, jax.random.key(0), picture(16, 16)
  )
  assert sum(x.size for x in jax.tree.leaves(shapes)) == parameters


def test_every_parameter_gets_a_gradient():
  model = nafnet.NAFNet(**SMALL)
  x = picture(16, 16)
  grads = jax.jit(
    jax.grad(lambda p: (model.apply({'params': p}, x) ** 2).mean())
  )(moved(model))
  for path, grad in jax.tree.leaves_with_path(grads):
    assert np.abs(grad).max() > 0, jax.tree_util.keystr(path)


@pytest.mark.parametrize('size', [(21, 35), (1, 1)])
def test_any_size(size):
  model = nafnet.NAFNet(**SMALL)
  x = picture(*size)
  y = run(model, moved(model), x)
  assert y.shape == x.shape and y.dtype == jnp.float32
  assert np.abs(y - x).max() > 1e-3


def test_every_skip_changes_the_output(monkeypatch):
  model, x = nafnet.NAFNet(**SMALL), picture(16, 16)
  params = moved(model)
  whole = run(model, params, x)
  shuffle = nafnet.layers.pixel_shuffle

  class Absorb:
    """An array that swallows what is added to it."""

    def __init__(self, array):
      self.array = array

    def __add__(self, other):
      return self.array

  for cut in range(2):
    calls = []

    def without(y, scale, cut=cut, calls=calls):
      calls.append(0)
      up = shuffle(y, scale)
      return Absorb(up) if len(calls) == cut + 1 else up

    monkeypatch.setattr(nafnet.layers, 'pixel_shuffle', without)
    changed = run(model, params, x)
    assert len(calls) == 2
    assert np.abs(changed - whole).max() > 1e-3, cut


def test_uneven_levels_are_named():
  model = nafnet.NAFNet(**{**SMALL, 'dec_blocks': (1,)})
  with pytest.raises(ValueError, match='dec_blocks'):
    model.init(jax.random.key(0), picture(16, 16))


class PlainBlock(nn.Module):
  """nafnet.Block of Flax's own layers, as the paper draws it."""

  dtype: jnp.dtype = jnp.float32

  @nn.compact
  def __call__(self, x):
    channels = x.shape[-1]
    scale = lambda name: self.param(
      name, nn.initializers.zeros, (1, 1, 1, channels)
    )
    y = nn.LayerNorm(epsilon=1e-6, name='norm1')(x)
    y = nn.Dense(2 * channels, name='conv1')(y)
    y = PlainDepthwise(name='conv2')(y)
    a, b = jnp.split(y, 2, axis=-1)
    y = a * b
    y = y * nn.Dense(channels, name='attention')(y.mean((1, 2), keepdims=True))
    x = x + nn.Dense(channels, name='conv3')(y) * scale('beta')
    y = nn.LayerNorm(epsilon=1e-6, name='norm2')(x)
    a, b = jnp.split(nn.Dense(2 * channels, name='conv4')(y), 2, axis=-1)
    return x + nn.Dense(channels, name='conv5')(a * b) * scale('gamma')


class PlainDepthwise(nn.Module):
  @nn.compact
  def __call__(self, x):
    channels = x.shape[-1]
    kernel = self.param('kernel', nn.initializers.ones, (3, 3, channels))
    bias = self.param('bias', nn.initializers.zeros, (channels,))
    return bias + jax.lax.conv_general_dilated(
      x,
      kernel[:, :, None],
      (1, 1),
      'SAME',
      feature_group_count=channels,
      dimension_numbers=('NHWC', 'HWIO', 'NHWC'),
    )


def test_block_is_the_plain_one_and_so_are_its_gradients():
  x = np.random.default_rng(2).standard_normal([2, 12, 10, 8], np.float32)
  cotangent = x[::-1, ::-1]
  params = random_params(nafnet.Block(), 0.3, 8)

  def both(block, params, x):
    y, back = jax.vjp(lambda p, x: block.apply({'params': p}, x), params, x)
    return y, back(cotangent)

  with jax.numpy_rank_promotion('allow'):
    have, want = (
      jax.jit(lambda *args, b=block: both(b, *args))(params, x)
      for block in (nafnet.Block(), PlainBlock())
    )
  assert jax.tree.structure(have) == jax.tree.structure(want)
  for (path, a), b in zip(
    jax.tree.leaves_with_path(have), jax.tree.leaves(want)
  ):
    np.testing.assert_allclose(
      a, b, rtol=0, atol=1e-5 * np.abs(b).max(), err_msg=str(path)
    )


def test_confidence_leaves_picture_and_trunk_alone():
  plain = nafnet.NAFNet(**SMALL, stem=2)
  model = nafnet.NAFNet(**SMALL, stem=2, confidence=True)
  x = picture(21, 35)
  params = moved(model)
  head = params['confidence']
  trunk = {k: v for k, v in params.items() if k != 'confidence'}
  y = run(model, params, x)
  assert y.shape == (1, 21, 35, 4) and y.dtype == np.float32
  np.testing.assert_allclose(y[..., :3], run(plain, trunk, x), atol=1e-5)
  grads = jax.jit(
    jax.grad(lambda p: model.apply({'params': p}, x)[..., 3].sum())
  )(params)
  for name, part in grads.items():
    moves = any(np.abs(g).max() > 0 for g in jax.tree.leaves(part))
    assert moves == (name == 'confidence'), name
  assert len(jax.tree.leaves(head)) == 8


def test_confidence_starts_at_a_constant_and_the_trunk_as_without():
  fields = {**SMALL, 'stem': 2, 'zero_init': True}
  x = picture(16, 16)
  model = nafnet.NAFNet(**fields, confidence=True)
  params = jax.jit(model.init)(jax.random.key(3), x)['params']
  y = run(model, params, x)
  np.testing.assert_allclose(np.exp(y[..., 3]), 0.03, rtol=1e-5)
  plain = jax.jit(nafnet.NAFNet(**fields).init)(jax.random.key(3), x)
  del params['confidence']
  jax.tree.map(np.testing.assert_array_equal, params, plain['params'])


def test_attention_sees_a_window_in_use_and_all_in_training():
  net = nafnet.NAFNet(**SMALL, window=32)
  params = {'params': moved(net)}
  near = picture(40, 400)
  far = near.copy()
  far[:, :, 350:] = 0
  seen = jax.jit(lambda x: net.apply(params, x))
  # What is far away does not matter; without a window it does.
  left = slice(None), slice(None), slice(0, 40)
  np.testing.assert_array_equal(seen(near)[left], seen(far)[left])
  whole = jax.jit(lambda x: net.clone(window=0).apply(params, x))
  assert np.abs(whole(near)[left] - whole(far)[left]).max() > 1e-4
  # Training, and pictures no larger than the window, have one mean of all.
  trained = jax.jit(lambda x: net.apply(params, x, train=True))
  np.testing.assert_array_equal(trained(near), whole(near))
  crop = near[:, :32, :32]
  np.testing.assert_array_equal(seen(crop), whole(crop))


def test_attention_of_windows_is_that_of_each_window():
  x = jnp.asarray(picture(64, 48))
  weights = lambda means: 2 * means + 1
  seen = nafnet.attend(x, weights, 16)
  # 13 and 9 windows; those in the corners, and one in the middle.
  for y, x0 in ((0, 0), (48, 32), (24, 16)):
    window = (0, slice(y, y + 16), slice(x0, x0 + 16))
    expected = weights(x[window].mean((0, 1)))
    # Half a pixel from the middle the next window has a share of an eighth.
    pixel = (0, y + 7, x0 + 7)
    np.testing.assert_allclose(seen[pixel], expected * x[pixel], rtol=0.03)
  corner = weights(x[0, :16, :16].mean((0, 1)))
  np.testing.assert_allclose(seen[0, 0, 0], corner * x[0, 0, 0], rtol=1e-5)


def test_a_bound_keeps_local_means_and_leaves_lines_alone():
  free, bound = (
    nafnet._share(jnp.asarray(change, jnp.float32)[None], 8 / 255)
    for change in (line(), wall())
  )
  assert (free == 1).all()
  assert bound[0, 24, 24, 0] == pytest.approx(8 / 255 / 0.5)
  assert bound[0, 24, 90, 0] == 1  # far from it
  assert bound.shape == (1, 50, 100, 1)


def line():
  """f32[50, 100, 3]: a line of 1 px is taken away, and noise."""
  change = np.random.default_rng(0).normal(0, 0.05, (50, 100, 3))
  change[30] -= 0.3
  return change


def wall():
  """f32[50, 100, 3]: a bright part becomes dark."""
  change = np.zeros([50, 100, 3])
  change[:, :48] = -0.5
  return change


def test_what_is_trained_is_not_bound():
  net = nafnet.NAFNet(
    width=4, enc_blocks=(1,), middle_blocks=1, dec_blocks=(1,)
  )
  x = jnp.full([1, 32, 32, 3], 0.5)
  params = jax.jit(net.init)(jax.random.key(0), x)['params']
  params = jax.tree.map(lambda p: np.asarray(p) + np.float32(0.3), params)
  tight = net.clone(bound=0.01)
  free = run(net, params, x)
  trained = jax.jit(lambda p, x: tight.apply({'params': p}, x, train=True))
  np.testing.assert_array_equal(trained(params, x), free)
  moved = jnp.abs(run(tight, params, x) - x)
  assert jnp.abs(free - x).max() > 0.05 > moved.mean()
