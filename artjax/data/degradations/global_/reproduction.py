"""Artefacts of reproduction: JPEG files, print screens and scanners."""

import functools

import cv2
import numpy as np

from artjax.data.degradations.decorators import as_float
from artjax.data.degradations.decorators import tonal
from artjax.data.degradations.global_.noise import dithered


@tonal
def jpeg(
  image: np.ndarray,
  severity: float,
  rng: np.random.Generator,
  *,
  quality: int = 15,
  subsampling: str | None = None,
) -> np.ndarray:
  """Compresses as JPEG, more strongly at a higher `severity`.

  Args:
    image: f32[H, W, 3].
    severity: in [0, 1].
    rng: the Generator.
    quality: the lowest at severity 1, in [0, 100]; at severity 0 it is 100.
    subsampling: of colour: '420', '422' or '444'; None for any.
  """
  level = round(100 - severity * rng.uniform(0.4, 1) * (100 - quality))
  kinds = ('420', '422', '444')
  kind = (
    kinds[(0, 0, 1, 2)[rng.integers(4)]]
    if subsampling is None
    else (str(subsampling))
  )
  if kind not in kinds:
    raise ValueError(f'subsampling must be one of {kinds}, got {subsampling!r}')
  factor = getattr(cv2, f'IMWRITE_JPEG_SAMPLING_FACTOR_{kind}')
  pixels = cv2.convertScaleAbs(image, alpha=255)
  # OpenCV takes channels as BGR, and JPEG keeps blue worse than red.
  _, data = cv2.imencode(
    '.jpg',
    cv2.cvtColor(pixels, cv2.COLOR_RGB2BGR),
    [cv2.IMWRITE_JPEG_QUALITY, level, cv2.IMWRITE_JPEG_SAMPLING_FACTOR, factor],
  )
  return as_float(np.asarray(cv2.imdecode(data, cv2.IMREAD_COLOR_RGB)))


@tonal
def halftone(
  image: np.ndarray,
  severity: float,
  rng: np.random.Generator,
  *,
  period: tuple[float, float] = (2.5, 8.0),
  colour: bool | None = None,
) -> np.ndarray:
  """The dots of a print screen, blended in by `severity`.

  Dots are larger where the picture is darker, so that means over a few periods
  do not change.

  Args:
    image: f32[H, W, 3].
    severity: in [0, 1].
    rng: the Generator.
    period: (low, high) px between dots.
    colour: True = a screen for each channel, each at its own angle, False =
      black dots; None for either.
  """
  shape = image.shape[:2]
  pitch = np.exp(rng.uniform(*np.log(period)))
  start = rng.uniform(0, np.pi / 2)
  share = np.float32(severity * rng.uniform(0.35, 1))
  colour = rng.random() < 0.6 if colour is None else colour
  if colour:
    # The angles of printers for cyan, magenta and yellow.
    angles = start + np.radians([15, 75, 0])
    dots = cv2.merge(
      [
        _dots(shape, rng, pitch, angle, plate)
        for angle, plate in zip(angles, cv2.split(image))
      ]
    )
    return image + (dots - image) * share
  grey = cv2.cvtColor(image, cv2.COLOR_RGB2GRAY)
  change = _dots(shape, rng, pitch, start, grey) - grey
  return image + cv2.merge([change * share] * 3)


def _dots(shape, rng, pitch, angle, plate):
  """f32[H, W]: paper and dots of ink with the mean lightness of `plate`."""
  phase = rng.uniform(0, 2 * np.pi, 2)
  turn = 2 * np.pi / pitch
  x = np.arange(shape[1], dtype=np.float32)[None] * np.float32(turn)
  y = np.arange(shape[0], dtype=np.float32)[:, None] * np.float32(turn)
  cos, sin = np.float32(np.cos(angle)), np.float32(np.sin(angle))
  wave = np.cos(x * cos + y * sin + np.float32(phase[0])) + np.cos(
    y * cos - x * sin + np.float32(phase[1])
  )
  # Ranked, so that a share t of all pixels is below t.
  screen = cv2.LUT(cv2.convertScaleAbs(wave + 2, alpha=255 / 4), _ranks())
  return dithered(plate, screen, max(1.0, pitch / 2))  # an edge of about one px


@functools.cache
def _ranks():
  """f32[256]: the share of a sum of two cosines below each step of it."""
  cosine = np.cos((np.arange(512) + 0.5) * (np.pi / 512))
  steps = np.rint((cosine[:, None] + cosine[None] + 2) * (255 / 4)).astype(int)
  count = np.bincount(steps.ravel(), minlength=256)
  return np.float32((np.cumsum(count) - count / 2) / count.sum())


@tonal
def scan_lines(
  image: np.ndarray,
  severity: float,
  rng: np.random.Generator,
  *,
  depth: float = 0.4,
  kind: str | None = None,
) -> np.ndarray:
  """Lines of a screen or a scanner: rows that are darker, brighter or tinted.

  Args:
    image: f32[H, W, 3].
    severity: in [0, 1].
    rng: the Generator.
    depth: share of light lost in the darkest lines, at severity 1.
    kind: 'screen' (evenly spaced), 'bands' (a few px to a tenth of the picture,
      as of a printer) or 'streaks' (single lines, tinted); None for any.
  """
  kinds = ('screen', 'bands', 'streaks')
  if kind not in (None, *kinds):
    raise ValueError(f'no kind {kind!r} of scan lines; {", ".join(kinds)}')
  kind = kinds[rng.integers(3)] if kind is None else kind
  across = rng.random() < 0.3
  length = image.shape[1 if across else 0]
  rows = np.arange(length, dtype=np.float64)
  if kind == 'screen':
    period = np.exp(rng.uniform(np.log(2), np.log(9)))
    wave = np.sin(2 * np.pi * (rows / period + rng.random()))
    profile = np.tile(0.5 + 0.5 * wave, (3, 1))
  elif kind == 'bands':
    cell = np.exp(rng.uniform(np.log(2), np.log(max(3.0, length / 10))))
    knots = rng.random((3, int(length / cell) + 2))
    if rng.random() < 0.6:
      knots[1:] = knots[0]
    places = np.minimum((rows / cell).astype(int), knots.shape[1] - 1)
    profile = knots[:, places]
  else:
    profile = np.zeros((3, length))
    hit = np.less(rng.random(length), rng.uniform(0.02, 0.2))
    profile[:, hit] = rng.random((3, int(hit.sum())))
  amount = severity * rng.uniform(0.35, 1) * depth
  gain = (1 - amount * (profile - 0.3)).T.astype(np.float32)
  return image * (gain[None] if across else gain[:, None])
