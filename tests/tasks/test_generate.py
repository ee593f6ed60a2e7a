"""Generating: latents, of a class where one is asked for."""

import jax
import numpy as np

from artjax import tasks
from artjax.tasks import generate


def test_generate_draws_a_latent_for_each_picture():
  batch = {'target': np.zeros([500, 28, 28, 3], np.uint8)}
  task = tasks.get('generate')
  x, y = (task.inputs(batch, jax.random.key(i)) for i in range(2))
  assert x.shape == (500, 1, 1, task.channels)
  assert abs(x.mean()) < 0.05 and abs(x.std() - 1) < 0.05
  assert abs((x * y).mean()) < 0.05  # another key, another draw
  assert not task.reads


def test_latents_are_of_the_class_that_is_asked_for():
  classes = np.arange(500, dtype=np.uint8) % generate.CLASSES
  batch = {'target': np.zeros([500, 28, 28, 3], np.uint8)}
  draw = tasks.get('generate').inputs
  x = np.asarray(draw(batch, jax.random.key(0)))
  of_class = np.asarray(
    draw(batch | {'class_label': classes}, jax.random.key(0))
  )
  np.testing.assert_array_equal(
    of_class[:, 0, 0, : generate.CLASSES].argmax(-1), classes
  )
  # The same numbers, two of them in each other's place.
  np.testing.assert_allclose(np.sort(x, -1), np.sort(of_class, -1), atol=1e-6)
  assert ((x != of_class).sum(-1) <= 2).all()
