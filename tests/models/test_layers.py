"""Layers against plain implementations of the same thing."""

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from artjax.models import cpu_convolutions
from artjax.models import layers


def array(*shape):
  return np.random.default_rng(0).standard_normal(shape).astype(np.float32)


def test_unshuffle_has_torchs_channel_order_and_shuffle_undoes_it():
  x = array(2, 6, 4, 3)
  y = layers.pixel_unshuffle(x, 2)
  assert y.shape == (2, 3, 2, 12)
  for c in range(3):
    for dy in range(2):
      for dx in range(2):
        np.testing.assert_array_equal(
          y[..., c * 4 + dy * 2 + dx], x[:, dy::2, dx::2, c]
        )
  np.testing.assert_array_equal(layers.pixel_shuffle(y, 2), x)


def test_downsample_is_the_mean_of_squares():
  x = array(1, 4, 6, 2)
  want = (
    x[:, ::2, ::2] + x[:, 1::2, ::2] + x[:, ::2, 1::2] + x[:, 1::2, 1::2]
  ) / 4
  np.testing.assert_allclose(layers.downsample2(x), want, atol=1e-6)


@pytest.mark.parametrize('size', [(4, 6), (1, 3), (1, 1)])
@pytest.mark.parametrize('scale', [2, 3, 4])
def test_upsample_is_the_bilinear_resize(size, scale):
  x = array(2, *size, 3)
  want = jax.image.resize(
    x, (2, scale * size[0], scale * size[1], 3), 'bilinear'
  )
  np.testing.assert_allclose(layers.upsample(x, scale), want, atol=1e-5)


def test_padding_reflects_to_the_multiple():
  x = array(1, 5, 7, 2)
  y = layers.pad_to_multiple(x, 8)
  want = np.pad(x, [(0, 0), (0, 3), (0, 1), (0, 0)], 'reflect')
  np.testing.assert_array_equal(y, want)
  assert layers.pad_to_multiple(y, 8) is y
  assert layers.pad_to_multiple(x[:, :1, :1], 8).shape == (1, 8, 8, 2)


def grouped_convolution(x, kernel):
  return jax.lax.conv_general_dilated(
    x,
    kernel[:, :, None],
    (1, 1),
    'SAME',
    feature_group_count=x.shape[-1],
    dimension_numbers=('NHWC', 'HWIO', 'NHWC'),
  )


@pytest.mark.parametrize('size', [(9, 7), (1, 2)])
def test_depthwise_and_its_gradients_are_the_grouped_convolution(size):
  x, kernel = array(2, *size, 6), array(3, 3, 6)
  cotangent = x[::-1]

  def both(function):
    y, back = jax.vjp(function, x, kernel)
    return y, *back(cotangent)

  for got, want in zip(
    jax.jit(lambda: both(cpu_convolutions.depthwise3x3))(),
    jax.jit(lambda: both(grouped_convolution))(),
  ):
    np.testing.assert_allclose(got, want, atol=1e-4)


def test_depthwise_layer_adds_its_bias():
  x = array(2, 5, 4, 6)
  layer = layers.DepthwiseConv3x3()
  params = jax.eval_shape(layer.init, jax.random.key(0), x)['params']
  params = jax.tree.map(lambda p: array(*p.shape), params)
  want = grouped_convolution(x, params['kernel']) + params['bias'].reshape(
    1, 1, 1, 6
  )
  np.testing.assert_allclose(
    jax.jit(layer.apply)({'params': params}, x), want, atol=1e-4
  )


def test_depthwise_in_bfloat16_sums_its_gradient_in_float32():
  x = jnp.ones([1, 64, 64, 1], jnp.bfloat16)
  gradient = jax.jit(
    jax.grad(
      lambda k: cpu_convolutions.depthwise3x3(x, k).astype(jnp.float32).sum()
    )
  )(jnp.ones([3, 3, 1], jnp.bfloat16))
  # Sums of ones stop at 256 in bfloat16.
  assert gradient.dtype == jnp.bfloat16 and gradient[1, 1, 0] == 64 * 64


