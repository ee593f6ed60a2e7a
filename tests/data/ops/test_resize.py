"""Shrinking: what is averaged, what is cut, what stays binary."""

import cv2
from drawn_pictures import places
import numpy as np
import pytest

from artjax import resampling
from artjax.data.ops import resize


def _rng(seed=0):
  return np.random.default_rng(seed)


def test_masks_stay_binary_when_shrunk():
  result = resize.scale(0.37)(places(), _rng())
  assert result['mask'].shape == result['image'].shape == (18, 26, 3)
  assert set(np.unique(result['mask'])) <= {0, 255}


def test_float_pictures_are_shrunk_as_floats():
  image = np.full((40, 40, 3), 0.25, np.float32)
  result = resize.scale(0.5)({'name': 'x', 'image': image}, _rng())['image']
  assert result.dtype == np.float32 and result.shape == (20, 20, 3)
  np.testing.assert_allclose(result, 0.25)


def test_fit_only_shrinks():
  assert resize.fit(35)(places(50, 70), _rng())['image'].shape == (25, 35, 3)
  example = places(50, 70)
  assert resize.fit(70)(example, _rng())['image'] is example['image']


def test_downscale_is_of_the_image_alone():
  picture = cv2.GaussianBlur(
    _rng().integers(0, 256, (48, 64, 3), np.uint8), (0, 0), 2
  )
  example = {'name': 'x', 'image': picture, 'target': picture}
  result = resize.downscale(4)(example, _rng())
  np.testing.assert_array_equal(
    result['image'], resampling.imresize(picture, 0.25)
  )
  assert result['target'] is picture
  odd = {'name': 'x', 'image': picture[:47]}
  with pytest.raises(ValueError, match=r'mod_crop\(4\)'):
    resize.downscale(4)(odd, _rng())
  whole = resize.downscale(4)(resize.mod_crop(4)(odd, _rng()), _rng())
  assert whole['image'].shape == (11, 16, 3)
