"""Dirt on films, plates and scanners: dust, hairs, lint, smut, drag lines."""

import cv2
import numpy as np

from artjax.data.degradations.decorators import clip
from artjax.data.degradations.decorators import local
from artjax.data.degradations.drawing import rendering
from artjax.data.degradations.drawing import shapes


@local('stain')
def film_dirt(
  image: np.ndarray,
  severity: float,
  rng: np.random.Generator,
  *,
  count: int = 60,
  bright: bool | None = None,
) -> tuple[np.ndarray, np.ndarray]:
  """Dirt of one to three kinds, each with its own scale and polarity.

  Args:
    image: f32[H, W, 3].
    severity: in [0, 1]; it scales number and opacity.
    rng: the Generator.
    count: maximum number of dust specks on 128 x 128 px; other kinds have
      fewer.
    bright: True for dirt on a negative, which prints white, False for black;
      None = random for each kind.
  """
  size = rendering.size(image)
  kinds = rng.choice(5, rng.integers(1, 4), replace=False)
  weights = []
  for kind in kinds:
    # From what a sharp scan shows to what an enlargement shows.
    scale = np.exp(rng.uniform(np.log(0.7), np.log(4))) * (size / 256) ** 0.5
    number = severity * rng.uniform(0.15, 1) * count * (size / 128) / scale
    weight = _KINDS[kind](image.shape[:2], rng, number, scale)
    if rng.random() < 0.3:  # out of focus, as dirt on the glass
      weight = cv2.GaussianBlur(weight, (0, 0), 0.4 + 0.4 * scale)
    weight = weight * np.float32(min(1.0, 3 * severity) * rng.uniform(0.5, 1))
    white = rng.random() < 0.55 if bright is None else bright
    level = rng.uniform(0.85, 1) if white else rng.uniform(0, 0.2)
    colour = np.clip(level + rendering.jitter(rng, 0.02), 0, 1)
    image = rendering.over(image, colour.astype(np.float32), weight)
    weights.append(weight)
  return image, rendering.union(weights)


def _dust(shape, rng, number, scale):
  return shapes.specks(
    shape,
    rng,
    max(1, int(number)),
    (0.7 * scale, 2.5 * scale),
    (0.5, 1.0),
    int(rng.integers(0, 4)),
  )


def _hairs(shape, rng, number, scale):
  side = max(shape)
  return shapes.strokes(
    shape,
    rng,
    max(1, int(number / 15)),
    (0.1 * side, 0.6 * side),
    (0.5 * scale, 0.9 * scale),
    rng.uniform(0.5, 2.2),
    strength=(0.6, 1.0),
  )


def _lint(shape, rng, number, scale):
  """Short curled fibres, many of them in tufts."""
  return shapes.strokes(
    shape,
    rng,
    max(2, int(number / 3)),
    (6 * scale, 22 * scale),
    (0.5 * scale, 0.8 * scale),
    rng.uniform(1, 3),
    strength=(0.5, 1.0),
  )


def _smut(shape, rng, number, scale):
  """Clots with a fuzzy rim and a few fibres in them."""
  clots = shapes.polygons(
    shape,
    rng,
    min(24, max(1, int(number / 8))),
    (1.5 * scale, 6 * scale),
    0.6,
    10,
  )
  fuzz = cv2.GaussianBlur(clots, (0, 0), 1 + scale)
  grain = shapes.smooth_noise(shape, rng, max(2.0, scale), 2)
  return clip(np.maximum(clots, fuzz * grain * np.float32(1.6)))


def _drag(shape, rng, number, scale):
  """Fine lines down the film, from rollers and the gate."""
  side = max(shape)
  angle = np.pi / 2 if rng.random() < 0.8 else 0.0
  return shapes.strokes(
    shape,
    rng,
    max(1, int(number / 8)),
    (0.2 * side, 1.6 * side),
    (0.4, 0.5 + 0.4 * scale),
    0.01,
    angle,
    (0.3, 1.0),
  )


_KINDS = (_dust, _hairs, _lint, _smut, _drag)
