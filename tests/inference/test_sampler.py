"""Latents, and walks between them."""

import numpy as np

from artjax.inference import sampler
from artjax.tasks import generate


def test_latents_are_the_seeds():
  one, two = sampler.latents(0, 50), sampler.latents(1, 50)
  assert one.shape == (50, 1, 1, generate.LATENT) and one.dtype == np.float32
  np.testing.assert_array_equal(one, sampler.latents(0, 50))
  np.testing.assert_array_equal(one[:10], sampler.latents(0, 10))
  assert np.abs(one - two).max() > 1


def test_a_walk_keeps_the_length():
  start, end = sampler.latents(3, 2)
  end = end * np.linalg.norm(start) / np.linalg.norm(end)
  walked = sampler.walk(start, end, 7)
  np.testing.assert_allclose(walked[0], start, atol=1e-5)
  np.testing.assert_allclose(walked[-1], end, atol=1e-5)
  lengths = np.linalg.norm(walked.reshape(7, -1), axis=1)
  np.testing.assert_allclose(lengths, np.linalg.norm(start), rtol=1e-4)
  gaps = np.linalg.norm(np.diff(walked.reshape(7, -1), axis=0), axis=1)
  np.testing.assert_allclose(gaps, gaps[0], rtol=1e-4)
  np.testing.assert_array_equal(sampler.walk(start, start, 3)[1], start)
