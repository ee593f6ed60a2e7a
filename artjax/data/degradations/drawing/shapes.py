"""Shapes of damage, without their appearance on a picture.

Every function takes shape = (H, W) in px and a Generator and returns float32
[H, W]: coverage in [0, 1] with soft, antialiased edges, unless it says that it
returns a field. Each drawing takes only a few calls to OpenCV on arrays of
points, so the cost in Python does not grow with the number of strokes.
"""

from typing import Any

import cv2
import numpy as np

from artjax.data.degradations.decorators import clip

SHIFT = 4  # OpenCV takes fixed-point coordinates: 1/16 px


def smooth_noise(
  shape: tuple[int, int],
  rng: np.random.Generator,
  cell: float | tuple[float, float],
  octaves: int = 1,
) -> np.ndarray:
  """A field about 0.5, mostly in [0, 1], whose features are `cell` px wide.

  Args:
    shape: (H, W).
    rng: the Generator.
    cell: px between random values; or a pair (down, across), for a grain.
    octaves: how many finer fields, each of half the size and weight, to add.
  """
  height, width = shape
  down, across = cell if isinstance(cell, tuple) else (cell, cell)
  total, weight = 0.0, 1.0
  field: Any = None
  for _ in range(octaves):
    grid = rng.random(
      (max(2, int(height / down) + 2), max(2, int(width / across) + 2)),
      np.float32,
    )
    layer = _enlarge(grid, shape)
    field = layer if field is None else field + layer * np.float32(weight)
    total += weight
    weight, down, across = weight / 2, down / 2, across / 2
    if min(down, across) < 1:
      break
  return field / np.float32(total) if total > 1 else field


def strokes(
  shape: tuple[int, int],
  rng: np.random.Generator,
  count: int,
  length: tuple[float, float],
  width: tuple[float, float],
  bend: float = 0.3,
  angle: float | None = None,
  strength: tuple[float, float] = (1.0, 1.0),
) -> np.ndarray:
  """Thin lines, straight to curved, such as scratches or hairs.

  Args:
    shape: (H, W).
    rng: the Generator.
    count: how many.
    length: (low, high) px.
    width: (low, high) px; below 1 the line gets fainter instead.
    bend: how far the direction wanders along a line, radians.
    angle: their common direction, radians; None = random for each.
    strength: (low, high) in [0, 1], coverage of a line.
  """
  steps = 8 if bend < 0.4 else 20
  lengths = rng.uniform(*length, (count, 1))
  # An even turn and a wave, so that curves stay smooth.
  along = np.linspace(-1, 1, steps)
  curve, wave, phase, pitch = rng.standard_normal((4, count, 1))
  turns = bend * (
    curve * along + 0.6 * wave * np.sin(6 * phase + (2 + pitch) * along)
  )
  heading = (
    rng.uniform(0, 2 * np.pi, (count, 1))
    if angle is None
    else angle + rng.normal(0, 0.08, (count, 1))
  )
  points = walk(
    rng.random((count, 2)) * shape[::-1], heading + turns, lengths / steps
  )
  points -= (points[:, -1:] - points[:, :1]) / 2  # centred on its own place
  return draw(shape, rng, points, width, strength)


def polygons(
  shape: tuple[int, int],
  rng: np.random.Generator,
  count: int,
  radius: tuple[float, float],
  rough: float = 0.35,
  corners: int = 14,
) -> np.ndarray:
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
  low, high = np.log(radius)
  size = np.exp(rng.uniform(low, high, (count, 1)))
  reach = size * np.exp(rng.normal(0, rough, (count, corners)))
  stretch = np.exp(rng.uniform(0, 0.7, (count, 1)))
  turn = rng.uniform(0, np.pi, (count, 1))
  along, across = reach * np.cos(angles) * stretch, reach * np.sin(angles)
  outline = np.stack(
    [
      along * np.cos(turn) - across * np.sin(turn),
      along * np.sin(turn) + across * np.cos(turn),
    ],
    -1,
  )
  outline += (rng.random((count, 2)) * shape[::-1])[:, None]
  edges = np.stack([outline, np.roll(outline, -1, 1)], 2).reshape(-1, 2, 2)
  edges = jagged(edges, rng, 0.16, 2)[:, :-1].reshape(count, -1, 2)
  canvas = np.zeros(shape, np.uint8)
  for outline in fixed(edges):
    cv2.fillPoly(canvas, [outline], 255, cv2.LINE_AA, SHIFT)
  return unit(canvas)


def boxes(
  shape: tuple[int, int],
  rng: np.random.Generator,
  count: int,
  side: tuple[float, float],
) -> np.ndarray:
  """Upright filled boxes of (low, high) px a side."""
  canvas = np.zeros(shape, np.float32)
  for _ in range(count):
    height, width = rng.uniform(*side, 2)
    top = int(rng.uniform(-height / 2, shape[0] - height / 2))
    left = int(rng.uniform(-width / 2, shape[1] - width / 2))
    canvas[
      max(0, top) : max(0, top + max(1, int(height))),
      max(0, left) : max(0, left + max(1, int(width))),
    ] = 1
  return canvas


def brush(
  shape: tuple[int, int],
  rng: np.random.Generator,
  count: int,
  length: tuple[float, float],
  width: tuple[float, float],
) -> np.ndarray:
  """Free-form strokes of a round brush, as used to train inpainting.

  Args:
    shape: (H, W).
    rng: the Generator.
    count: how many.
    length: (low, high) px of a stroke, which turns sharply a few times.
    width: (low, high) px.
  """
  steps = 6
  turns = np.cumsum(rng.normal(0, 0.9, (count, steps)), 1)
  points = walk(
    rng.random((count, 2)) * shape[::-1],
    rng.uniform(0, 2 * np.pi, (count, 1)) + turns,
    rng.uniform(*length, (count, 1)) / steps,
  )
  return draw(shape, rng, points, width, (1.0, 1.0), classes=count)


