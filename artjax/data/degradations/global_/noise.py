"""Noise of sensors and of film."""

import functools
import statistics

import cv2
import numpy as np

from artjax.data.degradations.decorators import clip
from artjax.data.degradations.decorators import tonal
from artjax.data.degradations.global_.sharpness import gaussian

_STEPS = 36  # of a standard deviation, in tables of 256 values


@tonal
def gaussian_noise(
  image: np.ndarray,
  severity: float,
  rng: np.random.Generator,
  *,
  sigma: float = 0.11,
  grey: bool | None = None,
  grain: float | None = None,
) -> np.ndarray:
  """Adds Gaussian noise.

  Args:
    image: f32[H, W, 3].
    severity: in [0, 1].
    rng: the Generator.
    sigma: standard deviation at severity 1, at most; 1 is the full range.
    grey: the same in all channels; None for either.
    grain: px, the size of its grains (1 = independent pixels); None for either.
  """
  sigma = severity * rng.uniform(0.3, 1) * sigma
  grey = rng.random() < 0.4 if grey is None else grey
  grain = (
    (1.0 if rng.random() < 0.7 else rng.uniform(1, 2.2))
    if grain is None
    else grain
  )
  height, width = image.shape[:2]
  noise = _normal(rng, (height, width) if grey else image.shape)
  if grain > 1:
    blur = 0.4 * grain
    noise = gaussian(noise, blur)
    # Averaging has made it weaker: back to unit variance.
    sigma *= max(1.0, 2 * np.sqrt(np.pi) * blur)
  noise *= np.float32(sigma)
  return image + (noise[..., None] if grey else noise)


@tonal
def poisson_noise(
  image: np.ndarray,
  severity: float,
  rng: np.random.Generator,
  *,
  photons: float = 40.0,
) -> np.ndarray:
  """Shot noise: at severity 1, white is as few as `photons` counts."""
  photons = photons / (severity * rng.uniform(0.3, 1)) ** 2
  if photons > 40:
    # Near enough to normal there, at a fraction of the cost.
    noise = _normal(rng, image.shape)
    return image + noise * cv2.sqrt(image * np.float32(1 / photons))
  return rng.poisson(image * photons).astype(np.float32) / np.float32(photons)


@tonal
def speckle_noise(
  image: np.ndarray,
  severity: float,
  rng: np.random.Generator,
  *,
  sigma: float = 0.25,
  grey: bool | None = None,
) -> np.ndarray:
  """Multiplies by 1 + noise, of a standard deviation of up to `sigma`."""
  sigma = severity * rng.uniform(0.3, 1) * sigma
  grey = rng.random() < 0.4 if grey is None else grey
  noise = _normal(rng, image.shape[:2] + (1,) if grey else image.shape)
  return image + image * (noise * np.float32(sigma))


@tonal
def salt_and_pepper(
  image: np.ndarray,
  severity: float,
  rng: np.random.Generator,
  *,
  amount: float = 0.05,
  grey: bool | None = None,
) -> np.ndarray:
  """Makes a share of up to `amount` of the pixels black or white."""
  amount = severity * rng.uniform(0.3, 1) * amount
  grey = rng.random() < 0.5 if grey is None else grey
  image = image.copy()
  flat = image.reshape(-1, 3) if grey else image.reshape(-1)
  count = int(len(flat) * amount + rng.random())
  where = rng.integers(0, len(flat), count)
  white = rng.random(count, np.float32) < rng.uniform(0.3, 0.8)
  flat[where] = white[:, None] if grey else white
  return image


@tonal
def hard_grain(
  image: np.ndarray,
  severity: float,
  rng: np.random.Generator,
  *,
  strength: float = 0.7,
  grain: tuple[float, float] = (0.8, 2.5),
) -> np.ndarray:
  """The coarse, contrasty grain of pushed black-and-white film.

  Each grain is black or white. The lighter the picture is at its place, the
  more often it is white, so local means of grey pictures do not change.

  Args:
    image: f32[H, W, 3].
    severity: in [0, 1].
    rng: the Generator.
    strength: opacity of the grain at severity 1.
    grain: (low, high) px, its size.
  """
  share = np.float32(severity * rng.uniform(0.35, 1) * strength)
  size = rng.uniform(*grain)
  field = _normal(rng, image.shape[:2])
  if size > 1:
    # Averaging makes it weaker: back to unit variance.
    unit = max(1.0, 2 * np.sqrt(np.pi) * 0.4 * size)
    field = gaussian(field, 0.4 * size) * np.float32(unit)
  # How many of all values are below each: a threshold that is drawn evenly.
  steps = np.clip(field * np.float32(_STEPS) + 128, 0, 255).astype(np.uint8)
  rank = cv2.LUT(steps, _shares())
  light = cv2.cvtColor(image, cv2.COLOR_RGB2GRAY)
  change = (dithered(light, rank, 6.0) - light) * share
  return image + cv2.merge([change] * 3)


def dithered(light: np.ndarray, rank: np.ndarray, slope: float) -> np.ndarray:
  """Dithers a grey picture to black and white of the same lightness.

  Args:
    light: f32[H, W] in [0, 1].
    rank: f32[H, W], thresholds spread evenly over [0, 1].
    slope: at least 1, how steep edges are: from black to white within 1 / slope
      of the thresholds.

  Returns:
    f32[H, W] in [0, 1]; its local mean is `light`, where that is even.
  """
  half = 0.5 / slope
  light = clip(light)  # rounding may have led out of it
  # Near both ends a part of the edge falls outside [0, 1]: less or more light
  # makes up for it.
  dark = np.sqrt(light * np.float32(2 / slope)) - np.float32(half)
  pale = np.float32(1 + half) - np.sqrt((1 - light) * np.float32(2 / slope))
  level = np.where(light < half, dark, np.where(light > 1 - half, pale, light))
  return clip((level - rank) * np.float32(slope) + np.float32(0.5))


@functools.cache
def _shares():
  """f32[256]: the share of a normal distribution below each step of it."""
  cdf = statistics.NormalDist().cdf
  return np.float32([cdf((i - 127.5) / _STEPS) for i in range(256)])


def _normal(rng, shape):
  """Standard normal f32, at a tenth of the cost of rng.standard_normal.

  Of 256 equally likely levels, out to 2.9 sigma: in a picture of 8 bits that
  is normal enough.
  """
  draws = np.frombuffer(rng.bytes(int(np.prod(shape))), np.uint8)
  return cv2.LUT(draws.reshape(-1, 1), _quantiles()).reshape(shape)


@functools.cache
def _quantiles():
  """f32[256]: evenly spaced quantiles of the normal, of unit variance."""
  inverse = statistics.NormalDist().inv_cdf
  levels = np.array([inverse((i + 0.5) / 256) for i in range(256)])
  return np.float32(levels / levels.std())
