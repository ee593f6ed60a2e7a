"""DISTS: what the authors' code gives, textures, refusals."""

from conftest import shared
import cv2
import numpy as np
import pytest

from artjax import resampling
from artjax.evaluation import metrics


def pair(name, width):
  """A picture, and the bicubic enlargement of its quarter."""
  read = lambda kind: cv2.imread(str(shared(f'golden/{kind}_{name}.png')))
  target, low = (read(kind)[..., ::-1] for kind in ('gt', 'lq'))
  enlarged = resampling.imresize(low, 4)
  return enlarged[None, :, :width], target[None, :, :width]


# Of the authors' DISTS_pytorch 0.1, with the same weights of VGG16.
def test_golden():
  found = metrics.dists(*pair('comic', width=239))  # odd: pooling pads it
  np.testing.assert_allclose(found, [0.28378487], atol=2e-6)


def test_a_texture_that_is_moved_counts_less_than_one_that_is_smoothed():
  rng = np.random.default_rng(0)
  texture = rng.integers(0, 256, [1, 64, 64, 3], np.uint8)
  moved = np.roll(texture, 3, 1)
  smooth = cv2.GaussianBlur(texture[0], (0, 0), 1)[None]
  assert metrics.mae(moved, texture) > metrics.mae(smooth, texture)
  far = metrics.dists(smooth, texture)
  assert metrics.dists(moved, texture) < far / 2 and far < 1
  assert metrics.dists(texture, texture) == 0


def test_too_small_a_picture_is_refused():
  small = np.zeros([1, 15, 40, 3], np.uint8)
  with pytest.raises(ValueError, match='at least 16 px'):
    metrics.dists(small, small)
