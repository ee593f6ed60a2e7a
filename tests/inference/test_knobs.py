"""Networks that are told how noisy a picture is, or of which JPEG quality."""

import functools

import numpy as np
import published_networks
import pytest

from artjax.inference import knobs
from artjax.inference import network

PICTURE = np.random.default_rng(0).random([24, 17, 3], np.float32)
FIELDS = {
  'ffdnet.FFDNet': {'features': 6, 'convs': 3},
  'fbcnn.FBCNN': {'features': (4, 4, 4, 8), 'blocks': 1},
  'dncnn.DnCNN': {'features': 4, 'convs': 3},
}


@functools.cache
def restorer(name):
  return network.Restorer(*published_networks.weights(name, FIELDS[name]))


def test_noise_is_told_and_15_unless_said():
  found = restorer('ffdnet.FFDNet')
  assert found.knobs == ('noise',)
  usual = found(PICTURE)
  np.testing.assert_array_equal(found(PICTURE, noise=15), usual)
  assert np.abs(found(PICTURE, noise=50) - usual).max() > 1e-3
  np.testing.assert_array_equal(found(PICTURE), usual)  # nothing stays told


def test_another_value_compiles_nothing():
  found = restorer('ffdnet.FFDNet')
  found(PICTURE, noise=10)
  before = found._runner._run._cache_size()
  found(PICTURE, noise=20)
  assert found._runner._run._cache_size() == before


def test_quality_is_estimated_once_unless_told():
  found = restorer('fbcnn.FBCNN')
  assert found.knobs == ('quality',)
  usual = found(PICTURE)
  assert 0 <= found.jpeg_quality <= 100
  told = found(PICTURE, jpeg_quality=found.jpeg_quality)
  np.testing.assert_allclose(told, usual, atol=1e-6)
  other = 10 if found.jpeg_quality > 50 else 90
  assert np.abs(found(PICTURE, jpeg_quality=other) - usual).max() > 1e-5


def test_what_is_not_told_is_named():
  found = restorer('dncnn.DnCNN')
  assert found.knobs == ()
  with pytest.raises(ValueError, match='no input for the noise'):
    found(PICTURE, noise=20)
  with pytest.raises(ValueError, match='no input for the quality'):
    knobs.tell(found.params, jpeg_quality=20)
