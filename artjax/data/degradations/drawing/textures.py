"""Textures that replace paint: plaster, canvas, noise, other paint.

Every function returns float32 [H, W, 3] in [0, 1].
"""

import cv2
import numpy as np

from artjax.data.degradations.decorators import clip
from artjax.data.degradations.drawing import rendering
from artjax.data.degradations.drawing import shapes

# Linen raw, primed and old, and jute.
_CANVAS = np.array(
  [
    [0.78, 0.72, 0.60],
    [0.88, 0.86, 0.80],
    [0.58, 0.48, 0.34],
    [0.66, 0.56, 0.38],
  ],
  np.float32,
)


def plaster(shape: tuple[int, int], rng: np.random.Generator) -> np.ndarray:
  """Bright filler, rough as a spatula leaves it, lit from one side."""
  unit = max(1.0, min(shape) / 128)
  height: np.ndarray = shapes.smooth_noise(shape, rng, 12 * unit, 4)
  height += shapes.smooth_noise(shape, rng, 2.5 * unit) * np.float32(0.35)
  if rng.random() < 0.5:  # drawn in one direction
    cells = [40 * unit, 2.5 * unit]
    rng.shuffle(cells)
    height += shapes.smooth_noise(
      shape, rng, (cells[0], cells[1])
    ) * np.float32(0.4)
  relief = height - rendering.shifted(height, rng)
  base = rng.uniform(0.78, 0.98) + rendering.jitter(rng, 0.03)
  shade = relief * np.float32(rng.uniform(1.5, 4)) + (
    height - np.float32(0.7)
  ) * np.float32(rng.uniform(0.05, 0.25))
  return clip(rendering.tint(shade, base + 1, base))


def weave(shape: tuple[int, int], rng: np.random.Generator) -> np.ndarray:
  """Bare canvas: threads over and under each other, uneven in thickness."""
  height, width = shape
  period = max(2.0, min(shape) / 128 * rng.uniform(1.3, 2.8))
  # Threads wander a little, so their grid is not that of the pixels.
  wander = np.float32(period * 0.6)
  cells = (period * 4, period * 12)
  x = np.arange(width, dtype=np.float32)[None] + wander * (
    shapes.smooth_noise(shape, rng, cells)
  )
  y = np.arange(height, dtype=np.float32)[:, None] + wander * (
    shapes.smooth_noise(shape, rng, cells[::-1])
  )
  x, y = x * np.float32(1 / period), y * np.float32(1 / period)
  over = (np.floor(x) + np.floor(y)) % 2 == 0
  round_ = np.where(over, np.sin(np.pi * (x % 1)), np.sin(np.pi * (y % 1)))
  round_ = np.abs(round_).astype(np.float32)
  round_ *= np.float32(0.75) + np.float32(0.5) * shapes.smooth_noise(
    shape, rng, period * 3, 2
  )
  colour = _CANVAS[rng.integers(len(_CANVAS))] + rendering.jitter(rng, 0.04)
  return clip(rendering.tint(round_, colour * 1.12, colour * 0.6))


def noise(shape: tuple[int, int], rng: np.random.Generator) -> np.ndarray:
  """Uniform noise, coloured or grey, of grains of one to four px."""
  grain = rng.uniform(1, 4)
  height, width = (max(1, round(side / grain)) for side in shape)
  small = rng.random((height, width, 3), np.float32)
  if rng.random() < 0.4:
    small[...] = small[..., :1]
  middle = rng.random(3, np.float32) * np.float32(0.5)
  small = small * np.float32(rng.uniform(0.4, 1)) + middle
  return clip(cv2.resize(small, shape[::-1], interpolation=cv2.INTER_NEAREST))


def other_paint(image: np.ndarray, rng: np.random.Generator) -> np.ndarray:
  """Another part of the picture: mirrored or shifted, slightly recoloured.

  Args:
    image: f32[H, W, 3] in [0, 1].
    rng: the Generator.
  """
  height, width = image.shape[:2]
  flipped = (
    image if rng.random() < 0.4 else cv2.flip(image, int(rng.integers(-1, 2)))
  )
  down, right = rng.uniform(0.25, 0.75, 2) * (height, width)
  moved = np.roll(flipped, (int(down), int(right)), (0, 1))
  gain = np.exp(rng.normal(0, 0.15)) + rendering.jitter(rng, 0.06)
  return clip(cv2.multiply(moved, np.append(gain, 0).astype(np.float64)))


def filling(
  image: np.ndarray, rng: np.random.Generator, kind: str | None = None
) -> np.ndarray:
  """The texture that fills a hole.

  Args:
    image: f32[H, W, 3] in [0, 1].
    rng: the Generator.
    kind: 'flat' (any colour), 'noise', 'plaster', 'weave' (canvas) or
      'other_paint' (from another part of the picture); None for any.

  Raises:
    ValueError: no such kind.
  """
  shape = image.shape[:2]
  kind = KINDS[rng.integers(len(KINDS))] if kind is None else kind
  if kind == 'flat':
    return np.full(image.shape, _flat(image, rng), np.float32)
  if kind == 'other_paint':
    return other_paint(image, rng)
  textures = {'noise': noise, 'plaster': plaster, 'weave': weave}
  if kind not in textures:
    raise ValueError(f'no filling {kind!r}; {", ".join(KINDS)}')
  return textures[kind](shape, rng)


def _flat(image, rng):
  """A colour f32[3]: any, that of a ground, or nearly one of the picture."""
  draw = rng.random()
  if draw < 0.4:
    return rng.random(3, np.float32)
  if draw < 0.7:
    grounds = rendering.GROUNDS
    colour = grounds[rng.integers(len(grounds))]
  else:
    height, width = image.shape[:2]
    colour = image[rng.integers(height), rng.integers(width)]
  return np.clip(colour + rendering.jitter(rng, 0.08), 0, 1)


KINDS = ('flat', 'noise', 'plaster', 'weave', 'other_paint')
