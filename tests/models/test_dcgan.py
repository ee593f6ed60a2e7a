"""DCGAN: counts, shapes, and the transposed convolution as it is known."""

import adversaries
import jax
import jax.numpy as jnp
import numpy as np

from artjax.models import dcgan
from artjax.tasks import generate


def test_parameter_counts():
  z, x = jnp.zeros([1, 1, 1, generate.LATENT]), jnp.zeros([1, 28, 28, 3])
  assert adversaries.parameters(dcgan.Generator(), z) == 596_609
  assert adversaries.parameters(dcgan.Discriminator(), x) == 138_561
  told = jnp.zeros([1, 28, 28, generate.LATENT + 3])
  assert adversaries.parameters(dcgan.Discriminator(), told) == 201_291


def drawn(z, **fields):
  """(untrained generator's weights, what it draws from z)."""
  model = dcgan.Generator(features=(8, 4), axis_name=None, **fields)
  given = adversaries.variables(model, z)
  return given, jax.jit(model.apply)(given, z)


def test_a_latent_becomes_a_grey_picture():
  z = adversaries.pictures(3, 1, 1, 5)
  _, y = drawn(z)
  assert y.shape == (3, 28, 28, 3) and y.dtype == jnp.float32
  assert 0 < y.min() and y.max() < 1
  np.testing.assert_array_equal(y[..., 0], y[..., 2])
  assert np.abs(y[0] - y[1]).max() > 1e-4


def test_latents_side_by_side_are_pictures_side_by_side():
  z = adversaries.pictures(1, 2, 1, 5)
  (_, both), (_, first) = drawn(z), drawn(z[:, :1])
  assert both.shape == (1, 56, 28, 3)
  # But for the px that see across the border.
  np.testing.assert_allclose(both[:, :24], first[:, :24], atol=1e-6)


def test_transposed_convolution_is_xlas():
  x = jax.random.normal(jax.random.key(0), [2, 5, 4, 3])
  model = dcgan.ConvTranspose4x4(2, use_bias=False)
  kernel = jax.random.normal(jax.random.key(1), [12, 8])
  y = jax.jit(model.apply)({'params': {'kernel': kernel}}, x)
  # [dy, dx, c, features, py, px]: the offset of an output px from the corner
  # of the 2 x 2 px it is made from, against that of the input.
  k = kernel.reshape(2, 2, 3, 2, 2, 2)
  full = np.zeros([4, 4, 3, 2], np.float32)
  for dy in (0, 1):
    for dx in (0, 1):
      for py in (0, 1):
        for px in (0, 1):
          full[2 * dy + 1 - py, 2 * dx + 1 - px] = k[dy, dx, :, :, py, px]
  want = jax.lax.conv_transpose(x, full, (2, 2), 'SAME')
  np.testing.assert_allclose(y, want, atol=1e-4)


def test_convolution_is_xlas():
  for side in (5, 6):
    x = jax.random.normal(jax.random.key(0), [2, side, side + 1, 3])
    kernel = jax.random.normal(jax.random.key(1), [48, 4])
    y = jax.jit(dcgan.Conv4x4(4).apply)(
      {'params': {'kernel': kernel, 'bias': jnp.arange(4.0)}}, x
    )
    # [square down, square across, channel, dy in it, dx in it, features].
    full = kernel.reshape(2, 2, 3, 2, 2, 4).transpose(0, 3, 1, 4, 2, 5)
    want = jax.lax.conv_general_dilated(
      x,
      full.reshape(4, 4, 3, 4),
      (2, 2),
      ((1, 1), (1, 1)),
      dimension_numbers=('NHWC', 'HWIO', 'NHWC'),
    )
    np.testing.assert_allclose(
      y, want + jnp.arange(4.0).reshape(1, 1, 1, 4), atol=1e-4
    )


def test_the_largest_number_says_what_is_drawn():
  z = np.zeros([2, 1, 1, 12], np.float32)
  z[0, ..., 3] = z[1, ..., 7] = 2
  given, y = drawn(z)
  assert np.abs(y[0] - y[1]).max() > 1e-4
  # By far the largest: how large makes next to no difference to the kind.
  kernel = np.array(given['params']['dense']['kernel'])
  kernel[:12] = 0
  given = {**given, 'params': {**given['params'], 'dense': {'kernel': kernel}}}
  model = dcgan.Generator(features=(8, 4), axis_name=None)
  np.testing.assert_allclose(
    model.apply(given, z), model.apply(given, 1.5 * z), atol=1e-4
  )


def test_the_judge_is_told_the_kind():
  model = dcgan.Discriminator(features=(4, 8))
  x = np.zeros([3, 28, 28, 15], np.float32)
  x[..., -3:] = adversaries.pictures(1, 28, 28, 3)
  x[0, ..., 3] = x[1, ..., 7] = x[2, ..., 7] = 1
  given = adversaries.variables(model, x)
  logits = np.asarray(model.apply(given, x)[0])
  assert logits[0] != logits[1] and logits[1] == logits[2]


def test_nothing_is_blacker_than_paper():
  model = dcgan.Discriminator(features=(4, 8))
  given = adversaries.variables(model, np.zeros([1, 28, 28, 3], np.float32))
  of = lambda v: np.asarray(
    model.apply(given, np.full([1, 28, 28, 3], v, np.float32))[0]
  )
  assert of(0) == of(0.04) != of(0.06)


def test_the_judge():
  model = dcgan.Discriminator(features=(4, 8))
  x = adversaries.pictures(2, 28, 28, 3)
  given = adversaries.variables(model, x)
  (_, ((logits, seen), _)), grads = adversaries.training(model, given, x)
  assert logits.shape == (2, 1) and logits.dtype == jnp.float32
  assert [y.shape[1:] for y in seen] == [(14, 14, 4), (7, 7, 8)]
  adversaries.assert_every_gradient(grads)


def test_half_precision():
  z = adversaries.pictures(1, 1, 1, 5)
  given, y = drawn(z, dtype='bfloat16')
  assert y.dtype == jnp.float32
  np.testing.assert_allclose(y, drawn(z)[1], atol=0.03)
