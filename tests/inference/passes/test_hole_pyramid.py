"""Holes: the middle of deep ones, and soft edges."""

import cv2
import numpy as np
import pytest

from artjax.inference.passes import hole_pyramid


def smooth(height, width):
  y, x = np.mgrid[:height, :width].astype(np.float32)
  return np.stack([x / width, y / height, (x + y) / (width + height)], -1)


def reading(picture):
  return lambda y, x, h, w: picture[y : y + h, x : x + w]


def never(*unused):
  raise AssertionError('nothing is deep here')


def test_shallow_holes_are_left_to_the_network():
  picture, hole = smooth(60, 90), np.zeros([60, 90], bool)
  hole[20:50, 10:80] = True
  have = hole_pyramid.reader(reading(picture), hole, never, 20)(5, 7, 40, 50)
  np.testing.assert_array_equal(have[..., :3], picture[5:45, 7:57])
  np.testing.assert_array_equal(have[..., 3] > 0, hole[5:45, 7:57])


@pytest.mark.parametrize('size', [(300, 401), (301, 400)])
def test_the_middle_of_deep_holes_comes_from_a_smaller_copy(size):
  picture, hole = smooth(*size), np.zeros(size, bool)
  hole[50:250, 60:300] = True
  damaged = np.where(hole[..., None], np.float32(9), picture)
  seen = []

  def run(small, small_hole):
    seen.append(small.shape)
    known = cv2.resize(
      picture, small.shape[1::-1], interpolation=cv2.INTER_AREA
    )
    np.testing.assert_allclose(
      small[~small_hole], known[~small_hole], atol=6e-3
    )
    assert not small[small_hole].any()
    return known

  have = hole_pyramid.reader(reading(damaged), hole, run, 20)(0, 0, *size)
  assert seen == [(-(-size[0] // 2), -(-size[1] // 2), 3)]
  still = have[..., 3] > 0
  assert still[51, 61] and not still[150, 180] and not still[10, 10]
  assert still[150, 78] and not still[150, 82]  # `reach` from its edge
  assert (still <= hole).all()
  np.testing.assert_allclose(have[~still][:, :3], picture[~still], atol=6e-3)
  np.testing.assert_array_equal(have[~hole][:, :3], picture[~hole])


def test_windows_agree_with_the_whole():
  picture, hole = smooth(200, 200), np.ones([200, 200], bool)
  hole[:20] = False
  read = hole_pyramid.reader(
    reading(picture),
    hole,
    lambda small, _: np.random.default_rng(0).random(small.shape, np.float32),
    20,
  )
  whole = read(0, 0, 200, 200)
  np.testing.assert_allclose(
    read(31, 57, 90, 101), whole[31:121, 57:158], atol=1e-5
  )


def test_soft_edges_lie_within_the_hole():
  hole = np.zeros([40, 40], bool)
  hole[15:27, 15:27] = True
  weight = hole_pyramid.share_of_fill(hole, 3)
  assert not weight[~hole].any()
  ramp = weight[20, 15:20].astype(int)
  np.testing.assert_array_equal(ramp, [64, 128, 191, 255, 255])


def test_hard_edges():
  hole = np.eye(8, dtype=bool)
  np.testing.assert_array_equal(hole_pyramid.share_of_fill(hole, 0), hole * 255)
  every = np.ones([8, 8], bool)
  assert (hole_pyramid.share_of_fill(every, 3) == 255).all()
