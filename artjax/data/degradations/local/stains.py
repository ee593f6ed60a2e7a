"""Stains of water, mould, rust and dust. Their sizes scale with the picture."""

import cv2
import numpy as np

from artjax.data.degradations.decorators import clip
from artjax.data.degradations.decorators import local
from artjax.data.degradations.drawing import rendering
from artjax.data.degradations.drawing import shapes

# What white would become under a stain: tea, rust, grime, algae, old glue.
_STAINS = np.array(
  [
    [0.60, 0.42, 0.22],
    [0.62, 0.35, 0.15],
    [0.45, 0.44, 0.42],
    [0.46, 0.50, 0.30],
    [0.78, 0.64, 0.32],
  ],
  np.float32,
)


@local('stain')
def water_stains(
  image: np.ndarray,
  severity: float,
  rng: np.random.Generator,
  *,
  count: int = 3,
) -> tuple[np.ndarray, np.ndarray]:
  """Dried water: tinted blotches with a darker tide line around them."""
  shape = image.shape[:2]
  weights = []
  for _ in range(max(1, int(severity * count * rng.random() + rng.random()))):
    radius = min(shape) * np.exp(rng.uniform(np.log(0.12), np.log(0.6)))
    radius *= 0.6 + 0.4 * severity
    kind = ('ellipse', 'blob', 'blob', 'edge')[rng.integers(4)]
    field = shapes.blotch(shape, rng, radius, rng.uniform(0.15, 0.8), kind)
    # The tide line is sharp outside and fades inwards.
    rim = max(1.2, radius * rng.uniform(0.02, 0.09)) / radius
    outside = clip(field * np.float32(radius / rng.uniform(1.2, 3)) + 1)
    line = outside * cv2.exp(np.clip(field, 0, 8) * np.float32(-1 / rim))
    body, dark = rng.uniform(0.1, 0.6), rng.uniform(0.2, 0.95)
    if rng.random() < 0.3:  # it dried twice
      inner = (field - np.float32(rng.uniform(0.15, 0.4))) * np.float32(1 / rim)
      line = np.maximum(line, cv2.exp(-inner * inner) * np.float32(0.6))
    weight = clip(outside * np.float32(body) + line * np.float32(dark))
    if rng.random() < 0.5:
      weight = weight * clip(
        shapes.smooth_noise(shape, rng, radius / 3) + np.float32(0.4)
      )
    weight = weight * rendering.opacity(severity, rng)
    tint = _STAINS[rng.integers(len(_STAINS))] + rendering.jitter(rng, 0.08)
    tint = np.clip(tint, 0, 1)
    if rng.random() < 0.8:
      image = image * rendering.tint(weight, tint)
    elif rng.random() < 0.6:  # it left something behind
      image = rendering.over(image, tint, weight)
    else:  # it washed something out
      image = rendering.over(
        image, np.clip(tint + np.float32(0.35), 0, 1), weight
      )
    weights.append(weight)
  return image, rendering.union(weights)


@local('stain')
def foxing(
  image: np.ndarray,
  severity: float,
  rng: np.random.Generator,
  *,
  count: int = 40,
) -> tuple[np.ndarray, np.ndarray]:
  """Rusty spots with a soft border; `count` at most, whatever the size."""
  shape, size = image.shape[:2], rendering.size(image)
  number = max(1, int(severity * rng.uniform(0.2, 1) * count))
  largest = size * (0.012 + severity * rng.uniform(0.005, 0.04))
  weight = shapes.specks(
    shape,
    rng,
    number,
    (0.3 * largest, largest),
    (0.3, 1.0),
    int(rng.integers(0, 5)),
  )
  weight = cv2.GaussianBlur(weight, (0, 0), max(0.5, 0.25 * largest))
  weight = clip(weight * np.float32(2.2)) * rendering.opacity(severity, rng)
  tint = np.clip(
    np.array([0.55, 0.33, 0.14], np.float32) + rendering.jitter(rng, 0.08), 0, 1
  )
  return image * rendering.tint(weight, tint), weight


@local('stain')
def mould(
  image: np.ndarray,
  severity: float,
  rng: np.random.Generator,
  *,
  count: int = 150,
) -> tuple[np.ndarray, np.ndarray]:
  """Colonies of dark, greenish or pale dots, with a bloom around each."""
  shape, size = image.shape[:2], rendering.size(image)
  number = max(3, int(severity * rng.uniform(0.2, 1) * count))
  dot = max(1.0, size * rng.uniform(0.006, 0.02))
  dots = shapes.specks(
    shape, rng, number, (0.5 * dot, dot), (0.4, 1.0), int(rng.integers(1, 5))
  )
  bloom = cv2.GaussianBlur(dots, (0, 0), max(1.0, size * 0.02))
  weight = cv2.GaussianBlur(dots, (0, 0), 0.5) + bloom * np.float32(
    rng.uniform(0.2, 1.2)
  )
  weight = clip(weight) * rendering.opacity(severity, rng)
  colours = np.array(
    [
      [0.12, 0.12, 0.10],
      [0.25, 0.30, 0.18],
      [0.80, 0.82, 0.76],
      [0.35, 0.33, 0.30],
    ],
    np.float32,
  )
  colour = colours[rng.integers(4)] + rendering.jitter(rng, 0.02)
  return rendering.over(image, np.clip(colour, 0, 1), weight), weight


@local('stain')
def dust(
  image: np.ndarray,
  severity: float,
  rng: np.random.Generator,
  *,
  count: int = 90,
) -> tuple[np.ndarray, np.ndarray]:
  """Specks and short fibres, bright or dark; `count` at most on 128 x 128."""
  shape, size = image.shape[:2], rendering.size(image)
  # px in size, so that their number follows the area.
  number = severity * rng.uniform(0.15, 1) * count * min((size / 128) ** 2, 40)
  weight = shapes.specks(
    shape,
    rng,
    max(1, int(number)),
    (0.8, 1.6 + severity * rng.uniform(0, 2.5)),
    (0.5, 1.0),
  )
  if rng.random() < 0.5:
    fibres = shapes.strokes(
      shape,
      rng,
      max(1, int(number / 20)),
      (3, 12),
      (0.6, 1.2),
      0.6,
      strength=(0.4, 1.0),
    )
    weight = np.maximum(weight, fibres)
  weight = weight * rendering.opacity(severity, rng)
  return rendering.tone(image, weight, rng, rng.random() < 0.7), weight
