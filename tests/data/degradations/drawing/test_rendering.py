"""Blending: no channel changes by more than the weight."""

import numpy as np
import pytest

from artjax.data.degradations.drawing import rendering


def picture(rng):
  return rng.random((24, 30, 3), np.float32)


def test_over_blends_colours_and_pictures():
  rng = np.random.default_rng(0)
  image, colour = picture(rng), rng.random(3, np.float32)
  weight = rng.random((24, 30), np.float32)
  expected = image + (colour - image) * weight[..., None]
  np.testing.assert_allclose(
    rendering.over(image, colour, weight), expected, atol=1e-6
  )
  other = picture(rng)
  expected = image + (other - image) * weight[..., None]
  np.testing.assert_allclose(
    rendering.over(image, other, weight), expected, atol=1e-6
  )


def test_tint_runs_from_one_colour_to_another():
  weight = np.float32([[0, 0.5, 1]])
  out = rendering.tint(weight, (0.2, 0.4, 0.6))
  np.testing.assert_allclose(
    out[0], [[1, 1, 1], [0.6, 0.7, 0.8], [0.2, 0.4, 0.6]], atol=1e-6
  )
  black = np.float32([0.1, 0, 0])
  np.testing.assert_allclose(
    rendering.tint(weight, (1, 1, 1), black)[0, 0], black, atol=1e-6
  )


@pytest.mark.parametrize('bright', [True, False, None])
def test_tone_stays_within_its_weight(bright):
  rng = np.random.default_rng(1)
  image = picture(rng)
  weight = rng.random((24, 30), np.float32) ** 2
  darker = 0
  for _ in range(60):
    change = rendering.tone(image, weight, rng, bright) - image
    assert (np.abs(change) <= weight[..., None] + 1e-6).all()
    darker += change.mean() < 0
  # 'bright' names a choice of colours; greys among them may still darken.
  low, high = {True: (0, 20), False: (45, 60), None: (15, 50)}[bright]
  assert low <= darker <= high


def test_union_bounds_changes_that_follow_one_another():
  rng = np.random.default_rng(2)
  image = picture(rng)
  weights = [rng.random((24, 30), np.float32) * 0.7 for _ in range(3)]
  out = image
  for weight in weights:
    out = rendering.over(out, rng.random(3, np.float32), weight)
  bound = rendering.union(weights)
  assert (np.abs(out - image) <= bound[..., None] + 1e-6).all()
  assert bound.max() <= 1


def test_shifted_is_one_pixel_further():
  weight = np.zeros((9, 9), np.float32)
  weight[4, 4] = 1
  places = set()
  for seed in range(40):
    y, x = np.argwhere(rendering.shifted(weight, np.random.default_rng(seed)))[
      0
    ]
    places.add((int(y) - 4, int(x) - 4))
  assert len(places) == 8 and (0, 0) not in places
  assert all(max(abs(y), abs(x)) == 1 for y, x in places)


def test_worn_only_takes_away():
  weight = np.ones((80, 80), np.float32)
  out = rendering.worn(weight, np.random.default_rng(0), 20)
  assert 0 <= out.min() < 0.1 and 0.9 < out.max() <= 1


def test_fills_and_grounds_are_colours():
  rng = np.random.default_rng(0)
  for kind in ('white', 'flat', 'texture', None):
    for _ in range(8):
      fill = rendering.fill((20, 30), rng, kind)
      assert fill.shape in ((3,), (20, 30, 3)) and fill.dtype == np.float32
      assert 0 <= fill.min() and fill.max() <= 1
  assert rendering.ground((20, 30), rng).std(axis=(0, 1)).max() > 0
