"""Drawings of files: white on black is seen."""

from conftest import shared
import cv2
import numpy as np
import pytest

from artjax.restoration import generative


def drawing(paper=240, ink=20, ink_share=0.05, dtype=np.uint8):
  image = np.full([100, 120, 3], paper, np.float64)
  rows = np.arange(4, 96)[:: max(1, round(1 / ink_share))]
  image[rows, 4:116] = ink
  return (image * (np.iinfo(dtype).max / 255)).astype(dtype)


@pytest.mark.parametrize('dtype', [np.uint8, np.uint16])
@pytest.mark.parametrize('share', [0.03, 0.3])
def test_chalk_is_told_from_ink(dtype, share):
  ink = drawing(ink_share=share, dtype=dtype)
  assert not generative.white_on_black(ink)
  assert generative.white_on_black(generative.invert(ink))
  np.testing.assert_array_equal(generative.invert(generative.invert(ink)), ink)
  assert generative.invert(ink).dtype == dtype


def test_floats_are_the_same_drawing():
  ink = drawing() / np.float32(255)
  assert not generative.white_on_black(ink)
  assert generative.white_on_black(generative.invert(ink))


def test_charcoal_on_white_is_no_chalk():
  image = drawing(paper=250, ink=250)
  image[8:92, 8:112] = 30  # most of the picture, but paper all around
  assert not generative.white_on_black(image)


def test_a_night_scene_with_a_large_light_is_no_chalk():
  image = drawing(paper=40, ink=40)
  image[10:90, 20:90] = 230
  assert not generative.white_on_black(image)


def test_real_sketches():
  folder = shared('faces/val/sketch')
  pictures = [cv2.imread(str(path)) for path in sorted(folder.iterdir())[::5]]
  assert len(pictures) == 10
  assert not any(map(generative.white_on_black, pictures))
  found = [generative.white_on_black(generative.invert(p)) for p in pictures]
  assert all(found)
