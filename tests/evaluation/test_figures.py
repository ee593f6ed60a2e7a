"""The figures of one picture."""

import numpy as np
import pytest

from artjax.evaluation import figures


def pair():
  """u8[12, 12, 3] each; a square of 4 px is off by 10, one pixel by 60."""
  target = np.full((12, 12, 3), 100, np.uint8)
  picture = target.copy()
  picture[2:6, 2:6] += 10
  picture[8, 8] += 60
  return picture, target


def test_damaged_pixels_are_measured_alone():
  picture, target = pair()
  mask = np.zeros((12, 12, 3), np.uint8)
  mask[2:6, 2:6, 1] = 255
  found = figures.measure(('psnr_damaged',), picture, target, mask=mask)
  assert found['psnr_damaged'] == pytest.approx(20 * np.log10(255 / 10))
  cropped = figures.measure(('psnr_damaged',), picture, target, 4, mask=mask)
  assert cropped == pytest.approx(found)  # four of its pixels are left
  none = figures.measure(('psnr_damaged',), picture, target, 6 - 1, mask=mask)
  assert none['psnr_damaged'] == pytest.approx(found['psnr_damaged'])
  empty = figures.measure(('psnr_damaged',), picture, target, mask=0 * mask)
  assert np.isnan(empty['psnr_damaged'])


def test_a_mask_that_is_wanted_and_not_there_is_named():
  with pytest.raises(ValueError, match='psnr_damaged needs a mask.*eval.ops'):
    figures.measure(('psnr_rgb', 'psnr_damaged'), *pair())


def test_equality_leaves_the_border_out():
  picture, target = pair()
  picture[2:9, 2:9] = 100
  picture[0, 0] = 3
  assert figures.same(picture, target, 1)
  assert not figures.same(picture, target)
