"""How damage looks: its colours, what it bares, and how shapes are blended in.

Pictures are float32 [H, W, 3] and weights float32 [H, W], in [0, 1]; a colour
is float32 [3]. A blend changes no channel of a pixel by more than its weight.
"""

from collections.abc import Sequence
import functools

import cv2
import numpy as np

from artjax.data.degradations.decorators import clip
from artjax.data.degradations.drawing import shapes

# What lies under paint: chalk, gesso, canvas, wood, bole, dark priming.
GROUNDS = np.array(
  [
    [0.93, 0.91, 0.87],
    [0.87, 0.81, 0.70],
    [0.70, 0.60, 0.46],
    [0.52, 0.38, 0.25],
    [0.55, 0.30, 0.20],
    [0.25, 0.20, 0.16],
  ],
  np.float32,
)
_IDENTITY = np.eye(3, dtype=np.float32)


def size(image: np.ndarray) -> float:
  """Side of a square of the same area as the picture, px."""
  return float(np.sqrt(image.shape[0] * image.shape[1]))


def opacity(severity: float, rng: np.random.Generator) -> np.float32:
  """A random opacity, faint at low severity."""
  return np.float32(min(1.0, 2.5 * severity) * rng.uniform(0.35, 1))


def over(
  image: np.ndarray, colour: np.ndarray, weight: np.ndarray
) -> np.ndarray:
  """Blends a colour f32[3] or a picture over an image, by f32[H, W]."""
  # Broadcasting over three channels would be slow: all arrays have all three.
  share: np.ndarray = cv2.cvtColor(weight, cv2.COLOR_GRAY2RGB)
  if colour.ndim == 1:
    columns = np.column_stack([-_IDENTITY, colour])
    change = np.asarray(cv2.transform(image, columns))
  else:
    change = colour - image
  change *= share
  change += image
  return change


def tint(
  weight: np.ndarray,
  white: np.ndarray | tuple[float, float, float],
  black: float | np.ndarray = 1.0,
) -> np.ndarray:
  """f32[H, W] -> f32[H, W, 3]: colour `black` where it is 0, `white` at 1."""
  share = cv2.cvtColor(weight, cv2.COLOR_GRAY2RGB)
  black = np.full(3, black, np.float32) if np.isscalar(black) else black
  return cv2.transform(
    share,
    np.column_stack([np.diag(np.asarray(white, np.float32) - black), black]),
  )


def union(weights: Sequence[np.ndarray]) -> np.ndarray:
  """Coverage f32[H, W] of several layers: 1 - (1 - a) (1 - b) ..."""
  return functools.reduce(lambda a, b: a + b - a * b, weights)


def worn(
  weight: np.ndarray, rng: np.random.Generator, cell: float
) -> np.ndarray:
  """A shape with parts worn away, in zones of `cell` px."""
  zone = shapes.smooth_noise(weight.shape, rng, max(2.0, float(cell)))
  return weight * clip(zone * np.float32(3) - np.float32(0.9))


def shifted(weight: np.ndarray, rng: np.random.Generator) -> np.ndarray:
  """A shape moved by one px in one of eight directions."""
  down, right = (
    (0, 1),
    (1, 0),
    (1, 1),
    (-1, 0),
    (0, -1),
    (-1, -1),
    (1, -1),
    (-1, 1),
  )[rng.integers(8)]
  move = np.array([[1, 0, right], [0, 1, down]], np.float32)
  return cv2.warpAffine(
    weight,
    move,
    weight.shape[::-1],
    flags=cv2.INTER_NEAREST,
    borderMode=cv2.BORDER_REPLICATE,
  )


def jitter(rng: np.random.Generator, sigma: float) -> np.ndarray:
  """A small random change of colour f32[3], of lightness more than of hue."""
  light, *hue = rng.standard_normal(4, np.float32) * np.float32(sigma)
  return light + np.float32(0.3) * np.array(hue)


def tone(
  image: np.ndarray,
  weight: np.ndarray,
  rng: np.random.Generator,
  bright: bool | None = None,
) -> np.ndarray:
  """Blends thin damage over a picture, in one of the colours it may have."""
  if bright is None:
    bright = rng.random() < 0.5
  kind = rng.random()
  colour: np.ndarray
  if bright:
    if kind < 0.45:  # bare ground or paper
      colour = np.clip(rng.uniform(0.75, 1) + jitter(rng, 0.03), 0, 1)
    elif kind < 0.65:  # grey
      colour = np.clip(rng.uniform(0.45, 0.8) + jitter(rng, 0.03), 0, 1)
    elif kind < 0.8:
      colour = GROUNDS[rng.integers(4)]
    else:  # lighter than what is around
      colour = 1 - cv2.blur(1 - image, (7, 7)) * np.float32(
        rng.uniform(0.2, 0.65)
      )
  elif kind < 0.4:  # dirt
    colour = np.clip(rng.uniform(0, 0.2) + jitter(rng, 0.03), 0, 1)
  elif kind < 0.6:  # brown
    colour = np.clip(
      np.array([0.34, 0.22, 0.13], np.float32)
      * np.float32(rng.uniform(0.4, 1.4))
      + jitter(rng, 0.03),
      0,
      1,
    )
  elif kind < 0.7:
    colour = np.clip(rng.uniform(0.2, 0.45) + jitter(rng, 0.03), 0, 1)
  elif kind < 0.85:  # darker than what is around
    colour = cv2.blur(image, (7, 7)) * np.float32(rng.uniform(0.15, 0.65))
  else:  # dirt that shades the colour itself
    colour = image * np.float32(rng.uniform(0.1, 0.6))
  return over(image, colour.astype(np.float32), weight)


def ground(shape: tuple[int, int], rng: np.random.Generator) -> np.ndarray:
  """What lies under the paint: f32[H, W, 3] with a weave or a grain."""
  colour = GROUNDS[rng.integers(len(GROUNDS))] + jitter(rng, 0.05)
  uneven = shapes.smooth_noise(shape, rng, max(shape) / 5, 2) - np.float32(0.5)
  texture = uneven * np.float32(rng.uniform(0.05, 0.35))
  if rng.random() < 0.5:  # threads of a canvas
    period = rng.uniform(2.2, 5)
    threads = [
      np.sin(
        np.arange(extent, dtype=np.float32) * np.float32(2 * np.pi / period)
      )
      for extent in shape
    ]
    texture = texture + threads[0][:, None] * threads[1][None] * np.float32(
      rng.uniform(0.02, 0.07)
    )
  else:
    fine = shapes.smooth_noise(shape, rng, 2.0) - np.float32(0.5)
    texture = texture + fine * np.float32(rng.uniform(0.02, 0.15))
  return clip(tint(texture, 2 * colour, colour))


def fill(
  shape: tuple[int, int], rng: np.random.Generator, kind: str | None
) -> np.ndarray:
  """A colour f32[3], or f32[H, W, 3], to fill holes with."""
  kinds = ('white', 'flat', 'texture')
  kind = kinds[rng.integers(3)] if kind is None else kind
  if kind == 'white':
    return np.ones(3, np.float32)
  if kind == 'flat':
    return rng.random(3, np.float32)
  if kind == 'texture':
    if rng.random() < 0.5:
      return ground(shape, rng)
    one, other = rng.random((2, 3), np.float32)
    field = shapes.smooth_noise(shape, rng, rng.uniform(2, 24), 3)
    return clip(tint(field, other, one))
  raise ValueError(f'no fill {kind!r}; white, flat or texture')
