"""NIQE: the published figure, refusals, order of damage."""

from conftest import shared
import cv2
import numpy as np
import pytest

from artjax.evaluation import metrics


def picture(name):
  return cv2.imread(str(shared(f'golden/gt_{name}.png')))[None, ..., ::-1]


# MATLAB's of the authors' release, as BasicSR publishes it; and what BasicSR's
# code gives of the other one.
@pytest.mark.parametrize(
  'name, value', [('baboon', 5.72957338), ('comic', 4.13883811)]
)
def test_golden(name, value):
  found = metrics.niqe(picture(name), picture(name))
  np.testing.assert_allclose(found, [value], atol=2e-6)


def test_the_target_and_what_is_beyond_blocks_have_no_part():
  photo = picture('comic')
  want = metrics.niqe(photo, np.zeros_like(photo))
  np.testing.assert_array_equal(
    metrics.niqe(photo[:, :300], photo[:, :300]), want[:]
  )
  np.testing.assert_array_equal(
    metrics.niqe(
      np.pad(photo, [(0, 0), (9, 9), (9, 9), (0, 0)]),
      np.pad(photo, [(0, 0), (9, 9), (9, 9), (0, 0)]),
      crop=9,
    ),
    want,
  )


def test_noise_is_less_natural():
  photo = picture('comic')
  noise = np.random.default_rng(0).normal(0, 40, photo.shape)
  noisy = np.clip(photo + noise, 0, 255).astype(np.uint8)
  assert metrics.niqe(noisy, photo) > metrics.niqe(photo, photo) + 3


def test_what_has_no_figure():
  flat = np.full([1, 200, 200, 3], 90, np.uint8)
  assert np.isnan(metrics.niqe(flat, flat)).all()
  small = flat[:, :100, :190]
  with pytest.raises(ValueError, match='niqe needs at least 96 x 192 px'):
    metrics.niqe(small, small)