def gradients(function, cotangent, *args):
  """Outcome and gradients of all arguments, compiled."""

  def run(*args):
    y, back = jax.vjp(function, *args)
    return y, *back(cotangent)

  return jax.jit(run)(*args)


def test_normalize_is_the_layer_norm_and_so_is_its_gradient():
  x, cotangent = (
    3 * array(2, 5, 4, 6) + 1,
    array(4, 5, 2, 6).reshape(2, 5, 4, 6),
  )
  plain = nn.LayerNorm(epsilon=1e-6, use_scale=False, use_bias=False)
  for got, want in zip(
    gradients(layers.normalize, cotangent, x),
    gradients(lambda x: plain.apply({}, x), cotangent, x),
  ):
    np.testing.assert_allclose(got, want, rtol=1e-5, atol=1e-5)


def test_normalize_in_bfloat16_sums_in_float32():
  # Means of 1024 ones and their neighbours would stop at 256 in bfloat16.
  x = jnp.tile(jnp.asarray([1, 1.5], jnp.bfloat16), 512).reshape(1, 1024)
  y = layers.normalize(x)
  assert y.dtype == jnp.bfloat16
  np.testing.assert_allclose(np.float32(y[0, :2]), [-1, 1], rtol=1e-2)


@pytest.mark.parametrize('use_bias', [True, False])
def test_dense_scales_its_input_and_its_output(use_bias):
  x, cotangent = array(2, 3, 4, 6), array(2, 3, 4, 5)
  before, after = (array(6), array(6)[::-1]), array(5)
  layer = layers.Dense(5, use_bias=use_bias)
  plain = nn.Dense(5, use_bias=use_bias)
  params = {'kernel': array(6, 5)}
  if use_bias:
    params['bias'] = array(2, 5)[1]

  def folded(params, x, before, after):
    return layer.apply({'params': params}, x, before=before, after=after)

  def apart(params, x, before, after):
    scale, shift, after = (v.reshape(1, 1, 1, -1) for v in (*before, after))
    with jax.numpy_rank_promotion('allow'):
      return plain.apply({'params': params}, x * scale + shift) * after

  have, want = (
    gradients(f, cotangent, params, x, before, after) for f in (folded, apart)
  )
  assert jax.tree.structure(have) == jax.tree.structure(want)
  for a, b in zip(jax.tree.leaves(have), jax.tree.leaves(want)):
    np.testing.assert_allclose(a, b, rtol=1e-5, atol=2e-5)


# The last is two blocks of rows, the second not full.
@pytest.mark.parametrize(
  'shape, features, dilation',
  [
    ((2, 7, 9, 3), 5, 1),
    ((1, 4, 4, 6), 2, 1),
    ((1, 5, 6, 2), 3, 4),
    ((2, 50, 70, 2), 3, 2),
  ],
)
def test_conv3x3_is_the_convolution_and_so_is_its_gradient(
  shape, features, dilation
):
  x, weight = array(*shape), array(*shape[:3], features)
  layer = layers.Conv3x3(features, kernel_dilation=dilation)
  plain = nn.Conv(features, (3, 3), kernel_dilation=dilation)
  params = {'kernel': array(3, 3, shape[-1], features), 'bias': array(features)}
  np.testing.assert_allclose(
    layer.apply({'params': params}, x),
    plain.apply({'params': params}, x),
    rtol=1e-5,
    atol=1e-5,
  )
  have, want = (
    jax.jit(
      jax.grad(
        lambda *args, f=f: (
          f.apply({'params': args[0]}, args[1]) * weight
        ).sum(),
        (0, 1),
      )
    )(params, x)
    for f in (layer, plain)
  )
  for a, b in zip(jax.tree.leaves(have), jax.tree.leaves(want)):
    np.testing.assert_allclose(a, b, rtol=1e-4, atol=2e-4)


