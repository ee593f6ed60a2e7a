"""Colour and light: fading, varnish, casts, uneven light, grey and sepia."""

import cv2
import numpy as np

from artjax.data.degradations.decorators import clip
from artjax.data.degradations.decorators import tonal
from artjax.data.degradations.drawing import shapes

# What a pigment or film calls brightness differs: BT.601, BT.709, the mean,
# and an orthochromatic plate, which is blind to red.
_LUMA = np.array(
  [
    [0.299, 0.587, 0.114],
    [0.2126, 0.7152, 0.0722],
    [1 / 3, 1 / 3, 1 / 3],
    [0.08, 0.52, 0.40],
  ],
  np.float32,
)


@tonal
def fading(
  image: np.ndarray,
  severity: float,
  rng: np.random.Generator,
  *,
  contrast: float = 0.65,
  saturation: float = 0.8,
  lift: float = 0.22,
) -> np.ndarray:
  """Pigments lose contrast and saturation; blacks turn grey.

  Args:
    image: f32[H, W, 3].
    severity: in [0, 1].
    rng: the Generator.
    contrast: share lost at most, towards a grey, a pale or a warm tone.
    saturation: share lost at most.
    lift: brightness of black at most.
  """
  keep = 1 - severity * rng.uniform(0, 1) * saturation
  matrix = _saturation(keep, _LUMA[rng.integers(3)])
  keep = 1 - severity * rng.uniform(0.15, 1) * contrast
  kind = rng.random()
  if kind < 0.45:  # towards mid grey
    pivot = np.full(3, rng.uniform(0.35, 0.6))
  elif kind < 0.7:  # bleached
    pivot = np.full(3, rng.uniform(0.65, 0.95))
  elif kind < 0.9:  # towards the ground that shows through
    pivot = rng.uniform(0.4, 0.8) * np.array([1.08, 1, rng.uniform(0.7, 0.95)])
  else:  # sunken, under dirt
    pivot = np.full(3, rng.uniform(0.1, 0.3))
  offset = (1 - keep) * pivot
  black = severity * rng.uniform(0, 1) * lift
  image = _affine(
    image, matrix * keep * (1 - black), offset * (1 - black) + black
  )
  if rng.random() < 0.5:
    image = _gamma(image, np.exp(severity * rng.uniform(-0.5, 0.5)))
  return image


@tonal
def varnish(
  image: np.ndarray,
  severity: float,
  rng: np.random.Generator,
  *,
  strength: float = 1.0,
) -> np.ndarray:
  """Natural resin gone yellow to brown: a filter, and a haze over the darks."""
  # From pale yellow to brown, by age; each is what white would become.
  age = rng.uniform(0, 1)
  tint = (1 - age) * np.array([1.0, 0.93, 0.66]) + age * np.array(
    [0.80, 0.60, 0.34]
  )
  tint = np.clip(tint + rng.normal(0, 0.04, 3), 0.1, 1)
  filtered = 1 - strength * severity * rng.uniform(0.3, 1) * (1 - tint)
  # Old varnish scatters too, which lifts darks towards its own colour.
  haze = strength * severity * rng.uniform(0, 0.45)
  colour = tint * rng.uniform(0.45, 0.8)
  layer = _affine(image, np.diag(filtered) * (1 - haze), haze * colour)
  if rng.random() < 0.3:  # brushed on, or cleaned in places
    height, width = image.shape[:2]
    cover = shapes.smooth_noise((height, width), rng, max(image.shape) / 3, 2)
    cover = np.clip(cover * np.float32(1.6) - np.float32(0.1), 0, 1)
    return image + (layer - image) * cover[..., None]
  return layer


