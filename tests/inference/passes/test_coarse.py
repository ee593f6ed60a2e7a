"""The coarse pass: what it is shown, and what becomes of its answer."""

import numpy as np
import pytest

from artjax.inference.passes import coarse as coarse_pass


@pytest.mark.parametrize(
  'size, small',
  [
    ((600, 900), (200, 300)),
    ((900, 600), (300, 200)),
    ((500, 2000), (200, 800)),
    ((150, 400), (150, 400)),
  ],
)
def test_the_shorter_side_is_as_asked_and_nothing_is_enlarged(size, small):
  assert coarse_pass.shrink(np.zeros([*size, 3], np.float32), 200).shape == (
    *small,
    3,
  )


def test_areas_are_averaged():
  picture = np.zeros([8, 8, 3], np.float32)
  picture[::2, ::2] = 1
  np.testing.assert_allclose(coarse_pass.shrink(picture, 4), 0.25)


def test_windows_are_those_of_the_whole_enlarged():
  small = np.linspace(0, 1, 7, dtype=np.float32)[:, None].repeat(5, 1)
  whole = coarse_pass.window(small, 0, 70, 70, 50)
  # The middle of a small pixel keeps its value.
  np.testing.assert_allclose((whole[4] + whole[5]) / 2, small[0, 0], atol=0.02)
  np.testing.assert_allclose(whole[34:36].mean(), small[3, 0], atol=0.01)
  assert (np.diff(whole[:, 20]) >= 0).all()
  np.testing.assert_allclose(
    coarse_pass.window(small, 23, 30, 70, 50), whole[23:53], atol=1e-6
  )


def test_losses_and_stains_are_what_both_say_and_cracks_what_tiles_say():
  rows = np.full([10, 6, 4], 0.3, np.float32)
  seen = np.zeros([5, 3, 3], np.float32)
  seen[..., 1], seen[..., 2] = 0.8, 0.9
  (top, have), (second, _) = coarse_pass.merge(
    [(0, rows), (10, rows)], seen, 20, 6
  )
  assert (top, second) == (0, 10)
  np.testing.assert_array_equal(have[..., [0, 3]], rows[..., [0, 3]])
  for i, odds in (
    (1, 0.8 * np.log(3 / 7) + 0.2 * np.log(4)),
    (2, 0.5 * np.log(3 / 7) + 0.5 * np.log(9)),
  ):
    np.testing.assert_allclose(have[..., i], 1 / (1 + np.exp(-odds)), rtol=1e-5)
  assert (rows == np.float32(0.3)).all()  # the caller's are left as they are


def test_what_is_certain_is_no_infinity():
  rows = np.ones([2, 2, 3], np.float32)
  ((_, have),) = coarse_pass.merge(
    [(0, rows)], np.zeros([1, 1, 3], np.float32), 2, 2
  )
  np.testing.assert_allclose(have[..., 2], 0.5, atol=1e-3)
