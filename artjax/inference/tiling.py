"""Runs a network with fixed input shapes on a picture of any size, in tiles.

Pure functions of arrays and callables, without networks, files or frameworks.
The picture is read and the result is returned in strips from top to bottom, so
neither is ever in memory as a whole.

A tile contributes its core. The network also sees a halo around it: the
neighbouring pixels, or their mirror image beyond the edges of the picture. The
network's `halo` in models/ gives its width. If it is as wide as the receptive
field, the cores equal the result of the whole picture at once. Neighbouring
cores overlap a little and are blended, which hides the seams of a narrower
halo. Beyond the edges of the picture there is nothing to be seen, so a network
may see less of its mirror image than of neighbouring pixels: the cores there
are larger.
"""

from collections.abc import Callable, Iterator, Sequence
import math
from typing import NamedTuple

import numpy as np

# (top, left, height, width) -> [height, width, C] inside the picture.
Read = Callable[[int, int, int, int], np.ndarray]
# Sides of cores to choose from, px. Few, as each pair of them compiles anew.
CORES = (128, 256, 384, 512, 640, 768, 896)


class OutOfMemory(Exception):
  """Raised by `apply`: this many pixels at once do not fit."""


class Grid(NamedTuple):
  """How a picture is cut: px of the input, multiples of `multiple`."""

  core: tuple[int, int]  # height and width that a tile contributes
  halo: int  # seen beyond it on each side
  overlap: int  # of neighbouring cores
  fixed: bool = False  # whether the network takes tiles of this size only
  more: int = 0  # what a core contributes of its halo at an edge of the picture

  def tile(self) -> tuple[int, int]:
    """Height and width of the network's input."""
    return self.core[0] + 2 * self.halo, self.core[1] + 2 * self.halo


def plan(
  height: int,
  width: int,
  *,
  halo: int,
  multiple: int = 1,
  cores: Sequence[int] = CORES,
  overlap: int = 16,
  edge: int | None = None,
) -> Grid:
  """The grid for a picture that needs the least computation.

  Args:
    height: of the picture, px.
    width: of the picture, px.
    halo: px that the network must see around a core.
    multiple: tiles start and end at multiples of this. Networks with strides
      need that, so that results do not depend on the tiles.
    cores: sides to choose from, px.
    overlap: minimum overlap of neighbouring cores, px.
    edge: px of the mirror image that the network must see beyond the edges of
      the picture; None = as many as the halo has.

  Returns:
    A `Grid`.
  """
  up = lambda value: math.ceil(value / multiple) * multiple
  halo, overlap = up(halo), up(max(1, overlap))
  more = 0 if edge is None else max(0, halo - up(edge))

  def side(length):
    choices = {max(up(core), 2 * overlap) for core in cores}
    return min(
      sorted(choices),
      key=lambda core: (
        len(starts(length, core, overlap, more)) * (core + 2 * halo)
      ),
    )

  return Grid((side(height), side(width)), halo, overlap, more=more)


def starts(length: int, core: int, overlap: int, more: int = 0) -> range:
  """Where the cores along one side begin; the last one may reach beyond it.

  The first core contributes `more` px before it, and the last one behind it.
  """
  step = core - overlap
  cores = max(1, math.ceil((length - 2 * more - overlap) / step))
  return range(more, more + cores * step, step)


def count(height: int, width: int, grid: Grid) -> int:
  """How many tiles a picture takes."""
  tiles = 1
  for length, core in zip((height, width), grid.core):
    tiles *= len(starts(length, core, grid.overlap, grid.more))
  return tiles


