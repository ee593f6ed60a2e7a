"""Cracks: networks enclose islands, walks branch, shares are kept."""

import cv2
import numpy as np
import pytest

from artjax.data.degradations.drawing import cracks

SHAPES = {
  'walks': lambda s, r: cracks.walks(s, r, 4, (20, 60), (0.5, 2)),
  'mesh': lambda s, r: cracks.mesh(s, r, 14, (0.5, 1.5)),
  'brick': lambda s, r: cracks.mesh(s, r, 14, (0.5, 1.5), 2.0, 0.2, 0.9, True),
  'islands': lambda s, r: cracks.islands(s, r, 10, 0.1),
  'rings': lambda s, r: cracks.rings(s, r, (0.5, 1.5), 8),
}


@pytest.mark.parametrize('name', SHAPES)
@pytest.mark.parametrize('shape', [(97, 131), (33, 40), (16, 200)])
def test_coverage(name, shape):
  drawn = []
  for seed in range(8):
    cover = SHAPES[name](shape, np.random.default_rng(seed))
    assert cover.shape == shape and cover.dtype == np.float32
    assert 0 <= cover.min() and cover.max() <= 1
    drawn.append(cover.mean())
  assert 0.001 < np.mean(drawn) < 0.7
  assert len(np.unique(cover)) > 10  # antialiased


@pytest.mark.parametrize('name', SHAPES)
def test_same_generator_same_shape(name):
  one, two, other = (
    SHAPES[name]((90, 90), np.random.default_rng(seed)) for seed in (0, 0, 1)
  )
  np.testing.assert_array_equal(one, two)
  assert np.abs(one - other).max() > 0


@pytest.mark.parametrize('brick', [False, True])
def test_a_mesh_encloses_islands_of_its_cell(brick):
  """With no border missing, the picture falls apart into polygons."""
  cell, side = 20, 200
  cover = cracks.mesh(
    (side, side), np.random.default_rng(3), cell, (2, 2), keep=1.0, brick=brick
  )
  count, _, stats, _ = cv2.connectedComponentsWithStats(
    (cover < 0.02).astype(np.uint8), connectivity=4
  )
  islands = (stats[1:, cv2.CC_STAT_AREA] > 20).sum()
  assert islands == pytest.approx((side / cell) ** 2, rel=0.4), count


def test_mesh_keeps_the_share_of_borders_it_is_told():
  def lit(keep):
    return np.mean(
      [
        cracks.mesh(
          (128, 128), np.random.default_rng(seed), 12, (1, 1), keep=keep
        ).mean()
        for seed in range(10)
      ]
    )

  full = lit(1.0)
  assert lit(0.8) == pytest.approx(0.8 * full, rel=0.12)
  assert lit(0.3) == pytest.approx(0.3 * full, rel=0.25)
  assert lit(0.0) == 0


def test_big_pictures_get_no_more_islands_than_is_quick():
  shape = (3000, 4000)
  lines = cracks._borders(
    shape, np.random.default_rng(0), cracks._affordable(10, shape), 1, 0
  )
  assert cracks._POINTS < len(lines) < 4 * cracks._POINTS
  assert cracks._affordable(10, (128, 128)) == 10


def test_walks_branch_and_start_where_told():
  start = np.full((3, 2), 60.0)
  alone, branched = (
    np.mean(
      [
        cracks.walks(
          (120, 120),
          np.random.default_rng(seed),
          3,
          (30, 50),
          (1, 1),
          children=children,
          start=start,
        ).sum()
        for seed in range(10)
      ]
    )
    for children in (0.0, 2.0)
  )
  assert branched > 1.3 * alone
  cover = cracks.walks(
    (120, 120), np.random.default_rng(0), 3, (30, 50), (1, 1), start=start
  )
  assert cover[58:63, 58:63].max() > 0.5
  assert cover[:5].max() == 0  # too far to walk


def test_islands_lie_at_their_share():
  for share in (0.05, 0.2):
    cover = [
      cracks.islands((128, 128), np.random.default_rng(seed), 10, share).mean()
      for seed in range(12)
    ]
    assert np.mean(cover) == pytest.approx(share, rel=0.4)
