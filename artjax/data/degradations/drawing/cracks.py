"""Shapes of cracks: networks around islands, branching walks, rings.

As in shapes.py, functions take shape = (H, W) px and a Generator and return
coverage, float32 [H, W] in [0, 1].
"""

import cv2
import numpy as np

from artjax.data.degradations.drawing import shapes

_POINTS = 4096  # seeds of a mesh, at most: pictures of any size stay quick


def walks(
  shape: tuple[int, int],
  rng: np.random.Generator,
  count: int,
  length: tuple[float, float],
  width: tuple[float, float],
  wander: float = 0.45,
  children: float = 1.0,
  angle: float | None = None,
  start: np.ndarray | None = None,
  strength: tuple[float, float] = (0.6, 1.0),
) -> np.ndarray:
  """Cracks that wander at random and branch once or twice.

  Args:
    shape: (H, W).
    rng: the Generator.
    count: trunks; each has about `children` branches, those half as many.
    length: (low, high) px of a trunk.
    width: (low, high) px of a trunk; branches are thinner.
    wander: change of direction at each step, radians.
    children: branches a trunk.
    angle: direction of the trunks, radians; None = random for each.
    start: [count, 2] (x, y) px where they begin; None for anywhere.
    strength: (low, high) in [0, 1], coverage of a crack.
  """
  steps = 16
  heading = (
    rng.uniform(0, 2 * np.pi, (count, 1))
    if angle is None
    else angle + rng.normal(0, 0.25, (count, 1))
  )
  start = rng.random((count, 2)) * shape[::-1] if start is None else start
  lengths = rng.uniform(*length, (count, 1))
  canvas = np.zeros(shape, np.uint8)
  for _ in range(3):
    number = len(heading)
    turns = np.cumsum(rng.normal(0, wander, (number, steps)), 1)
    turns += rng.normal(0, wander, (number, steps))
    turns -= turns[:, :1]
    headings = heading + turns * 0.6
    points = shapes.walk(start, headings, lengths / steps)
    shapes.draw(shape, rng, points, width, strength, canvas, 2)
    number = int(number * children + rng.random())
    if not number:
      break
    steps = max(6, steps // 2)
    parent = rng.integers(0, len(points), number)
    knot = rng.integers(3, points.shape[1] - 1, number)
    side = rng.choice((-1.0, 1.0), number) * rng.uniform(0.5, 1.4, number)
    start = points[parent, knot]
    heading = (headings[parent, knot] + side)[:, None]
    lengths = lengths[parent] * rng.uniform(0.2, 0.7, (number, 1))
    width = width[0] * 0.7, width[1] * 0.7
    children *= 0.5
  return shapes.unit(canvas)


def mesh(
  shape: tuple[int, int],
  rng: np.random.Generator,
  cell: float,
  width: tuple[float, float],
  aspect: float = 1.0,
  angle: float = 0.0,
  keep: float = 0.85,
  brick: bool = False,
  rough: float = 0.12,
) -> np.ndarray:
  """A network of cracks around polygonal islands, like craquelure.

  The borders of a Voronoi diagram of jittered seeds, each broken into a jagged
  line of its own width; some are missing, more in some regions than in others.

  Args:
    shape: (H, W).
    rng: the Generator.
    cell: mean distance of neighbouring islands, px.
    width: (low, high) px of a crack.
    aspect: length of an island over its breadth.
    angle: direction of that length, radians.
    keep: share of borders that have cracked, in [0, 1].
    brick: courses of oblongs with T-shaped junctions instead.
    rough: how jagged the lines are, as a share of their length.
  """
  cell = _affordable(cell, shape)
  lines = (_bricks if brick else _borders)(shape, rng, cell, aspect, angle)
  # A border cracks or not with its region: intact islands lie together.
  grid = rng.random((6, 6))
  near = lines[:, 0] / shape[::-1] * 5 + 0.5
  near = np.minimum(np.maximum(near, 0), 5).astype(int)
  region = grid[near[:, 1], near[:, 0]] * 0.5 + rng.random(len(lines)) * 0.5
  # The mean of two uniform numbers has a triangular distribution.
  limit = 1 - np.sqrt((1 - keep) / 2) if keep > 0.5 else np.sqrt(keep / 2)
  lines = lines[region < limit]
  if not len(lines):
    return np.zeros(shape, np.float32)
  points = shapes.jagged(lines, rng, rough, 3 if cell > 26 else 2)
  return shapes.draw(shape, rng, points, width, (0.45, 1.0))


def islands(
  shape: tuple[int, int],
  rng: np.random.Generator,
  cell: float,
  share: float,
  aspect: float = 1.0,
  angle: float = 0.0,
) -> np.ndarray:
  """Whole polygonal islands of a mesh, where paint has flaked off.

  Args:
    shape: (H, W).
    rng: the Generator.
    cell: mean distance of neighbouring islands, px.
    share: of the picture, in [0, 1]; they lie in groups.
    aspect: length of an island over its breadth.
    angle: direction of that length, radians.
  """
  seeds, facets = _voronoi(shape, rng, _affordable(cell, shape), aspect, angle)
  field = shapes.smooth_noise(shape, rng, max(shape) / 3)
  inside = np.clip(seeds, 0, np.array(shape[::-1]) - 1).astype(int)
  weakness = field[inside[:, 1], inside[:, 0]] + rng.normal(0, 0.12, len(seeds))
  least = 1 - min(max(share, 0.5 / len(seeds)), 1)
  lost = weakness >= np.quantile(weakness, least)
  canvas = np.zeros(shape, np.uint8)
  chosen = [facets[index] for index in np.flatnonzero(lost)]
  # One by one: polygons in one call would cancel where they touch.
  edges, ends = _edges(chosen)
  ragged = shapes.fixed(shapes.jagged(edges, rng, 0.08, 2)[:, :-1])
  for ring in np.split(ragged, ends[:-1]):
    cv2.fillPoly(canvas, [ring.reshape(-1, 2)], 255, cv2.LINE_AA, shapes.SHIFT)
  return shapes.unit(canvas)


def rings(
  shape: tuple[int, int],
  rng: np.random.Generator,
  width: tuple[float, float],
  spacing: float,
) -> np.ndarray:
  """Cracks from a blow: rings with gaps around a point, and rays from it.

  Args:
    shape: (H, W).
    rng: the Generator.
    width: (low, high) px.
    spacing: px between rings.
  """
  reach = 0.5 * max(shape)
  centre = rng.random(2) * shape[::-1]
  count = max(2, min(12, int(reach / spacing)))
  radii = np.arange(1, count + 1) ** 1.1 + rng.normal(0, 0.15, count)
  radii *= spacing
  arcs, steps = 4, 16
  start = rng.uniform(0, 2 * np.pi, (count, arcs, 1))
  sweep = rng.uniform(0.3, 1.5, (count, arcs, 1)) * np.linspace(0, 1, steps)
  wobble = 1 + np.cumsum(rng.normal(0, 0.015, (count, arcs, steps)), -1)
  angles, radii = start + sweep, radii[:, None, None] * wobble
  points = np.stack([np.cos(angles), np.sin(angles)], -1) * radii[..., None]
  points = (points + centre).reshape(-1, steps, 2)
  drawn = shapes.draw(shape, rng, points, width, (0.4, 1.0))
  rays = walks(
    shape,
    rng,
    5,
    (0.3 * reach, reach),
    width,
    0.15,
    0.6,
    start=np.repeat(centre[None], 5, 0),
  )
  return np.maximum(drawn, rays)


def _affordable(cell, shape):
  """A cell size, px, of which no picture has too many."""
  return max(cell, 3.0, float(np.sqrt(shape[0] * shape[1] / _POINTS)))


def _lattice(shape, rng, cell, aspect, angle, jitter):
  """A jittered grid (rows, columns, 2) that covers the picture, px."""
  height, width = shape
  across, down = cell * np.sqrt(aspect), cell / np.sqrt(aspect)
  cos, sin = np.cos(angle), np.sin(angle)
  half_width = (abs(width * cos) + abs(height * sin)) / 2 + 1.5 * across
  half_height = (abs(width * sin) + abs(height * cos)) / 2 + 1.5 * down
  rows, columns = int(2 * half_height / down), int(2 * half_width / across)
  shift = rng.uniform(-jitter, jitter, (2, rows + 1, columns + 1))
  y = (np.arange(rows + 1)[:, None] + shift[0]) * down - half_height
  x = (np.arange(columns + 1) + shift[1]) * across - half_width
  return np.stack(
    [x * cos - y * sin + width / 2, x * sin + y * cos + height / 2], -1
  )


def _voronoi(shape, rng, cell, aspect, angle):
  """Seeds [N, 2] around the picture and their facets, px."""
  height, width = shape
  seeds = _lattice(shape, rng, cell, aspect, angle, 0.42).reshape(-1, 2)
  margin = int(2 * cell * aspect)
  inside = np.all(
    (seeds > -margin) & (seeds < [width + margin, height + margin]), 1
  )
  edge = margin + 2
  diagram = cv2.Subdiv2D((-edge, -edge, width + 2 * edge, height + 2 * edge))
  diagram.insert(seeds[inside].astype(np.float32))
  facets, centres = diagram.getVoronoiFacetList([])
  return centres, facets


def _borders(shape, rng, cell, aspect, angle):
  """The borders [N, 2, 2] between Voronoi cells, each once, px."""
  _, facets = _voronoi(shape, rng, cell, aspect, angle)
  lines, _ = _edges(facets)
  a, b = lines[:, 0], lines[:, 1]
  # Neighbours walk a common border in opposite directions: keep one of them.
  lines = lines[
    (a[:, 0] < b[:, 0]) | ((a[:, 0] == b[:, 0]) & (a[:, 1] < b[:, 1]))
  ]
  # The outermost cells reach far out: those lines are no cracks.
  reach = np.abs(lines[:, 1] - lines[:, 0]).max(1)
  return _seen(lines[reach < 4 * cell * aspect], shape)


def _edges(facets):
  """Polygons -> all edges [N, 2, 2] in turn, and where each polygon ends."""
  corners = np.concatenate(facets)
  sizes = np.fromiter(map(len, facets), int)
  ends = np.cumsum(sizes)
  following = np.arange(1, len(corners) + 1)
  following[ends - 1] = ends - sizes
  return np.stack([corners, corners[following]], 1), ends


def _bricks(shape, rng, cell, aspect, angle):
  """The joints [N, 2, 2] of jittered courses of oblongs, px."""
  # Twice as many knots along a course: every other carries a joint down.
  knots = _lattice(shape, rng, cell / np.sqrt(2), aspect / 2, angle, 0.36)
  along = np.stack([knots[:, :-1], knots[:, 1:]], 2).reshape(-1, 2, 2)
  down = np.stack([knots[:-1], knots[1:]], 2)
  odd = np.add.outer(np.arange(down.shape[0]), np.arange(down.shape[1])) % 2
  return _seen(np.concatenate([along, down[odd == 1]]), shape)


def _seen(lines, shape):
  """Those of [N, 2, 2] whose bounding box meets the picture."""
  low = np.minimum(lines[:, 0], lines[:, 1])
  high = np.maximum(lines[:, 0], lines[:, 1])
  inside = (high > 0) & (low < shape[::-1])
  return lines[inside[:, 0] & inside[:, 1]]
