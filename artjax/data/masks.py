"""Shapes of damage: what is drawn, not how it looks on a picture.

Every function takes shape = (H, W) in px and a Generator and gives float32
[H, W]: coverage in [0, 1] with soft, antialiased edges, or, where it says so, a
field. Drawing is a few calls to OpenCV on arrays of points, so that the cost
does not grow with the number of strokes in Python.
"""
import cv2
import numpy as np

from artjax.data.lift import clip

_SHIFT = 4  # OpenCV takes fixed-point coordinates: 1/16 px
_POINTS = 4096  # seeds of a mesh, at most: pictures of any size stay quick


def smooth_noise(shape, rng, cell, octaves=1):
  """A field about 0.5, mostly in [0, 1], whose features are `cell` px wide.

  Args:
    shape: (H, W).
    rng: the Generator.
    cell: px between random values; or a pair (down, across), for a grain.
    octaves: how many finer fields, each of half the size and weight, to add.
  """
  height, width = shape
  down, across = cell if isinstance(cell, tuple) else (cell, cell)
  total, weight, field = 0.0, 1.0, None
  for _ in range(octaves):
    grid = rng.random((max(2, int(height / down) + 2),
                       max(2, int(width / across) + 2)), np.float32)
    layer = _enlarge(grid, shape)
    field = layer if field is None else field + layer * np.float32(weight)
    total += weight
    weight, down, across = weight / 2, down / 2, across / 2
    if min(down, across) < 1:
      break
  return field / np.float32(total) if total > 1 else field


def strokes(shape, rng, count, length, width, bend=0.3, angle=None,
            strength=(1.0, 1.0)):
  """Thin lines, straight to curved, such as scratches or hairs.

  Args:
    shape: (H, W).
    rng: the Generator.
    count: how many.
    length: (low, high) px.
    width: (low, high) px; below 1 the line gets fainter instead.
    bend: how far the direction wanders along a line, radians.
    angle: their common direction, radians; None for one each.
    strength: (low, high) in [0, 1], coverage of a line.
  """
  steps = 8 if bend < 0.4 else 20
  lengths = rng.uniform(*length, (count, 1))
  # An even turn and a wave, so that curves stay smooth.
  along = np.linspace(-1, 1, steps)
  curve, wave, phase, pitch = rng.standard_normal((4, count, 1))
  turns = bend * (curve * along + 0.6 * wave * np.sin(
      6 * phase + (2 + pitch) * along))
  heading = (rng.uniform(0, 2 * np.pi, (count, 1)) if angle is None else
             angle + rng.normal(0, 0.08, (count, 1)))
  points = _walk(rng.random((count, 2)) * shape[::-1], heading + turns,
                 lengths / steps)
  points -= (points[:, -1:] - points[:, :1]) / 2  # centred on its own place
  return _draw(shape, rng, points, width, strength)


def walks(shape, rng, count, length, width, wander=0.45, children=1.0,
          angle=None, start=None, strength=(0.6, 1.0)):
  """Cracks that wander at random and branch once or twice.

  Args:
    shape: (H, W).
    rng: the Generator.
    count: trunks; each has about `children` branches, those half as many.
    length: (low, high) px of a trunk.
    width: (low, high) px of a trunk; branches are thinner.
    wander: change of direction at each step, radians.
    children: branches a trunk.
    angle: direction of the trunks, radians; None for one each.
    start: [count, 2] (x, y) px where they begin; None for anywhere.
    strength: (low, high) in [0, 1], coverage of a crack.
  """
  steps = 16
  heading = (rng.uniform(0, 2 * np.pi, (count, 1)) if angle is None else
             angle + rng.normal(0, 0.25, (count, 1)))
  start = rng.random((count, 2)) * shape[::-1] if start is None else start
  lengths = rng.uniform(*length, (count, 1))
  canvas = np.zeros(shape, np.uint8)
  for _ in range(3):
    number = len(heading)
    turns = np.cumsum(rng.normal(0, wander, (number, steps)), 1)
    turns += rng.normal(0, wander, (number, steps))
    turns -= turns[:, :1]
    headings = heading + turns * 0.6
    points = _walk(start, headings, lengths / steps)
    _draw(shape, rng, points, width, strength, canvas, 2)
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
    width = tuple(value * 0.7 for value in width)
    children *= 0.5
  return _unit(canvas)


