"""The transform that undoes stains: identity, bounds, tints and veils."""

import jax
import numpy as np

from artjax import tasks
from artjax.tasks import stains


def test_zeros_are_the_identity():
  picture = np.random.default_rng(0).random((2, 6, 5, 3), np.float32)
  made = stains.transform(picture, *stains.factors(np.zeros((2, 6, 5, 6))))
  np.testing.assert_allclose(made, picture, atol=1e-6)


def test_bounds_hold_whatever_is_predicted():
  factor, added = stains.factors(np.float32([[-99] * 6, [99] * 6]))
  np.testing.assert_allclose(factor[:, 0], np.exp([-1.5, 1.5]), rtol=1e-5)
  np.testing.assert_allclose(added[:, 0], [-0.5, 0.5], rtol=1e-5)


def test_a_tint_and_a_veil_can_be_undone():
  clean = np.random.default_rng(1).random((4, 5, 3))
  tint, veil, weight = np.float64([0.6, 0.42, 0.3]), 0.8, 0.4
  y = np.zeros((4, 5, 6))
  y[..., :3] = np.arctanh(-np.log(tint) / stains.GAIN)
  made = stains.transform(clean * tint, *stains.factors(y))
  np.testing.assert_allclose(made, clean, atol=1e-6)
  y[..., :3] = np.arctanh(-np.log(1 - weight) / stains.GAIN)
  y[..., 3:] = np.arctanh(-veil * weight / (1 - weight) / stains.ADDED * 0.9)
  veiled = (1 - weight) * clean + weight * veil * 0.9
  np.testing.assert_allclose(
    stains.transform(veiled, *stains.factors(y)), clean, atol=1e-6
  )


def test_the_task_says_what_its_output_means():
  task = tasks.get('stains')
  image = np.random.default_rng(2).integers(0, 256, (1, 6, 5, 3), np.uint8)
  y = np.random.default_rng(3).uniform(-1, 1, (1, 6, 5, 6)).astype(np.float32)
  want = stains.transform(image / np.float32(255), *stains.factors(y))
  made = jax.jit(task.to_image)({'image': image}, y)
  np.testing.assert_allclose(made, want, atol=1e-5)
  np.testing.assert_allclose(
    task.inputs({'image': image}, None), image / 255, atol=1e-6
  )
  assert not (task.finds or task.fills)
