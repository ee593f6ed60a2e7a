"""RealPLKSR: its trunk without a loop, and where DySample samples."""

import jax
import numpy as np
import published_networks

from artjax import registry
from artjax.models.super_resolution import dysample


def picture(height, width, channels=3):
  rng = np.random.default_rng(0)
  return rng.random([1, height, width, channels], np.float32)


def test_without_the_loop_it_is_the_same_network():
  config, params = published_networks.weights(
    'plksr.RealPLKSR',
    {'features': 8, 'blocks': 2, 'part': 4, 'kernel': 5, 'norm': 'group'},
  )
  net, x = registry.model(config), picture(8, 6)
  loop, unrolled, recomputed = (
    jax.jit(m.apply)({'params': params}, x)
    for m in (net, net.clone(unroll=True), net.clone(remat=True))
  )
  np.testing.assert_allclose(loop, unrolled, atol=1e-5)
  np.testing.assert_allclose(loop, recomputed, atol=1e-5)


def test_samples_at_pixels_are_pixels_and_the_edge_is_repeated():
  x = picture(3, 4, 2)
  rows, columns = np.float32([-2, 0, 2, 9]), np.float32([-1, 0, 3, 4])
  at = np.meshgrid(rows, columns, indexing='ij')
  y = dysample.sample(x, [a[None, :, :, None] for a in at])
  expected = x[:, [0, 0, 2, 2]][:, :, [0, 0, 3, 3]]
  np.testing.assert_allclose(y, expected, atol=1e-6)


def test_samples_between_pixels_are_bilinear_and_groups_are_apart():
  x = picture(2, 2, 2)
  at = np.zeros([2, 1, 1, 1, 2], np.float32)
  # Of the second group alone.
  at[0, ..., 1] = 0.25
  at[1, ..., 1] = 0.5
  y = dysample.sample(x, at)[0, 0, 0]
  above, below = x[0, 0, :, 1].mean(), x[0, 1, :, 1].mean()
  np.testing.assert_allclose(
    y, [x[0, 0, 0, 0], 0.75 * above + 0.25 * below], atol=1e-6
  )
