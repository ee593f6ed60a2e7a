"""Missing paint or paper: losses, tears, holes."""

import numpy as np

from artjax.data.degradations.decorators import clip
from artjax.data.degradations.decorators import local
from artjax.data.degradations.drawing import cracks
from artjax.data.degradations.drawing import rendering
from artjax.data.degradations.drawing import shapes


@local('loss')
def paint_losses(
  image: np.ndarray,
  severity: float,
  rng: np.random.Generator,
  *,
  share: float = 0.16,
  kind: str | None = None,
) -> tuple[np.ndarray, np.ndarray]:
  """Flaked paint: irregular patches that show ground, canvas or wood.

  Args:
    image: f32[H, W, 3].
    severity: in [0, 1].
    rng: the Generator.
    share: of the picture, at most.
    kind: 'flakes' (ragged, of all sizes), 'islands' (of a crack mesh) or
      'patches' (few, larger); None for any.
  """
  shape, size = image.shape[:2], rendering.size(image)
  share = severity * rng.uniform(0.1, 1) * share
  if kind is None:
    kind = ('flakes', 'flakes', 'flakes', 'islands', 'patches', 'patches')[
      rng.integers(6)
    ]
  if kind == 'flakes':
    cell = size * np.exp(rng.uniform(np.log(0.08), np.log(0.35)))
    weight = shapes.patches(shape, rng, cell, share)
  elif kind == 'islands':
    cell = rng.uniform(8, 18) * (size / 128) ** 0.5
    weight = cracks.islands(
      shape, rng, cell, share, rng.uniform(1, 2.2), rng.integers(2) * np.pi / 2
    )
  elif kind == 'patches':
    number = int(rng.integers(1, 8))
    radius = size * np.sqrt(share / number / 3)
    weight = shapes.polygons(
      shape, rng, number, (0.5 * radius, 1.5 * radius), rng.uniform(0.2, 0.4)
    )
  else:
    raise ValueError(
      f'no kind {kind!r} of paint losses; flakes, islands or patches'
    )
  weight = weight * np.float32(min(1.0, 4 * severity))
  if rng.random() < 0.3:  # abraded rather than lost
    weight = weight * np.float32(rng.uniform(0.5, 0.95))
  ground = rendering.ground(shape, rng)
  # The paint around a loss is a step up: it throws a line of shade inside.
  edge = clip(weight - rendering.shifted(weight, rng))
  image = rendering.over(image, ground, weight)
  shade = edge * np.float32(rng.uniform(0.1, 0.6))
  return image * rendering.tint(shade, (0, 0, 0)), rendering.union(
    [weight, shade]
  )


@local('loss')
def tears(
  image: np.ndarray,
  severity: float,
  rng: np.random.Generator,
  *,
  count: int = 2,
) -> tuple[np.ndarray, np.ndarray]:
  """Rips that run in from a side: dark behind, or torn paper at the edge."""
  shape, size = image.shape[:2], rendering.size(image)
  height, width = shape
  weights = []
  for _ in range(max(1, int(severity * count + rng.random()))):
    side, place = rng.integers(4), rng.uniform(0.1, 0.9)
    x, y = place * width, place * height
    start = np.array(
      [(x, -2.0), (width + 2.0, y), (x, height + 2.0), (-2.0, y)][side]
    )
    heading = (1, 2, 3, 4)[side] * np.pi / 2 + rng.normal(0, 0.35)
    reach = size * (0.08 + severity * rng.uniform(0.1, 0.5))
    tear, paper = shapes.tear(
      shape, rng, start, heading, reach, reach * rng.uniform(0.03, 0.22)
    )
    strength = np.float32(min(1.0, 4 * severity))
    tear, paper = tear * strength, paper * strength
    if rng.random() < 0.7:
      image = rendering.over(image, rendering.GROUNDS[rng.integers(2)], paper)
      weights.append(paper)
    behind = np.array([1, 0.9, 0.8], np.float32)
    behind *= np.float32(rng.uniform(0.02, 0.2))
    if rng.random() < 0.4:
      behind = rendering.GROUNDS[rng.integers(len(rendering.GROUNDS))]
    image = rendering.over(image, behind, tear)
    weights.append(tear)
  return image, rendering.union(weights)


@local('loss')
def holes(
  image: np.ndarray,
  severity: float,
  rng: np.random.Generator,
  *,
  share: float = 0.3,
  shape: str | None = None,
  fill: str | None = None,
) -> tuple[np.ndarray, np.ndarray]:
  """Opaque holes, as used to train inpainting.

  Args:
    image: f32[H, W, 3].
    severity: in [0, 1]; it scales their size.
    rng: the Generator.
    share: of the picture, about, at severity 1.
    shape: 'brush', 'polygons' or 'boxes'; None for any.
    fill: 'white', 'flat' (any colour) or 'texture'; None for any.
  """
  size = rendering.size(image)
  kinds = ('brush', 'polygons', 'boxes')
  kind = kinds[rng.integers(3)] if shape is None else shape
  if kind not in kinds:
    raise ValueError(f'no shape {kind!r} of holes; brush, polygons or boxes')
  count = int(rng.integers(1, 6))
  # One hole of the wanted area each.
  area = severity * rng.uniform(0.3, 1) * share * size * size / count
  extent = image.shape[:2]
  if kind == 'brush':
    width = np.sqrt(area / rng.uniform(3, 12))
    weight = shapes.brush(
      extent,
      rng,
      count,
      (0.7 * area / width, 1.3 * area / width),
      (0.8 * width, 1.2 * width),
    )
  elif kind == 'polygons':
    radius = np.sqrt(area / 4)
    weight = shapes.polygons(extent, rng, count, (0.7 * radius, 1.3 * radius))
  else:
    side = np.sqrt(area)
    weight = shapes.boxes(extent, rng, count, (0.6 * side, 1.5 * side))
  return rendering.over(
    image, rendering.fill(extent, rng, fill), weight
  ), weight