def test_conv3x3_of_every_dilation_has_the_fast_gradient(monkeypatch):
  called = []
  monkeypatch.setattr(
    cpu_convolutions,
    'conv3x3',
    lambda x, kernel, dilation: called.append(dilation) or x,
  )
  for dilation in (1, 2):
    layer = layers.Conv3x3(4, kernel_dilation=dilation)
    layer.init(jax.random.key(0), array(1, 5, 6, 4))
  assert called == [1, 2]


@pytest.mark.parametrize(
  'options',
  [
    {'strides': 2},
    {'padding': 'VALID'},
    {'kernel_dilation': (1, 2)},
    {'feature_group_count': 2},
    {'precision': 'highest'},
  ],
)
def test_conv3x3_of_other_kinds_is_that_of_flax(options):
  x = array(1, 8, 9, 4)
  layer = layers.Conv3x3(6, **options)
  plain = nn.Conv(6, (3, 3), **options)
  params = plain.init(jax.random.key(0), x)
  np.testing.assert_array_equal(layer.apply(params, x), plain.apply(params, x))


def test_conv3x3_sums_in_float32():
  x = jnp.ones([1, 64, 64, 1], jnp.bfloat16)
  gradient = jax.jit(
    jax.grad(lambda k: cpu_convolutions.conv3x3(x, k).astype(jnp.float32).sum())
  )(jnp.ones([3, 3, 1, 1], jnp.bfloat16))
  # Sums of ones stop at 256 in bfloat16.
  assert gradient.dtype == jnp.bfloat16 and gradient[1, 1, 0, 0] == 64 * 64


@pytest.mark.parametrize('strides', [1, 2])
def test_reflect_conv3x3_is_the_convolution_and_so_is_its_gradient(strides):
  x, weight = array(2, 6, 8, 3), array(2, 6 // strides, 8 // strides, 5)
  layer = layers.ReflectConv3x3(5, strides=strides)
  params = {'kernel': array(3, 3, 3, 5), 'bias': array(5)}

  def plain(params, x):
    x = jnp.pad(x, ((0, 0), (1, 1), (1, 1), (0, 0)), mode='reflect')
    return jax.lax.conv_general_dilated(
      x,
      params['kernel'],
      (strides, strides),
      'VALID',
      dimension_numbers=('NHWC', 'HWIO', 'NHWC'),
    ) + params['bias'].reshape(1, 1, 1, 5)

  have = lambda params, x: layer.apply({'params': params}, x)
  np.testing.assert_allclose(have(params, x), plain(params, x), atol=1e-5)
  have, want = (
    jax.jit(jax.grad(lambda *args, f=f: (f(*args) * weight).sum(), (0, 1)))(
      params, x
    )
    for f in (have, plain)
  )
  for a, b in zip(jax.tree.leaves(have), jax.tree.leaves(want)):
    np.testing.assert_allclose(a, b, rtol=1e-4, atol=1e-4)


def test_prelu_and_nearest():
  x = np.float32([[[[-2, 3], [1, -1]]]])
  params = {'params': {'slope': np.float32([0.5, 0.1])}}
  np.testing.assert_allclose(
    layers.PReLU().apply(params, x), [[[[-1, 3], [1, -0.1]]]], rtol=1e-6
  )
  np.testing.assert_array_equal(
    layers.upsample_nearest(x, 2)[0, :, :, 0], [[-2, -2, 1, 1]] * 2
  )


def test_large_conv_has_the_gradients_of_xla():
  x, kernel, cotangent = array(2, 7, 6, 3), array(5, 5, 3, 4), array(2, 7, 6, 4)
  plain = lambda x, kernel: jax.lax.conv_general_dilated(
    x, kernel, (1, 1), 'SAME', dimension_numbers=('NHWC', 'HWIO', 'NHWC')
  )
  for got, want in zip(
    gradients(cpu_convolutions.large_conv, cotangent, x, kernel),
    gradients(plain, cotangent, x, kernel),
  ):
    np.testing.assert_allclose(got, want, atol=1e-4)
