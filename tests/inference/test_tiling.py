"""Tiles: whatever the sizes, the picture comes back whole."""

import cv2
import hypothesis
from hypothesis import strategies as st
import numpy as np
import pytest

from artjax.inference import tiling

SIZES = st.integers(1, 150)
settings = hypothesis.settings(
  max_examples=60, deadline=None, derandomize=True, database=None
)


def picture(height, width, seed=0):
  return np.random.default_rng(seed).random([height, width, 3], np.float32)


def reader(image):
  def read(top, left, height, width):
    assert top >= 0 and left >= 0 and height > 0 and width > 0
    assert top + height <= image.shape[0] and left + width <= image.shape[1]
    return image[top : top + height, left : left + width]

  return read


def collect(apply, image, grid, **options):
  """The strips put together; they follow each other without gaps."""
  rows, next_top = [], 0
  for top, strip in tiling.run(
    apply, reader(image), *image.shape[:2], grid, **options
  ):
    assert top == next_top
    next_top += len(strip)
    rows.append(strip)
  return np.concatenate(rows)


@settings
@hypothesis.given(
  SIZES,
  SIZES,
  st.sampled_from([16, 24, 48]),
  st.integers(0, 20),
  st.sampled_from([1, 4, 8]),
  st.integers(1, 12),
  st.integers(1, 3),
  st.integers(1, 2),
  st.none() | st.integers(0, 24),
)
def test_identity_gives_the_picture_back(
  height, width, core, halo, multiple, overlap, batch, scale, edge
):
  grid = tiling.plan(
    height,
    width,
    halo=halo,
    multiple=multiple,
    cores=(core, core + 9),
    overlap=overlap,
    edge=edge,
  )
  shapes, tiles = set(), []

  def apply(x):
    shapes.add(x.shape)
    return x.repeat(scale, 1).repeat(scale, 2)

  image = picture(height, width)
  out = collect(
    apply, image, grid, scale=scale, batch=batch, on_tiles=tiles.append
  )
  np.testing.assert_allclose(
    out, image.repeat(scale, 0).repeat(scale, 1), atol=1e-6
  )
  assert shapes == {(batch, *grid.tile(), 3)}  # one compilation
  assert all(side % multiple == 0 for side in grid.tile())
  assert sum(tiles) == tiling.count(height, width, grid)


@settings
@hypothesis.given(SIZES, SIZES, st.integers(0, 8), st.none() | st.just(0))
def test_a_halo_as_wide_as_the_view_makes_tiles_the_whole(
  height, width, radius, edge
):
  image = picture(height, width)
  size = 2 * radius + 1
  blur = lambda x: cv2.blur(x, (size, size), borderType=cv2.BORDER_REFLECT)
  grid = tiling.plan(
    height, width, halo=radius, cores=(32,), overlap=4, edge=edge
  )
  out = collect(lambda x: np.stack([blur(tile) for tile in x]), image, grid)
  padded = image[tiling.mirror(-radius, height + radius, height)]
  padded = padded[:, tiling.mirror(-radius, width + radius, width)]
  whole = blur(padded)[radius : radius + height, radius : radius + width]
  # Where less is seen beyond the picture, that is felt as far as the view goes.
  felt = radius if edge == 0 else 0
  inner = slice(felt, height - felt), slice(felt, width - felt)
  np.testing.assert_allclose(out[inner], whole[inner], atol=1e-5)


def test_too_narrow_a_halo_is_blended_without_steps():
  # Each tile is off by a constant of its own: the seams must be ramps.
  rng = np.random.default_rng(0)
  grid = tiling.plan(200, 200, halo=0, cores=(64,), overlap=16)
  out = collect(
    lambda x: x + rng.random([len(x), 1, 1, 1], np.float32),
    np.zeros([200, 200, 3], np.float32),
    grid,
  )
  for axis in (0, 1):
    assert np.abs(np.diff(out, axis=axis)).max() < 1 / 16 + 1e-6
  assert np.ptp(out) > 0.5


@pytest.mark.parametrize('edge', [0, 8])
@pytest.mark.parametrize('limit', [100, 60])
def test_short_of_memory_goes_on_with_smaller_tiles(limit, edge):
  image = picture(300, 90)
  grid = tiling.plan(300, 90, halo=8, cores=(128,), overlap=8, edge=edge)
  calls, halved = [], []

  def apply(x):
    calls.append(x.shape[1])
    # What fits at first does not later, as other programs take memory.
    if len(calls) > 1 and x.shape[1] > limit:
      raise tiling.OutOfMemory
    return x

  out = collect(apply, image, grid, on_halved=halved.append)
  np.testing.assert_allclose(out, image, atol=1e-6)
  assert calls[0] == 144 and calls[-1] <= limit
  assert len(halved) == (1 if limit == 100 else 2)


def test_no_memory_at_all_is_an_error_not_a_result():
  def apply(x):
    raise tiling.OutOfMemory

  grid = tiling.plan(100, 100, halo=8)
  with pytest.raises(tiling.OutOfMemory):
    collect(apply, picture(100, 100), grid)


def test_plan_takes_the_least_work():
  # One tile where one will do, and no larger than needed.
  grid = tiling.plan(600, 380, halo=64, multiple=16)
  assert grid.core == (640, 384) and grid.tile() == (768, 512)
  assert tiling.count(600, 380, grid) == 1
  # Less is seen beyond the picture than of neighbours: a smaller one will do.
  grid = tiling.plan(600, 380, halo=64, multiple=16, edge=0)
  assert grid.tile() == (640, 384)
  # A large picture: large tiles, for their halos cost the least.
  assert tiling.plan(10_000, 10_000, halo=64, multiple=16).core >= (640, 640)


def test_mirror_repeats_the_edge():
  np.testing.assert_array_equal(
    tiling.mirror(-4, 7, 3), [2, 2, 1, 0, 0, 1, 2, 2, 1, 0, 0]
  )
  np.testing.assert_array_equal(tiling.mirror(-2, 3, 1), [0] * 5)
