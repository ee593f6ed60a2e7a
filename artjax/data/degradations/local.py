"""Local damage: what scratches, cracks and losses do to a picture.

Stains are in stains.py. Plain functions of float32 [H, W, 3] in [0, 1] that
return the picture and a weight f32[H, W] which bounds the change, lifted to ops
with masks by `local` (see artjax/data/degradations/decorators.py):
`scratches(severity=(0.2, 0.8))`. Widths of cracks and scratches are px; folds
and losses follow the picture's size; the number of lines grows so that the
share of the picture they cover stays the same. Low severity means few, small
and faint; none of it at 0.
"""

import functools
import pathlib

import cv2
import numpy as np

from artjax.data.degradations import cracks
from artjax.data.degradations import rendering
from artjax.data.degradations import shapes
from artjax.data.degradations.decorators import clip
from artjax.data.degradations.decorators import local
from artjax.data.examples import op

# Lines -----------------------------------------------------------------------


@local('crack')
def scratches(image, severity, rng, *, count=12, width=2.5):
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
def craquelure(image, severity, rng, *, width=2.2, cell=None, pattern=None):
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
def hair(image, severity, rng, *, count=3):
  """Hairs and fibres, dark or bright; at most `count` on 128 x 128 px."""
  shape, size = image.shape[:2], rendering.size(image)
  number = max(1, int(severity * count * size / 128 + rng.random()))
  weight = shapes.strokes(
    shape,
    rng,
    number,
    (0.12 * size, 0.55 * size),
    (0.6, 1.0 + 0.6 * severity),
    rng.uniform(0.5, 1.8),
    strength=(0.6, 1.0),
  )
  weight = weight * rendering.opacity(severity, rng)
  return rendering.tone(image, weight, rng), weight


@local('crack')
def folds(image, severity, rng, *, count=3):
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


# Losses ----------------------------------------------------------------------


@local('loss')
def paint_losses(image, severity, rng, *, share=0.16, kind=None):
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
def tears(image, severity, rng, *, count=2):
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
    behind = np.float32([1, 0.9, 0.8]) * np.float32(rng.uniform(0.02, 0.2))
    if rng.random() < 0.4:
      behind = rendering.GROUNDS[rng.integers(len(rendering.GROUNDS))]
    image = rendering.over(image, behind, tear)
    weights.append(tear)
  return image, rendering.union(weights)


@local('loss')
def holes(image, severity, rng, *, share=0.3, shape=None, fill=None):
  """Opaque holes, as inpainting is trained on.

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


@op
def masks_from(folder, severity=0.5, *, part='loss', fill=None, invert=False):
  """Damage in the shape of the masks of a folder.

  Args:
    folder: of pictures, searched through; bright = damaged. One is drawn per
      example, turned, mirrored, cut and scaled at random to cover the picture.
    severity: in [0, 1] or (low, high); opacity, full from 0.5 on.
    part: 'crack', 'loss' or 'stain', the channel of the mask.
    fill: 'white', 'flat', 'texture', 'tone' (as scratches and cracks look);
      None for any.
    invert: dark = damaged.

  Returns:
    The op.

  Raises:
    FileNotFoundError: no such folder, or no pictures in it.
    ValueError: a mask that cannot be read, when it is drawn.
  """
  found = tuple(
    sorted(
      path
      for path in pathlib.Path(folder).rglob('*')
      if path.suffix.lower()
      in ('.png', '.jpg', '.jpeg', '.tif', '.tiff', '.bmp', '.webp')
    )
  )
  if not found:
    raise FileNotFoundError(
      f'no masks under {folder!s}: expected a folder of '
      '.png, .jpg, .tif, .bmp or .webp files'
    )

  def draw(image, severity, rng):
    height, width = image.shape[:2]
    mask = _mask(found[rng.integers(len(found))])
    mask = np.rot90(mask, rng.integers(4))[:, :: rng.choice((-1, 1))]
    # The window has the picture's proportions and a random share of the mask.
    scale = min(mask.shape[0] / height, mask.shape[1] / width)
    scale *= rng.uniform(0.5, 1)
    rows = min(mask.shape[0], max(1, round(height * scale)))
    columns = min(mask.shape[1], max(1, round(width * scale)))
    top = rng.integers(mask.shape[0] - rows + 1)
    left = rng.integers(mask.shape[1] - columns + 1)
    window = np.ascontiguousarray(mask[top : top + rows, left : left + columns])
    # Areas are averaged on the way down, or thin lines would break up.
    weight = cv2.resize(
      window,
      (width, height),
      interpolation=(cv2.INTER_AREA if scale > 1 else cv2.INTER_LINEAR),
    )
    weight = weight * np.float32(1 / 255)
    weight = (1 - weight if invert else weight) * np.float32(
      min(1.0, 2 * severity)
    )
    kind = fill
    if kind is None:
      kind = ('white', 'flat', 'texture', 'tone')[rng.integers(4)]
    if kind == 'tone':
      return rendering.tone(image, weight, rng), weight
    filling = rendering.fill((height, width), rng, kind)
    return rendering.over(image, filling, weight), weight

  draw.__name__ = 'masks_from'  # as errors call it
  return local(part)(draw)(severity)


@functools.lru_cache(maxsize=256)
def _mask(path):
  """u8[H, W] of a file, of 1024 px a side at most; kept in memory."""
  mask = cv2.imread(str(path), cv2.IMREAD_GRAYSCALE)
  if mask is None:
    raise ValueError(f'cannot read the mask {path}')
  factor = 1024 / max(mask.shape)
  if factor < 1:
    mask = cv2.resize(
      mask, None, fx=factor, fy=factor, interpolation=cv2.INTER_AREA
    )
  return mask
