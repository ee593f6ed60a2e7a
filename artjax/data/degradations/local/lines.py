"""Thin damage: scratches, craquelure, hairs, folds. Widths are px."""

import cv2
import numpy as np

from artjax.data.degradations.decorators import clip
from artjax.data.degradations.decorators import local
from artjax.data.degradations.drawing import cracks
from artjax.data.degradations.drawing import rendering
from artjax.data.degradations.drawing import shapes


@local('crack')
def scratches(
  image: np.ndarray,
  severity: float,
  rng: np.random.Generator,
  *,
  count: int = 12,
  width: float = 2.5,
) -> tuple[np.ndarray, np.ndarray]:
  """Scratches, straight or curved, bright or dark.

  Args:
    image: f32[H, W, 3].
    severity: in [0, 1].
    rng: the Generator.
    count: the most of them on 128 x 128 px.
    width: of the widest, px.
  """
  shape, size = image.shape[:2], rendering.size(image)
  number = severity * rng.uniform(0.15, 1) * count * size / 128
  side = max(shape)
  weights = []
  for share in (0.65, 0.35) if rng.random() < 0.35 else (1.0,):
    angle = rng.uniform(0, 2 * np.pi) if rng.random() < 0.4 else None
    bend = 0.03 if rng.random() < 0.5 else rng.uniform(0.1, 0.7)
    longest = side * np.exp(rng.uniform(np.log(0.12), np.log(1.1)))
    weight = shapes.strokes(
      shape,
      rng,
      max(1, int(number * share + rng.random())),
      (0.3 * longest, longest),
      (0.5, 0.6 + severity * (width - 0.6)),
      bend,
      angle,
      (0.5, 1.0),
    )
    if rng.random() < 0.3:  # a blunt tool skips
      weight = rendering.worn(weight, rng, 12)
    weights.append(weight * rendering.opacity(severity, rng))
    image = rendering.tone(image, weights[-1], rng)
  return image, rendering.union(weights)


@local('crack')
def craquelure(
  image: np.ndarray,
  severity: float,
  rng: np.random.Generator,
  *,
  width: float = 2.2,
  cell: float | None = None,
  pattern: str | None = None,
) -> tuple[np.ndarray, np.ndarray]:
  """Age cracks of the paint layer, dark with dirt or bright with ground.

  Args:
    image: f32[H, W, 3].
    severity: in [0, 1].
    rng: the Generator.
    width: of the widest cracks, px.
    cell: px between neighbouring cracks; None for 11 to 50.
    pattern: 'mesh' (islands), 'brick' (along the grain of wood or a weave),
      'walks' (single branching cracks), 'parallel', 'rings' (a blow); None for
      any.
  """
  shape, size = image.shape[:2], rendering.size(image)
  cell = np.exp(rng.uniform(np.log(11), np.log(50))) if cell is None else cell
  if pattern is None:
    pattern = (
      'mesh',
      'mesh',
      'mesh',
      'brick',
      'brick',
      'brick',
      'walks',
      'walks',
      'parallel',
      'rings',
    )[rng.integers(10)]
  # Fine meshes have fine cracks.
  thick = min(width, 0.6 + cell / 24)
  widths = (0.35 + 0.3 * severity, 0.6 + severity * max(0.2, thick - 0.6))
  angle = rng.integers(2) * np.pi / 2 + rng.normal(0, 0.15)
  if pattern == 'mesh':
    weight = cracks.mesh(
      shape,
      rng,
      cell,
      widths,
      rng.uniform(1, 1.5),
      angle,
      rng.uniform(0.55, 0.97),
      rough=rng.uniform(0.06, 0.16),
    )
    if cell > 28 and rng.random() < 0.4:  # finer, younger cracks within
      fine = cracks.mesh(
        shape,
        rng,
        cell / rng.uniform(1.8, 2.6),
        (0.4 * widths[0], 0.4 * widths[1]),
        1.2,
        angle,
        rng.uniform(0.35, 0.75),
      )
      weight = np.maximum(weight, fine)
  elif pattern == 'brick':
    weight = cracks.mesh(
      shape,
      rng,
      cell,
      (widths[0], 0.75 * widths[1]),
      rng.uniform(1.1, 3.2),
      angle,
      rng.uniform(0.55, 0.95),
      True,
      rng.uniform(0.06, 0.14),
    )
  elif pattern == 'walks':
    number = max(1, round((1 + 9 * severity * rng.random()) * size / 128))
    weight = cracks.walks(
      shape,
      rng,
      number,
      (15, 0.7 * size),
      widths,
      rng.uniform(0.1, 0.5),
      rng.uniform(0.3, 2),
    )
  elif pattern == 'parallel':
    number = max(2, round(1.1 * size / cell))
    weight = cracks.walks(
      shape,
      rng,
      number,
      (10, 0.6 * size),
      widths,
      rng.uniform(0.08, 0.25),
      0.3,
      angle,
    )
  elif pattern == 'rings':
    weight = cracks.rings(shape, rng, (widths[0], 0.7 * widths[1]), 0.6 * cell)
  else:
    raise ValueError(
      f'no pattern {pattern!r} of craquelure; mesh, brick, '
      'walks, parallel or rings'
    )
  if rng.random() < 0.65:  # it comes in zones
    weight = rendering.worn(weight, rng, size * rng.uniform(0.2, 0.6))
  weight = weight * rendering.opacity(severity, rng)
  bright = rng.random() < 0.22
  if rng.random() < 0.25:
    # Paint curls up along a crack, and the light comes from one side.
    edge = cv2.blur(rendering.shifted(weight, rng), (2, 2))
    light = edge * np.float32(rng.uniform(0.1, 0.3))
    image = rendering.over(image, np.ones(3, np.float32), light)
    return rendering.tone(image, weight, rng, bright), rendering.union(
      [light, weight]
    )
  return rendering.tone(image, weight, rng, bright), weight


