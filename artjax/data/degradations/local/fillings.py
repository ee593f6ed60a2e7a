"""Filled areas: old retouches and filler that replace the picture."""

import cv2
import numpy as np

from artjax.data.degradations import inpainting_masks
from artjax.data.degradations.decorators import clip
from artjax.data.degradations.decorators import local
from artjax.data.degradations.drawing import rendering
from artjax.data.degradations.drawing import shapes
from artjax.data.degradations.drawing import textures

_SHAPES = ('blobs', 'flakes', 'polygons', 'boxes', 'brush')


@local('loss')
def fillings(
  image: np.ndarray,
  severity: float,
  rng: np.random.Generator,
  *,
  share: float = 0.25,
  shape: str | None = None,
  fill: str | None = None,
) -> tuple[np.ndarray, np.ndarray]:
  """Opaque areas filled with a colour, a texture or other paint.

  Args:
    image: f32[H, W, 3].
    severity: in [0, 1]; it scales their size.
    rng: the Generator.
    share: of the picture, about, at severity 1.
    shape: 'blobs' (round, soft or hard edges), 'flakes' (ragged), 'polygons',
      'boxes' or 'brush'; None for any.
    fill: 'flat', 'noise', 'plaster', 'weave' or 'other_paint'; None for any.
  """
  kind = _SHAPES[rng.integers(len(_SHAPES))] if shape is None else shape
  extent, size = image.shape[:2], rendering.size(image)
  part = severity * rng.uniform(0.2, 1) * share
  weight = _area(extent, size, rng, part, kind)
  weight = weight * np.float32(min(1.0, 4 * severity) * rng.uniform(0.85, 1))
  painted = textures.filling(image, rng, fill)
  image = rendering.over(image, painted, weight)
  if rng.random() < 0.4:  # it lies lower or higher than what is around
    edge = clip(weight - rendering.shifted(weight, rng))
    shade = edge * np.float32(rng.uniform(0.2, 0.7))
    image = image * rendering.tint(shade, (0, 0, 0))
    return image, rendering.union([weight, shade])
  return image, weight


@local('loss')
def filled_holes(
  image: np.ndarray,
  severity: float,
  rng: np.random.Generator,
  *,
  share: float = 0.4,
  shape: str | None = None,
  fill: str | None = None,
) -> tuple[np.ndarray, np.ndarray]:
  """Missing areas of any shape that somebody has filled completely.

  The shapes are those that inpainting is trained on, from thin lines and
  writing to boxes.

  Args:
    image: f32[H, W, 3].
    severity: in [0, 1]; it scales their area.
    rng: the Generator.
    share: of the picture, at most, at severity 1.
    shape: a kind of `inpainting_masks.missing`, such as 'boxes'; None for any.
    fill: as in `fillings`; None for any.
  """
  kinds = tuple(inpainting_masks.KINDS)
  kind = kinds[rng.integers(len(kinds))] if shape is None else shape
  if kind not in kinds:
    raise ValueError(f'no shape {kind!r} of filled_holes; {", ".join(kinds)}')
  area = (1e-6, max(severity * share, 1e-3))
  hole = inpainting_masks.draw(image.shape[:2], rng, area, kind)
  weight: np.ndarray = hole.astype(np.float32)
  if rng.random() < 0.5:  # hard or soft edges
    weight = cv2.GaussianBlur(weight, (0, 0), rng.uniform(0.4, 1.2))
  painted = textures.filling(image, rng, fill)
  return rendering.over(image, painted, weight), weight


def _area(extent, size, rng, share, kind):
  """f32[H, W] that covers about `share` of the picture."""
  count = int(rng.integers(1, 7))
  area = share * size * size / count
  if kind == 'blobs':
    radius = 1.1 * np.sqrt(area / np.pi) + 1
    slope = np.float32(radius / rng.uniform(0.7, 4))  # px of a soft edge
    rough = rng.uniform(0.1, 0.5)
    fields = [
      shapes.blotch(extent, rng, radius, rough, 'blob') for _ in range(count)
    ]
    return clip(np.max(fields, 0) * slope)
  if kind == 'flakes':
    cell = size * np.exp(rng.uniform(np.log(0.1), np.log(0.4)))
    return shapes.patches(extent, rng, cell, share)
  if kind == 'polygons':
    radius = np.sqrt(area / 4) + 0.5
    return shapes.polygons(extent, rng, count, (0.7 * radius, 1.3 * radius))
  if kind == 'boxes':
    side = np.sqrt(area)
    return shapes.boxes(extent, rng, count, (0.6 * side, 1.5 * side))
  if kind == 'brush':
    width = np.sqrt(area / rng.uniform(3, 12)) + 0.5
    length = area / width
    return shapes.brush(
      extent, rng, count, (0.7 * length, 1.3 * length), (0.8 * width, width)
    )
  raise ValueError(f'no shape {kind!r} of fillings; {", ".join(_SHAPES)}')