@tonal
def colour_cast(
  image: np.ndarray,
  severity: float,
  rng: np.random.Generator,
  *,
  gain: float = 0.4,
  offset: float = 0.12,
) -> np.ndarray:
  """A tint over everything: light, film or pigments that have shifted.

  Args:
    image: f32[H, W, 3].
    severity: in [0, 1].
    rng: the Generator.
    gain: log of the largest gain of a channel.
    offset: largest shift of a channel, of 1.
  """
  kind = rng.random()
  gains, offsets = np.ones(3), np.zeros(3)
  if kind < 0.6:
    gains = np.exp(severity * rng.uniform(-gain, gain, 3))
    if rng.random() < 0.5:
      offsets = severity * rng.uniform(-offset, offset, 3)
  elif kind < 0.8:  # colour temperature
    warm = severity * rng.uniform(-gain, gain)
    gains = np.exp(warm * np.array([1, rng.uniform(-0.2, 0.4), -1]))
  else:  # a flat tint, blended in
    share = severity * rng.uniform(0.1, 0.45)
    gains = np.full(3, 1 - share)
    offsets = share * rng.uniform(0.15, 0.9, 3)
  # Mostly at the same brightness: a camera exposes for what it sees.
  if rng.random() < 0.5:
    gains /= gains.mean()
  return _affine(image, np.diag(gains), offsets)


@tonal
def uneven_light(
  image: np.ndarray,
  severity: float,
  rng: np.random.Generator,
  *,
  strength: float = 0.7,
) -> np.ndarray:
  """Light that falls off to a side, to the edges, from a lamp or in patches."""
  height, width = image.shape[:2]
  small = 16
  x = np.linspace(-1, 1, small)
  y = x[:, None]
  kind = rng.random()
  if kind < 0.4:
    turn = rng.uniform(0, 2 * np.pi)
    field = 0.5 + 0.36 * (x * np.cos(turn) + y * np.sin(turn))
  elif kind < 0.7:  # vignette
    cx, cy = rng.normal(0, 0.25, 2)
    field = ((x - cx) ** 2 + (y - cy) ** 2) * rng.uniform(0.35, 0.6)
  elif kind < 0.85:  # a lamp
    cx, cy = rng.uniform(-1, 1, 2)
    field = 1 - np.exp(-((x - cx) ** 2 + (y - cy) ** 2) * rng.uniform(0.7, 2.5))
  else:
    field = shapes.smooth_noise((small, small), rng, small / 3)
  dark = severity * rng.uniform(0.25, 1) * strength
  bright = dark * rng.uniform(0, 0.5)
  shade = 1 + bright - (dark + bright) * np.clip(field, 0, 1)
  shade = shade[..., None] ** np.exp(severity * rng.normal(0, 0.25, 3))
  shade = cv2.resize(
    shade.astype(np.float32), (width, height), interpolation=cv2.INTER_LINEAR
  )
  return image * shade


@tonal
def greyscale(
  image: np.ndarray,
  severity: float,
  rng: np.random.Generator,
  *,
  ortho: bool | None = None,
) -> np.ndarray:
  """Blends with shades of grey by `severity`; `ortho` film is blind to red."""
  kind = rng.integers(4) if ortho is None else 3 if ortho else 0
  return _affine(image, _saturation(1 - severity, _LUMA[kind]), np.zeros(3))


@tonal
def sepia(
  image: np.ndarray,
  severity: float,
  rng: np.random.Generator,
  *,
  warmth: float = 1.0,
) -> np.ndarray:
  """Blends with the brown of a toned or aged print by `severity`."""
  grey = _saturation(0.0, _LUMA[rng.integers(4)])
  tone = 1 + warmth * rng.uniform(0.5, 1) * np.array([0.16, -0.02, -0.26])
  dark = warmth * rng.uniform(0, 0.10) * np.array([1, 0.7, 0.35])
  matrix = np.diag(tone * (1 - dark)) @ grey
  return _affine(
    image, np.eye(3) * (1 - severity) + matrix * severity, severity * dark
  )


def _affine(image, matrix, offset):
  """image @ matrix.T + offset for f32[H, W, 3]."""
  return cv2.transform(
    image, np.column_stack([matrix, offset]).astype(np.float32)
  )


def _saturation(keep, luma):
  """The 3x3 matrix that keeps a share of the colour around a luma."""
  return keep * np.eye(3) + (1 - keep) * np.tile(luma, (3, 1))


def _gamma(image, exponent):
  """image ** exponent, in [0, 1]."""
  return cv2.pow(clip(image), float(exponent))