def specks(
  shape: tuple[int, int],
  rng: np.random.Generator,
  count: int,
  size: tuple[float, float],
  strength: tuple[float, float] = (0.5, 1.0),
  clusters: int = 0,
) -> np.ndarray:
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
  return draw(shape, rng, np.stack([points, points + dash], 1), size, strength)


def tear(
  shape: tuple[int, int],
  rng: np.random.Generator,
  start: np.ndarray,
  heading: float,
  length: float,
  width: float,
) -> tuple[np.ndarray, np.ndarray]:
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
  spine = walk(start[None], turns, np.full((1, 1), length / steps))[0]
  along = np.linspace(1, 0, steps + 1)[:, None]
  normal = np.array([-np.sin(heading), np.cos(heading)])
  ragged = np.exp(rng.normal(0, 0.3, (2, steps + 1, 1)))
  half = 0.5 * width * along**0.7
  left = spine + normal * half * ragged[0]
  right = spine - normal * half * ragged[1]
  outline = np.concatenate([left, right[::-1]])
  edges = np.stack([outline, np.roll(outline, -1, 0)], 1)
  outline = fixed(jagged(edges, rng, 0.1, 2)[:, :-1].reshape(-1, 2))
  wedge = np.zeros(shape, np.uint8)
  cv2.fillPoly(wedge, [outline], 255, cv2.LINE_AA, SHIFT)
  rim = wedge.copy()
  cv2.polylines(
    rim,
    [outline],
    True,
    255,
    max(2, int(rng.uniform(0.15, 0.5) * width)),
    cv2.LINE_AA,
    SHIFT,
  )
  return unit(wedge), unit(rim)


def blotch(
  shape: tuple[int, int],
  rng: np.random.Generator,
  radius: float,
  rough: float = 0.5,
  kind: str = 'blob',
) -> np.ndarray:
  """A field whose zero level is the outline of a stain, positive inside.

  Args:
    shape: (H, W).
    rng: the Generator.
    radius: px, about; a distance of it is about 1 in the field.
    rough: how much noise bends the outline.
    kind: 'ellipse', 'blob' (some ellipses together) or 'edge' (water that
      came in over one side of the picture).
  """
  height, width = shape
  # An outline is smooth: it is worked out on few points and enlarged.
  step = max(2.0, max(shape) / 160)
  small = max(2, round(height / step)), max(2, round(width / step))
  y = np.linspace(0, height, small[0], dtype=np.float32)[:, None] / radius
  x = np.linspace(0, width, small[1], dtype=np.float32)[None] / radius
  centre = rng.random(2) * shape / radius
  field: Any = None
  if kind == 'edge':
    turn = float(rng.integers(4) * np.pi / 2 + rng.normal(0, 0.15))
    cos, sin = float(np.cos(turn)), float(np.sin(turn))
    # Depth below the side that the direction comes from.
    far = max(0, -cos) * width / radius + max(0, -sin) * height / radius
    field = rng.uniform(0.3, 0.9) - (x * cos + y * sin + far)
  else:
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


def patches(
  shape: tuple[int, int],
  rng: np.random.Generator,
  cell: float,
  share: float,
  octaves: int = 4,
) -> np.ndarray:
  """Thresholded noise: ragged flakes covering about `share` of the picture."""
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


def walk(
  start: np.ndarray, headings: np.ndarray, step: np.ndarray
) -> np.ndarray:
  """[N, 2], [N, K] radians, [N, 1] px -> [N, K + 1, 2] points (x, y)."""
  moves = np.stack([np.cos(headings), np.sin(headings)], -1) * step[..., None]
  points = np.concatenate([start[:, None], moves], 1)
  return np.cumsum(points, 1)


def jagged(
  lines: np.ndarray, rng: np.random.Generator, rough: float, levels: int
) -> np.ndarray:
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


def fixed(points: np.ndarray) -> np.ndarray:
  """Points (x, y) in px -> fixed-point int32 for OpenCV."""
  return np.rint(points * (1 << SHIFT)).astype(np.int32)


def draw(
  shape: tuple[int, int],
  rng: np.random.Generator,
  points: np.ndarray,
  width: tuple[float, float],
  strength: tuple[float, float],
  canvas: np.ndarray | None = None,
  classes: int = 4,
) -> np.ndarray:
  """Draws polylines [N, K, 2] of (low, high) px; f32[H, W] coverage."""
  if canvas is None:
    canvas = np.zeros(shape, np.uint8)
  lines = list(fixed(points))
  classes = max(1, min(classes, len(lines)))
  # Lines of one class share width and strength: few calls draw them all.
  size = rng.uniform(*width, classes)
  cover = 255 * np.minimum(1, size) * rng.uniform(*strength, classes)
  thickness = np.maximum(1, size + rng.random(classes)).astype(int)
  # Strong ones last: a faint line never erases them.
  for index in np.argsort(cover):
    cv2.polylines(
      canvas,
      lines[index::classes],
      False,
      cover[index],
      int(thickness[index]),
      cv2.LINE_AA,
      SHIFT,
    )
  return unit(canvas)


def unit(canvas: np.ndarray) -> np.ndarray:
  """u8 -> f32 in [0, 1]."""
  return np.multiply(canvas, np.float32(1 / 255), dtype=np.float32)