def halve(grid: Grid) -> Grid | None:
  """The grid with cores of half the size, or None if they cannot be smaller."""
  smallest = 2 * grid.overlap
  if grid.fixed or max(grid.core) <= smallest:
    return None
  # Down to a multiple of the overlap, which is one of the network's.
  half = lambda side: max(smallest, side // 2 // grid.overlap * grid.overlap)
  return grid._replace(core=(half(grid.core[0]), half(grid.core[1])))


def mirror(start: int, stop: int, length: int) -> np.ndarray:
  """Indices start..stop of a row of `length`, mirrored beyond both ends.

  The edge is repeated (c b a | a b c | c b a), as often as needed.
  """
  index = np.arange(start, stop) % (2 * length)
  return np.where(index < length, index, 2 * length - 1 - index)


def window(
  read: Read,
  height: int,
  width: int,
  top: int,
  left: int,
  shape: tuple[int, int],
) -> np.ndarray:
  """`shape` px of a mirrored picture from (top, left), which may be negative.

  Args:
    read: (top, left, height, width) -> [height, width, C] inside the picture.
    height: of the picture, px.
    width: of the picture, px.
    top: first row.
    left: first column.
    shape: (height, width) of the window.
  """
  rows = mirror(top, top + shape[0], height)
  columns = mirror(left, left + shape[1], width)
  y, x = int(rows.min()), int(columns.min())
  block = read(y, x, int(rows.max()) + 1 - y, int(columns.max()) + 1 - x)
  if block.shape[:2] == tuple(shape) and top >= 0 and left >= 0:
    return block
  return block[rows - y][:, columns - x]


def run(
  apply: Callable[[np.ndarray], np.ndarray],
  read: Read,
  height: int,
  width: int,
  grid: Grid,
  *,
  scale: int = 1,
  batch: int = 1,
  on_tiles: Callable[[int], None] = lambda done: None,
  on_halved: Callable[[Grid], None] = lambda grid: None,
) -> Iterator[tuple[int, np.ndarray]]:
  """Strips of the result, from top to bottom.

  Args:
    apply: [B, h, w, C] -> f32[B, h * scale, w * scale, D]; B is `batch`, h and
      w are always those of `grid.tile()`. May raise `OutOfMemory`.
    read: (top, left, height, width) -> [height, width, C] of the picture.
    height: of the picture, px.
    width: of the picture, px.
    grid: see `plan`.
    scale: of the network.
    batch: tiles at a time.
    on_tiles: called with the number of tiles after each batch.
    on_halved: called with the new grid when memory did not suffice; finished
      strips are kept, and the rest uses smaller tiles.

  Yields:
    (top, f32[rows, width * scale, D]), px of the result, without gaps.

  Raises:
    OutOfMemory: not even the smallest tiles fit.
  """
  top, begin = grid.more, 0  # of the core in work; of what it contributes
  carry = None  # rows of it from the one above
  while True:
    step = grid.core[0] - grid.overlap
    last = top + step >= height - grid.more - grid.overlap
    end = height if last else top + grid.core[0]
    place = _Rows(top, begin, end)
    try:
      strip = _strip(
        apply, read, height, width, place, grid, scale, batch, on_tiles
      )
    except OutOfMemory:
      smaller = halve(grid)
      if smaller is None:
        raise
      grid = smaller
      on_halved(grid)
      continue
    if carry is not None:
      _blend(strip, carry, axis=0)
    rows = (end if last else top + step) - begin
    yield begin * scale, strip[: rows * scale]
    if last:
      return
    carry = strip[rows * scale :].copy()
    top += step
    begin = top


class _Rows(NamedTuple):
  """Where a row of cores lies, px."""

  top: int  # of the cores
  begin: int  # of what they contribute
  end: int


def _strip(apply, read, height, width, place, grid, scale, batch, on_tiles):
  """One row of cores side by side: f32[end - begin, width, D], times scale."""
  lefts = starts(width, grid.core[1], grid.overlap, grid.more)
  strip = None
  for i in range(0, len(lefts), batch):
    group = lefts[i : i + batch]
    corners = [(place.top - grid.halo, left - grid.halo) for left in group]
    tiles = np.stack(
      [window(read, height, width, *at, grid.tile()) for at in corners]
    )
    # Always the same shape; what fills up the last batch is thrown away.
    spare = [(0, batch - len(group))] + [(0, 0)] * 3
    results = apply(np.pad(tiles, spare, 'edge'))[: len(group)]
    for left, (y, x), result in zip(group, corners, results):
      if strip is None:
        strip = np.empty(
          ((place.end - place.begin) * scale, width * scale, result.shape[-1]),
          np.float32,
        )
      begin = 0 if left == lefts[0] else left
      end = width if left == lefts[-1] else left + grid.core[1]
      core = np.array(
        result[
          (place.begin - y) * scale : (place.end - y) * scale,
          (begin - x) * scale : (end - x) * scale,
        ],
        np.float32,
      )
      if begin:
        _blend(
          core, strip[:, begin * scale : (begin + grid.overlap) * scale], axis=1
        )
      strip[:, begin * scale : end * scale] = core
    on_tiles(len(group))
  return strip


def _blend(new, old, axis):
  """Fades from `old` into the beginning of `new` along an axis, in place."""
  length = old.shape[axis]
  ramp = (np.arange(length, dtype=np.float32) + 0.5) / length
  ramp = ramp.reshape([-1 if i == axis else 1 for i in range(3)])
  start = new[:length] if axis == 0 else new[:, :length]
  start += (1 - ramp) * (old - start)
