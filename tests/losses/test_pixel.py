"""Losses of two pictures, by hand."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from artjax import colour
from artjax import losses
from artjax.evaluation import metrics
from artjax.losses import pixel


@pytest.mark.parametrize(
  'name, values',
  [
    ('l1', [1.5 / 12, 0.5]),
    ('mse', [1.25 / 12, 0.25]),
    ('charbonnier', [(1 + 0.5 + 10 * 1e-3) / 12, 0.5]),
  ],
)
def test_by_hand(name, values):
  target = np.zeros((2, 2, 2, 3), np.float32)
  pred = target.copy()
  pred[0, 0, 1] = 1.0, 0.0, 0.5
  pred[1] = 0.5
  np.testing.assert_allclose(
    jax.jit(getattr(pixel, name))(pred, target), values, rtol=2e-5
  )


def test_charbonnier_eps():
  zero = np.zeros((1, 2, 2, 3), np.float32)
  np.testing.assert_allclose(
    pixel.charbonnier(zero, zero + 0.3, eps=0.4), [0.5], rtol=1e-6
  )


def test_ssim_of_flat_pictures_by_hand():
  pred = np.full((1, 12, 14, 3), 0.4, np.float32)
  target = np.full((1, 12, 14, 3), 0.6, np.float32)
  expected = 1 - (2 * 0.24 + 1e-4) / (0.16 + 0.36 + 1e-4)
  # A float32 variance is right to 1e-7, against the constant 9e-4.
  np.testing.assert_allclose(
    jax.jit(pixel.ssim)(pred, target), [expected], atol=1e-3
  )


@pytest.mark.parametrize('seed', [0, 1])
def test_ssim_agrees_with_the_metric(seed):
  rng = np.random.default_rng(seed)
  target = rng.integers(0, 256, (2, 33, 47, 3), np.uint8)
  noise = rng.normal(0, 40, target.shape)
  pred = np.clip(target + noise, 0, 255).astype(np.uint8)
  loss = jax.jit(pixel.ssim)(
    pred.astype(np.float32) / 255, target.astype(np.float32) / 255
  )
  np.testing.assert_allclose(
    1 - loss, metrics.ssim_rgb(pred, target), atol=2e-6
  )


def test_ssim_refuses_pictures_smaller_than_its_window():
  image = np.zeros((1, 10, 12, 3), np.float32)
  with pytest.raises(ValueError, match='11 px.*10x12'):
    pixel.ssim(image, image)


def test_psnr_is_decibels_below_the_bound():
  target = jnp.zeros([3, 4, 4, 3])
  error = jnp.asarray([0.0, 0.01, 0.1]).reshape(3, 1, 1, 1)
  have = jax.jit(pixel.psnr)(target + error, target)
  np.testing.assert_allclose(
    have, [0.0, 10 * np.log10(2), 10 * np.log10(101)], rtol=1e-4
  )


def test_detail_ignores_a_blocks_mean_and_sees_the_rest():
  rng = np.random.default_rng(0)
  target = jnp.asarray(rng.uniform(size=[2, 33, 32, 3]), jnp.float32)
  offset = np.repeat(np.repeat(rng.uniform(size=[2, 2, 2, 3]), 16, 1), 16, 2)
  offset = jnp.asarray(
    np.pad(offset, [(0, 0), (0, 1), (0, 0), (0, 0)]), jnp.float32
  )
  have = jax.jit(pixel.detail)(target + offset, target)
  np.testing.assert_allclose(have, 1e-3, rtol=1e-3)  # eps of equal pictures
  checks = jnp.asarray(np.indices([33, 32]).sum(0) % 2, jnp.float32)
  have = pixel.detail(target + checks.reshape(1, 33, 32, 1), target)
  np.testing.assert_allclose(have, 0.5, rtol=1e-4)
  with pytest.raises(ValueError, match='smaller than a block'):
    pixel.detail(target[:, :8], target[:, :8])


def test_ab_by_hand():
  lab = np.float32([[60, 20, 10], [60, 0, 0]]).reshape(1, 1, 2, 3)
  target = colour.lab_to_srgb(lab)
  moved = colour.lab_to_srgb(lab + np.float32([15, 3, -4]))  # 5 away, lighter
  distance = 5 * (np.sqrt(2) - 1)
  weights = 1 / (0.5 * np.exp(-np.hypot(20, 10) / 12) + 0.5), 1.0
  np.testing.assert_allclose(
    jax.jit(pixel.ab)(moved, target), [distance * np.mean(weights)], rtol=1e-3
  )
  np.testing.assert_allclose(
    pixel.ab(moved, target, rare=1.0), [distance], rtol=1e-3
  )
  lighter = colour.lab_to_srgb(lab + np.float32([15, 0, 0]))
  np.testing.assert_allclose(pixel.ab(lighter, target), [0], atol=1e-4)


def test_tone_sees_the_means_of_blocks_alone():
  rng = np.random.default_rng(0)
  target = jnp.asarray(rng.uniform(size=[2, 33, 40, 3]), jnp.float32)
  # What has no mean in any block costs nothing, nor what fills no block.
  checks = (np.indices([33, 40]).sum(0) % 2 - 0.5).reshape(1, 33, 40, 1)
  edge = np.zeros([1, 33, 40, 1])
  edge[:, 32:] = edge[:, :, 32:] = 0.7
  have = jax.jit(pixel.tone)(target + jnp.float32(checks + edge), target)
  np.testing.assert_allclose(have, [0.0, 0.0], atol=1e-6)
  # Four blocks, of which one is too light by 0.4 and one too dark by 0.2.
  shift = np.zeros([1, 33, 40, 1])
  shift[:, :16, :16], shift[:, 16:32, 16:32] = 0.4, -0.2
  have = pixel.tone(target + jnp.float32(shift), target)
  np.testing.assert_allclose(have, [0.15, 0.15], rtol=1e-4)
  # Of smaller blocks there are more; a shift of all is the same to all sizes.
  for block in (5, 16, 33):
    have = pixel.tone(target + 0.25, target, block=block)
    np.testing.assert_allclose(have, [0.25, 0.25], rtol=1e-5)


@pytest.mark.parametrize('loss', [pixel.tone, pixel.detail])
@pytest.mark.parametrize('shape', [(1, 15, 16, 3), (1, 16, 15, 3)])
def test_pictures_smaller_than_a_block_are_refused(loss, shape):
  small = np.zeros(shape, np.float32)
  says = f'{shape[2]} x {shape[1]} px is smaller than a block'
  with pytest.raises(ValueError, match=says):
    loss(small, small)
  whole = np.zeros((1, 16, 16, 3), np.float32)
  assert np.isfinite(loss(whole, whole)).all()


def test_lab_is_the_mean_distance_of_colours():
  black, white = np.zeros((1, 2, 2, 3), np.float32), np.ones((1, 2, 2, 3))
  np.testing.assert_allclose(
    pixel.lab(black, np.float32(white)), [1], rtol=1e-4
  )
  assert pixel.lab(black, black) < 1e-4
  lab = np.float32([[60, 20, 10], [30, -8, 15]]).reshape(1, 1, 2, 3)
  moved = colour.lab_to_srgb(lab + np.float32([2, 3, -6]))  # 7 away
  np.testing.assert_allclose(
    pixel.lab(moved, colour.lab_to_srgb(lab)), [0.07], rtol=1e-3
  )
  slope = jax.grad(lambda p: pixel.lab(p, black).sum())(black)
  np.testing.assert_array_equal(slope, 0)


def test_harm_counts_what_is_worse_than_what_was_given():
  target = np.zeros((3, 2, 2, 3), np.float32)
  given = target + 0.1
  pred = target + np.float32([0.05, 0.1, 0.2]).reshape(3, 1, 1, 1)
  worse = 10 * np.log10((1 + 0.04 / 1e-4) / (1 + 0.01 / 1e-4))
  np.testing.assert_allclose(
    pixel.harm(pred, target, given), [0, 0, worse], rtol=1e-4, atol=1e-4
  )
  # Named in a configuration, it gets what was given.
  total, terms = losses.total({'harm': 2.0}, pred, target, degraded=given)
  np.testing.assert_allclose(total, [0, 0, 2 * worse], rtol=1e-4, atol=1e-4)
  np.testing.assert_allclose(terms['harm'][2], worse, rtol=1e-4)
