"""Shapes: coverage in range, sized and placed as asked, repeatable."""

import numpy as np
import pytest

from artjax.data.degradations.drawing import shapes

SHAPES = {
  'strokes': lambda s, r: shapes.strokes(s, r, 6, (10, 40), (0.5, 2)),
  'polygons': lambda s, r: shapes.polygons(s, r, 4, (6, 14)),
  'boxes': lambda s, r: shapes.boxes(s, r, 3, (6, 20)),
  'brush': lambda s, r: shapes.brush(s, r, 2, (20, 50), (4, 9)),
  'specks': lambda s, r: shapes.specks(s, r, 30, (0.7, 2.5)),
  'clusters': lambda s, r: shapes.specks(s, r, 30, (0.7, 2.5), clusters=2),
  'patches': lambda s, r: shapes.patches(s, r, 16, 0.1),
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
  assert 0.001 < np.mean(drawn) < 0.9


@pytest.mark.parametrize('name', SHAPES)
def test_same_generator_same_shape(name):
  one, two, other = (
    SHAPES[name]((90, 90), np.random.default_rng(seed)) for seed in (0, 0, 1)
  )
  np.testing.assert_array_equal(one, two)
  assert np.abs(one - other).max() > 0


@pytest.mark.parametrize('name', ['strokes', 'polygons', 'brush', 'specks'])
def test_edges_are_antialiased(name):
  cover = SHAPES[name]((97, 131), np.random.default_rng(0))
  assert len(np.unique(cover)) > 10


def test_smooth_noise_is_smooth_and_centred():
  for cell in (4, 24, (6, 60)):
    field = shapes.smooth_noise((120, 160), np.random.default_rng(0), cell, 1)
    assert field.shape == (120, 160) and field.dtype == np.float32
    assert abs(field.mean() - 0.5) < 0.15
    down, across = cell if isinstance(cell, tuple) else (cell, cell)
    assert np.abs(np.diff(field, axis=0)).max() < 3 / down
    assert np.abs(np.diff(field, axis=1)).max() < 3 / across


@pytest.mark.parametrize('kind', ['ellipse', 'blob', 'edge'])
def test_blotch_is_a_distance_from_its_outline(kind):
  for seed in range(6):
    field = shapes.blotch(
      (100, 140), np.random.default_rng(seed), 30.0, 0.0, kind
    )
    assert field.shape == (100, 140) and field.dtype == np.float32
    # About one per radius; twice that where an ellipse is stretched.
    slope = np.hypot(*np.gradient(field))
    assert 0.2 / 30 < np.median(slope) < 2.2 / 30


def test_patches_cover_the_share_they_are_told():
  for share in (0.02, 0.1, 0.3):
    cover = [
      shapes.patches((128, 128), np.random.default_rng(seed), 12, share).mean()
      for seed in range(10)
    ]
    assert np.mean(cover) == pytest.approx(share, rel=0.35)


def test_a_torn_rim_goes_around_the_wedge():
  wedge, rim = shapes.tear(
    (80, 80),
    np.random.default_rng(0),
    np.array([40.0, -2.0]),
    np.pi / 2,
    50.0,
    10.0,
  )
  assert wedge.max() == 1 and (rim >= wedge - 1e-6).all()
  assert rim.sum() > wedge.sum()
  assert wedge[60:].max() == 0 and wedge[:4].max() == 1  # runs in from above