def mesh(shape, rng, cell, width, aspect=1.0, angle=0.0, keep=0.85,
         brick=False, rough=0.12):
  """A network of cracks around polygonal islands, as craquelure is.

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
  points = _jagged(lines, rng, rough, 3 if cell > 26 else 2)
  return _draw(shape, rng, points, width, (0.45, 1.0))


def islands(shape, rng, cell, share, aspect=1.0, angle=0.0):
  """Whole polygonal islands of a mesh, where paint has flaked off.

  Args:
    shape: (H, W).
    rng: the Generator.
    cell: mean distance of neighbouring islands, px.
    share: of the picture, in [0, 1]; they lie in groups.
    aspect: length of an island over its breadth.
    angle: direction of that length, radians.
  """
  seeds, facets = _voronoi(shape, rng, cell, aspect, angle)
  field = smooth_noise(shape, rng, max(shape) / 3)
  inside = np.clip(seeds, 0, np.array(shape[::-1]) - 1).astype(int)
  chance = field[inside[:, 1], inside[:, 0]] + rng.normal(0, 0.12, len(seeds))
  lost = chance >= np.quantile(chance, 1 - min(max(share, 0.5 / len(seeds)), 1))
  canvas = np.zeros(shape, np.uint8)
  chosen = [facets[index] for index in np.flatnonzero(lost)]
  # One by one: polygons in one call would cancel where they touch.
  edges, ends = _edges(chosen)
  ragged = _fixed(_jagged(edges, rng, 0.08, 2)[:, :-1])
  for ring in np.split(ragged, ends[:-1]):
    cv2.fillPoly(canvas, [ring.reshape(-1, 2)], 255, cv2.LINE_AA, _SHIFT)
  return _unit(canvas)


def rings(shape, rng, width, spacing):
  """Cracks of a blow: rings with gaps around a point, and rays from it.

  Args:
    shape: (H, W).
    rng: the Generator.
    width: (low, high) px.
    spacing: px between rings.
  """
  reach = 0.5 * max(shape)
  centre = rng.random(2) * shape[::-1]
  count = max(2, min(12, int(reach / spacing)))
  radii = spacing * (np.arange(1, count + 1) ** 1.1 + rng.normal(0, 0.15, count))
  arcs, steps = 4, 16
  start = rng.uniform(0, 2 * np.pi, (count, arcs, 1))
  sweep = rng.uniform(0.3, 1.5, (count, arcs, 1)) * np.linspace(0, 1, steps)
  wobble = 1 + np.cumsum(rng.normal(0, 0.015, (count, arcs, steps)), -1)
  angles, radii = start + sweep, radii[:, None, None] * wobble
  points = np.stack([np.cos(angles), np.sin(angles)], -1) * radii[..., None]
  points = (points + centre).reshape(-1, steps, 2)
  arcs = _draw(shape, rng, points, width, (0.4, 1.0))
  rays = walks(shape, rng, 5, (0.3 * reach, reach), width, 0.15, 0.6,
               start=np.repeat(centre[None], 5, 0))
  return np.maximum(arcs, rays)


def polygons(shape, rng, count, radius, rough=0.35, corners=14):
  """Irregular filled patches with ragged edges.

  Args:
    shape: (H, W).
    rng: the Generator.
    count: how many, a few dozen at most.
    radius: (low, high) px.
    rough: how far the outline departs from an ellipse, as a share of radius.
    corners: of the outline, before its edges are made ragged.
  """
  angles = np.linspace(0, 2 * np.pi, corners, endpoint=False)
  angles = angles + rng.uniform(-0.2, 0.2, (count, corners))
  size = np.exp(rng.uniform(*np.log(radius), (count, 1)))
  reach = size * np.exp(rng.normal(0, rough, (count, corners)))
  stretch = np.exp(rng.uniform(0, 0.7, (count, 1)))
  turn = rng.uniform(0, np.pi, (count, 1))
  along, across = reach * np.cos(angles) * stretch, reach * np.sin(angles)
  outline = np.stack([along * np.cos(turn) - across * np.sin(turn),
                      along * np.sin(turn) + across * np.cos(turn)], -1)
  outline += (rng.random((count, 2)) * shape[::-1])[:, None]
  edges = np.stack([outline, np.roll(outline, -1, 1)], 2).reshape(-1, 2, 2)
  edges = _jagged(edges, rng, 0.16, 2)[:, :-1].reshape(count, -1, 2)
  canvas = np.zeros(shape, np.uint8)
  for outline in _fixed(edges):
    cv2.fillPoly(canvas, [outline], 255, cv2.LINE_AA, _SHIFT)
  return _unit(canvas)


def boxes(shape, rng, count, side):
  """Upright filled boxes of (low, high) px a side."""
  canvas = np.zeros(shape, np.float32)
  for _ in range(count):
    height, width = rng.uniform(*side, 2)
    top = int(rng.uniform(-height / 2, shape[0] - height / 2))
    left = int(rng.uniform(-width / 2, shape[1] - width / 2))
    canvas[max(0, top):max(0, top + max(1, int(height))),
           max(0, left):max(0, left + max(1, int(width)))] = 1
  return canvas


def brush(shape, rng, count, length, width):
  """Free-form strokes of a round brush, as inpainting is trained on.

  Args:
    shape: (H, W).
    rng: the Generator.
    count: how many.
    length: (low, high) px of a stroke, which turns sharply a few times.
    width: (low, high) px.
  """
  steps = 6
  turns = np.cumsum(rng.normal(0, 0.9, (count, steps)), 1)
  points = _walk(rng.random((count, 2)) * shape[::-1],
                 rng.uniform(0, 2 * np.pi, (count, 1)) + turns,
                 rng.uniform(*length, (count, 1)) / steps)
  return _draw(shape, rng, points, width, (1.0, 1.0), classes=count)


def specks(shape, rng, count, size, strength=(0.5, 1.0), clusters=0):
  """Dots and very short dashes.

  Args:
    shape: (H, W).
    rng: the Generator.
    count: how many.
    size: (low, high) px across.
    strength: (low, high) in [0, 1], coverage of a speck.
    clusters: around how many places they gather; 0 = evenly spread.
  """
  extent = np.array(shape[::-1], float)
  if clusters:
    spread = rng.uniform(0.02, 0.12, (clusters, 1)) * extent.min()
    chosen = rng.integers(0, clusters, count)
    points = rng.random((clusters, 2))[chosen] * extent
    points += rng.standard_normal((count, 2)) * spread[chosen]
  else:
    points = rng.random((count, 2)) * extent
  dash = rng.standard_normal((count, 2)) * (np.mean(size) * 0.35)
  return _draw(shape, rng, np.stack([points, points + dash], 1), size, strength)


def tear(shape, rng, start, heading, length, width):
  """A ragged wedge that runs in from `start`, and the torn rim around it.

  Args:
    shape: (H, W).
    rng: the Generator.
    start: (x, y) px, its widest place.
    heading: radians.
    length: px.
    width: px at the start.

  Returns:
    (wedge, rim), f32[H, W] each; the rim covers the wedge too.
  """
  steps = 12
  turns = heading + np.cumsum(rng.normal(0, 0.22, (1, steps)), 1)
  spine = _walk(start[None], turns, np.full((1, 1), length / steps))[0]
  along = np.linspace(1, 0, steps + 1)[:, None]
  normal = np.array([-np.sin(heading), np.cos(heading)])
  ragged = np.exp(rng.normal(0, 0.3, (2, steps + 1, 1)))
  half = 0.5 * width * along ** 0.7
  left = spine + normal * half * ragged[0]
  right = spine - normal * half * ragged[1]
  outline = np.concatenate([left, right[::-1]])
  edges = np.stack([outline, np.roll(outline, -1, 0)], 1)
  outline = _fixed(_jagged(edges, rng, 0.1, 2)[:, :-1].reshape(-1, 2))
  wedge = np.zeros(shape, np.uint8)
  cv2.fillPoly(wedge, [outline], 255, cv2.LINE_AA, _SHIFT)
  rim = wedge.copy()
  cv2.polylines(rim, [outline], True, 255, max(2, int(rng.uniform(
      0.15, 0.5) * width)), cv2.LINE_AA, _SHIFT)
  return _unit(wedge), _unit(rim)


def blotch(shape, rng, radius, rough=0.5, kind='blob'):
  """A field whose zero level is the outline of a stain, positive inside.

  Args:
    shape: (H, W).
    rng: the Generator.
    radius: px, about; a distance of it is about 1 in the field.
    rough: how much noise bends the outline.
    kind: 'ellipse', 'blob' (some ellipses together, noise-bent) or 'edge' (water
      that came in over one side of the picture).
  """
  height, width = shape
  # An outline is smooth: it is worked out on few points and enlarged.
  step = max(2.0, max(shape) / 160)
  small = max(2, round(height / step)), max(2, round(width / step))
  y = np.linspace(0, height, small[0], dtype=np.float32)[:, None] / radius
  x = np.linspace(0, width, small[1], dtype=np.float32)[None] / radius
  centre = rng.random(2) * shape / radius
  if kind == 'edge':
    turn = rng.integers(4) * np.pi / 2 + rng.normal(0, 0.15)
    cos, sin = float(np.cos(turn)), float(np.sin(turn))
    # Depth below the side that the direction comes from.
    far = max(0, -cos) * width / radius + max(0, -sin) * height / radius
    field = rng.uniform(0.3, 0.9) - (x * cos + y * sin + far)
  else:
    field = None
    for _ in range(1 if kind == 'ellipse' else int(rng.integers(2, 5))):
      turn, stretch = rng.uniform(0, np.pi), np.exp(rng.uniform(-0.5, 0.5))
      cos, sin = float(np.cos(turn)), float(np.sin(turn))
      dx, dy = x - float(centre[1]), y - float(centre[0])
      along = (dx * cos + dy * sin) * float(stretch)
      across = (dy * cos - dx * sin) / float(stretch)
      size = rng.uniform(0.5, 1)
      one = np.float32(size) - cv2.sqrt(along * along + across * across)
      field = one if field is None else np.maximum(field, one)
      centre = centre + rng.normal(0, 0.5, 2)
  field = field.astype(np.float32)
  if rough:
    cell = max(2.0, radius / step * 0.6)
    field += (smooth_noise(small, rng, cell, 3) - 0.5) * np.float32(2 * rough)
  return _enlarge(field, shape)


def patches(shape, rng, cell, share, octaves=4):
  """Noise above a level: ragged flakes that cover about `share` of it all."""
  field = smooth_noise(shape, rng, cell, octaves)
  stride = max(1, min(shape) // 48)  # a sample gives the level well enough
  level = np.quantile(field[::stride, ::stride], 1 - share)
  slope = max(1.0, cell * 1.2)  # an edge of about one px
  return clip((field - np.float32(level)) * np.float32(slope) + np.float32(0.5))


def _enlarge(grid, shape):
  """A coarse grid -> f32[H, W], smoothly."""
  height, width = shape
  # Cubic curves on the way, straight lines for the last four-fold: looks the
  # same and takes a tenth of the time.
  quarter = width // 4, height // 4
  if grid.shape[1] < quarter[0] and grid.shape[0] < quarter[1]:
    grid = cv2.resize(grid, quarter, interpolation=cv2.INTER_CUBIC)
  return cv2.resize(grid, (width, height), interpolation=cv2.INTER_LINEAR)


def _walk(start, headings, step):
  """[N, 2], [N, K] radians, [N, 1] px -> [N, K + 1, 2] points (x, y)."""
  moves = np.stack([np.cos(headings), np.sin(headings)], -1) * step[..., None]
  points = np.concatenate([start[:, None], moves], 1)
  return np.cumsum(points, 1)


def _jagged(lines, rng, rough, levels):
  """[N, 2, 2] lines -> [N, 2**levels + 1, 2], by midpoint displacement."""
  points = lines
  for _ in range(levels):
    a, b = points[:, :-1], points[:, 1:]
    normal = (b - a)[..., ::-1] * (1, -1)
    middle = (a + b) / 2 + normal * rng.normal(0, rough, a.shape[:2] + (1,))
    number, segments = a.shape[:2]
    refined = np.empty((number, 2 * segments + 1, 2))
    refined[:, ::2], refined[:, 1::2] = points, middle
    points = refined
  return points


def _lattice(shape, rng, cell, aspect, angle, jitter):
  """A jittered grid (rows, columns, 2) that covers the picture, px."""
  height, width = shape
  cell = max(cell, 3.0, np.sqrt(height * width / _POINTS))
  across, down = cell * np.sqrt(aspect), cell / np.sqrt(aspect)
  cos, sin = np.cos(angle), np.sin(angle)
  half_width = (abs(width * cos) + abs(height * sin)) / 2 + 1.5 * across
  half_height = (abs(width * sin) + abs(height * cos)) / 2 + 1.5 * down
  rows, columns = int(2 * half_height / down), int(2 * half_width / across)
  shift = rng.uniform(-jitter, jitter, (2, rows + 1, columns + 1))
  y = (np.arange(rows + 1)[:, None] + shift[0]) * down - half_height
  x = (np.arange(columns + 1) + shift[1]) * across - half_width
  return np.stack([x * cos - y * sin + width / 2,
                   x * sin + y * cos + height / 2], -1)


def _voronoi(shape, rng, cell, aspect, angle):
  """Seeds [N, 2] around the picture and their facets, px."""
  height, width = shape
  seeds = _lattice(shape, rng, cell, aspect, angle, 0.42).reshape(-1, 2)
  margin = int(2 * max(cell, 3) * aspect)
  inside = np.all((seeds > -margin) & (seeds < [width + margin,
                                                height + margin]), 1)
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
  lines = lines[(a[:, 0] < b[:, 0])
                | ((a[:, 0] == b[:, 0]) & (a[:, 1] < b[:, 1]))]
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


def _fixed(points):
  """Points (x, y) in px -> fixed-point int32 for OpenCV."""
  return np.rint(points * (1 << _SHIFT)).astype(np.int32)


def _draw(shape, rng, points, width, strength, canvas=None, classes=4):
  """Draws polylines [N, K, 2] of (low, high) px; f32[H, W] coverage."""
  if canvas is None:
    canvas = np.zeros(shape, np.uint8)
  lines = list(_fixed(points))
  classes = max(1, min(classes, len(lines)))
  # Lines of one class share width and strength: few calls draw them all.
  size = rng.uniform(*width, classes)
  cover = 255 * np.minimum(1, size) * rng.uniform(*strength, classes)
  thickness = np.maximum(1, size + rng.random(classes)).astype(int)
  # Strong ones last: a faint line never erases them.
  for index in np.argsort(cover):
    cv2.polylines(canvas, lines[index::classes], False, cover[index],
                  int(thickness[index]), cv2.LINE_AA, _SHIFT)
  return _unit(canvas)


def _unit(canvas):
  """u8 -> f32 in [0, 1]."""
  return np.multiply(canvas, np.float32(1 / 255), dtype=np.float32)