@local('crack')
def hair(
  image: np.ndarray,
  severity: float,
  rng: np.random.Generator,
  *,
  count: int = 3,
  width: float = 1.6,
) -> tuple[np.ndarray, np.ndarray]:
  """Hairs and fibres, dark or bright.

  Args:
    image: f32[H, W, 3].
    severity: in [0, 1].
    rng: the Generator.
    count: the most of them on 128 x 128 px.
    width: of the widest, px.
  """
  shape, size = image.shape[:2], rendering.size(image)
  number = max(1, int(severity * count * size / 128 + rng.random()))
  weight = shapes.strokes(
    shape,
    rng,
    number,
    (0.12 * size, 0.55 * size),
    (0.6, 1.0 + (width - 1.0) * severity),
    rng.uniform(0.5, 1.8),
    strength=(0.6, 1.0),
  )
  weight = weight * rendering.opacity(severity, rng)
  return rendering.tone(image, weight, rng), weight


@local('crack')
def folds(
  image: np.ndarray,
  severity: float,
  rng: np.random.Generator,
  *,
  count: int = 3,
) -> tuple[np.ndarray, np.ndarray]:
  """Creases: a worn line, light on one side and shade on the other."""
  height, width = image.shape[:2]
  size = rendering.size(image)
  weights = []
  for _ in range(max(1, int(severity * count + rng.random()))):
    # Sheets are folded across; canvas creases in any direction.
    turn = (
      rng.integers(2) * np.pi / 2 + rng.normal(0, 0.03)
      if rng.random() < 0.6
      else rng.uniform(0, np.pi)
    )
    cos, sin = float(np.cos(turn)), float(np.sin(turn))
    through = rng.uniform(0.1, 0.9, 2) * (width, height)
    x = np.arange(width, dtype=np.float32) - np.float32(through[0])
    y = np.arange(height, dtype=np.float32) - np.float32(through[1])
    distance = (x * cos)[None] + (y * sin)[:, None]
    wavy = shapes.smooth_noise((height, width), rng, size / 4, 2)
    distance += (wavy - np.float32(0.5)) * np.float32(
      0.05 * size * rng.random()
    )
    line = 0.6 + severity * rng.uniform(0.1, 1.2)
    reach = size * rng.uniform(0.015, 0.06)
    strength = rendering.opacity(severity, rng)
    worn = clip(np.float32(line + 0.5) - np.abs(distance)) * strength
    if rng.random() < 0.7:
      worn = rendering.worn(worn, rng, size * 0.12)
    # Brighter on one side and darker on the other, falling off smoothly.
    relief = distance * np.float32(1 / reach)
    relief *= cv2.exp(np.float32(0.5) - relief * relief * np.float32(0.5))
    depth = np.float32(strength * rng.uniform(0.05, 0.3))
    image = image * rendering.tint(relief * depth, (2, 2, 2))
    image = rendering.tone(clip(image), worn, rng, rng.random() < 0.75)
    weights += [worn, np.abs(relief) * depth]
  return image, rendering.union(weights)
