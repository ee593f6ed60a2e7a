"""Material laid over a picture: paint, tape, labels, writing, grime.

Sizes scale with the picture; those in the code are for one of 256 px.
"""

import cv2
import numpy as np

from artjax.data.degradations.decorators import clip
from artjax.data.degradations.decorators import local
from artjax.data.degradations.drawing import lettering
from artjax.data.degradations.drawing import rendering
from artjax.data.degradations.drawing import shapes

_SIDE = 256  # px of the picture for which sizes are given
# Aged adhesive tape: clear, yellow, brown, white masking tape.
_TAPES = np.array(
  [
    [0.96, 0.92, 0.78],
    [0.88, 0.76, 0.45],
    [0.72, 0.52, 0.28],
    [0.94, 0.90, 0.80],
  ],
  np.float32,
)
_PAPERS = np.array(
  [
    [0.97, 0.96, 0.92],
    [0.93, 0.86, 0.70],
    [0.86, 0.90, 0.93],
    [0.93, 0.78, 0.72],
    [0.80, 0.70, 0.52],
  ],
  np.float32,
)
_INKS = np.array(
  [
    [0.05, 0.05, 0.07],
    [0.10, 0.14, 0.45],
    [0.60, 0.08, 0.08],
    [0.30, 0.20, 0.12],
    [0.35, 0.35, 0.36],
  ],
  np.float32,
)


@local('loss')
def wide_strokes(
  image: np.ndarray,
  severity: float,
  rng: np.random.Generator,
  *,
  count: int = 5,
  width: tuple[float, float] = (6.0, 40.0),
  opaque: bool | None = None,
) -> tuple[np.ndarray, np.ndarray]:
  """Strokes of a broad brush or a marker across the picture.

  Args:
    image: f32[H, W, 3].
    severity: in [0, 1]; it scales number, width and opacity.
    rng: the Generator.
    count: of strokes, at most.
    width: (low, high) px on a picture of 256 px.
    opaque: True = they hide the picture, False = it shines through; None for
      either.
  """
  shape, unit = image.shape[:2], rendering.size(image) / _SIDE
  low, high = width
  weights = []
  for _ in range(max(1, int(severity * count * rng.random() + rng.random()))):
    breadth = unit * (low + severity * (high - low) * rng.random())
    length = rendering.size(image) * (0.1 + severity * rng.uniform(0.1, 0.9))
    weight = _bristles(shape, rng, breadth, length)
    covers = rng.random() < 0.6 if opaque is None else opaque
    strength = rng.uniform(0.85, 1) if covers else rng.uniform(0.3, 0.7)
    weight *= np.float32(min(1.0, 3 * severity) * strength)
    image = rendering.over(image, _paint(shape, rng), weight)
    weights.append(weight)
  return image, rendering.union(weights)


def _bristles(shape, rng, breadth, length):
  """One stroke f32[H, W]: lines side by side, or one for a full brush."""
  steps = 14
  turns = np.cumsum(rng.normal(0, 0.16, (1, steps)), 1)
  middle = rng.random((1, 2)) * shape[::-1]
  heading = rng.uniform(0, 2 * np.pi)
  spine = shapes.walk(middle, heading + turns, np.full((1, 1), length / steps))
  spine -= (spine[:, -1:] - spine[:, :1]) / 2
  if rng.random() < 0.45:  # a full brush or a marker
    return shapes.draw(
      shape, rng, spine, (breadth, breadth), (1.0, 1.0), classes=1
    )
  gap = max(1.0, breadth / 24)
  count = max(3, int(breadth / gap))
  ahead = np.gradient(spine[0], axis=0)
  normal = ahead[:, ::-1] * (1, -1)
  normal /= np.linalg.norm(normal, axis=1, keepdims=True) + 1e-6
  offsets = (np.linspace(-0.5, 0.5, count) + rng.normal(0, 0.01, count))[
    :, None, None
  ]
  lines = spine + offsets * breadth * normal
  # Every bristle sets down and lifts off a little earlier or later.
  slip = rng.normal(0, 0.25 * breadth, (count, 2, 1, 1))
  lines[:, :1] += slip[:, 0] * ahead[:1] / (np.linalg.norm(ahead[0]) + 1e-6)
  lines[:, -1:] += slip[:, 1] * ahead[-1:] / (np.linalg.norm(ahead[-1]) + 1e-6)
  dry = rng.uniform(0.2, 0.9)
  return shapes.draw(
    shape, rng, lines, (gap, 2.2 * gap), (1 - dry, 1.0), classes=24
  )


def _paint(shape, rng):
  """The colour of a stroke, f32[H, W, 3], somewhat uneven."""
  kind = rng.random()
  if kind < 0.4:
    colour = np.full(3, rng.uniform(0.88, 1)) + rendering.jitter(rng, 0.02)
  elif kind < 0.6:
    colour = np.full(3, rng.uniform(0, 0.2)) + rendering.jitter(rng, 0.03)
  else:
    colour = rng.random(3)
  uneven = shapes.smooth_noise(shape, rng, max(shape) / 8, 3)
  depth = rng.uniform(0, 0.25)
  return clip(rendering.tint(uneven, colour + depth / 2, colour - depth / 2))


@local('stain')
def tape(
  image: np.ndarray,
  severity: float,
  rng: np.random.Generator,
  *,
  count: int = 3,
  width: tuple[float, float] = (12.0, 40.0),
) -> tuple[np.ndarray, np.ndarray]:
  """Strips of adhesive tape, translucent and yellowed, with visible edges.

  Args:
    image: f32[H, W, 3].
    severity: in [0, 1]; it scales number, width and opacity.
    rng: the Generator.
    count: of strips, at most.
    width: (low, high) px on a picture of 256 px.
  """
  shape, size = image.shape[:2], rendering.size(image)
  weights = []
  for _ in range(max(1, int(severity * count * rng.random() + rng.random()))):
    low, high = width
    breadth = size / _SIDE * (low + severity * (high - low) * rng.random())
    length = size * rng.uniform(0.25, 0.4 + severity)
    x, y, body = _strip(shape, rng, length, breadth)
    strength = np.float32(min(1.0, 3 * severity))
    # Streaks along the strip: glue that has dried unevenly.
    streaks = shapes.smooth_noise(shape, rng, (size / 40, size / 40), 2)
    weight = body * (
      np.float32(rng.uniform(0.25, 0.55))
      + (streaks - np.float32(0.5)) * np.float32(rng.uniform(0.1, 0.5))
    )
    weight = clip(weight) * strength
    colour = _TAPES[rng.integers(len(_TAPES))] + rendering.jitter(rng, 0.03)
    image = rendering.over(image, np.clip(colour, 0, 1), weight)
    # An edge reflects light on one side and gathers dirt on the other.
    line = cv2.exp(-((np.abs(y) - np.float32(breadth / 2)) ** 2)) * body
    line = line * (np.float32(rng.uniform(0.3, 0.8)) * strength)
    bright = (y > 0) if rng.random() < 0.5 else (y < 0)
    edge = np.where(bright[..., None], np.float32(1), colour * np.float32(0.35))
    image = rendering.over(image, np.clip(edge, 0, 1).astype(np.float32), line)
    weights += [weight, line]
  return image, rendering.union(weights)


def _strip(shape, rng, length, breadth):
  """(x, y, cover) px along and across a strip, and f32[H, W] coverage."""
  height, width = shape
  turn = (
    rng.integers(2) * np.pi / 2 + rng.normal(0, 0.12)
    if rng.random() < 0.6
    else rng.uniform(0, np.pi)
  )
  cos, sin = np.float32(np.cos(turn)), np.float32(np.sin(turn))
  centre = rng.uniform(0.05, 0.95, 2) * (width, height)
  right = np.arange(width, dtype=np.float32)[None] - np.float32(centre[0])
  down = np.arange(height, dtype=np.float32)[:, None] - np.float32(centre[1])
  x, y = right * cos + down * sin, down * cos - right * sin
  end = np.float32(length / 2)
  if rng.random() < 0.5:  # torn off, or cut by a toothed blade
    tooth = np.float32(breadth * rng.uniform(0.05, 0.2))
    period = np.float32(breadth / rng.integers(3, 9))
    end = end - tooth * np.abs((y / period) % 2 - 1)
  inside = clip(end - np.abs(x) + np.float32(0.5)) * clip(
    np.float32(breadth / 2 + 0.5) - np.abs(y)
  )
  return x, y, inside


@local('loss')
def labels(
  image: np.ndarray,
  severity: float,
  rng: np.random.Generator,
  *,
  count: int = 2,
  kind: str | None = None,
) -> tuple[np.ndarray, np.ndarray]:
  """Paper stuck on: labels with lines of text, or postage stamps.

  Args:
    image: f32[H, W, 3].
    severity: in [0, 1]; it scales number and size.
    rng: the Generator.
    count: at most.
    kind: 'label' (with a border and text) or 'stamp' (perforated, with a
      drawing); None for either.
  """
  kinds = ('label', 'stamp')
  shape, size = image.shape[:2], rendering.size(image)
  if kind not in (None, *kinds):
    raise ValueError(f'no kind {kind!r} of labels; {", ".join(kinds)}')
  weights = []
  for _ in range(max(1, int(severity * count * rng.random() + rng.random()))):
    which = ('label', 'label', 'stamp')[rng.integers(3)] if not kind else kind
    breadth = size * (0.06 + severity * rng.uniform(0.08, 0.4))
    tall = breadth * (
      rng.uniform(0.3, 0.9) if which == 'label' else rng.uniform(1.05, 1.4)
    )
    sheet, cover = _label(rng, max(6, int(tall)), max(6, int(breadth)), which)
    turn = rng.normal(0, 0.12) + (rng.random() < 0.15) * rng.uniform(-1.5, 1.5)
    sheet, cover = _placed(shape, rng, sheet, cover, turn)
    strength = np.float32(min(1.0, 4 * severity) * rng.uniform(0.85, 1))
    # It stands off the picture: a soft shadow on one side.
    shadow = cv2.GaussianBlur(
      rendering.shifted(rendering.shifted(cover, rng), rng), (0, 0), 1.2
    )
    shadow = shadow * np.float32(rng.uniform(0.2, 0.6)) * strength
    image = image * rendering.tint(shadow, (0, 0, 0))
    image = rendering.over(image, sheet, cover * strength)
    weights += [shadow, cover * strength]
  return image, rendering.union(weights)


def _label(rng, height, width, kind):
  """(paper f32[h, w, 3], cover f32[h, w]) of a label, upright."""
  shape = height, width
  paper = _PAPERS[rng.integers(len(_PAPERS))] + rendering.jitter(rng, 0.03)
  aged = shapes.smooth_noise(shape, rng, max(shape) / 4, 3)
  sheet = clip(rendering.tint(aged, paper * 1.03, paper * 0.85))
  ink = _INKS[rng.integers(len(_INKS))]
  cover = np.ones(shape, np.float32)
  margin = max(1, round(0.08 * min(shape)))
  drawn = np.zeros(shape, np.uint8)
  thick = max(1, round(min(shape) / 60))
  if kind == 'stamp':
    radius = max(1.0, min(shape) / 30)
    holes = np.zeros(shape, np.uint8)
    for x in np.arange(0, width, 3 * radius):
      for y in (0, height - 1):
        cv2.circle(holes, (int(x), y), int(radius), 255, -1, cv2.LINE_AA)
    for y in np.arange(0, height, 3 * radius):
      for x in (0, width - 1):
        cv2.circle(holes, (x, int(y)), int(radius), 255, -1, cv2.LINE_AA)
    cover -= shapes.unit(holes)
    inside = tuple(
      slice(2 * margin, max(2 * margin + 1, side - 2 * margin))
      for side in shape
    )
    motif = shapes.smooth_noise(shape, rng, max(shape) / 3, 3) > 0.5
    drawn[inside] = motif[inside] * np.uint8(200)
  elif rng.random() < 0.7:
    corner = (margin, margin), (width - margin - 1, height - margin - 1)
    cv2.rectangle(drawn, *corner, 220, thick)
  rows = int(rng.integers(1, 5)) if kind == 'label' else 1
  letter = max(3.0, 0.55 * (height - 2 * margin) / (rows + 0.5))
  for row in range(rows):
    base = margin + (row + 0.95) * (height - 2 * margin) / (rows + 0.3)
    text = lettering.words(rng, int(rng.integers(3, 14)), rng.random() < 0.5)
    cv2.putText(
      drawn,
      text,
      (2 * margin, int(base)),
      cv2.FONT_HERSHEY_DUPLEX if row % 2 else cv2.FONT_HERSHEY_SIMPLEX,
      letter / 21,
      230,
      max(1, round(letter / 12)),
      cv2.LINE_AA,
    )
  return rendering.over(sheet, ink, shapes.unit(drawn)), cover


def _placed(shape, rng, sheet, cover, turn):
  """A sheet and its cover turned and laid somewhere on [H, W]."""
  height, width = shape
  matrix = cv2.getRotationMatrix2D(
    (sheet.shape[1] / 2, sheet.shape[0] / 2), float(np.degrees(turn)), 1
  )
  place = rng.uniform(0.05, 0.95, 2) * (width, height)
  matrix[:, 2] += place - (sheet.shape[1] / 2, sheet.shape[0] / 2)
  lay = lambda x, border: cv2.warpAffine(
    x, matrix, (width, height), flags=cv2.INTER_LINEAR, borderMode=border
  )
  return lay(sheet, cv2.BORDER_REPLICATE), lay(cover, cv2.BORDER_CONSTANT)


@local('loss')
def text_over(
  image: np.ndarray,
  severity: float,
  rng: np.random.Generator,
  *,
  kind: str | None = None,
) -> tuple[np.ndarray, np.ndarray]:
  """Writing over the picture: by hand, in print, or as a watermark.

  Args:
    image: f32[H, W, 3].
    severity: in [0, 1]; it scales letters, number of lines and opacity.
    rng: the Generator.
    kind: 'script', 'print' or 'watermark' (large, pale, all over the picture);
      None for any.
  """
  kinds = ('script', 'print', 'watermark')
  if kind not in (None, *kinds):
    raise ValueError(f'no kind {kind!r} of writing; {", ".join(kinds)}')
  kind = kinds[(0, 0, 1, 1, 2)[rng.integers(5)]] if kind is None else kind
  shape, size = image.shape[:2], rendering.size(image)
  if kind == 'watermark':
    letter = size * rng.uniform(0.06, 0.14)
    rows = max(1, int(1 + severity * 8))
    strength = rng.uniform(0.2, 0.5)
    ink = np.full(3, rng.choice((1.0, 0.0, 0.5)), np.float32)
    turn = rng.uniform(-0.8, 0.8)
  else:
    letter = max(4.0, size * (0.02 + severity * rng.uniform(0.005, 0.07)))
    rows = 1 + int(severity * rng.integers(0, 8))
    strength = rng.uniform(0.55, 1)
    ink = _INKS[rng.integers(len(_INKS))]
    if rng.random() < 0.35:  # chalk or white ink
      ink = np.array([1, 1, 1], np.float32) - np.float32(0.15) * ink
    turn = rng.normal(0, 0.15)
  weight = lettering.lines(
    shape,
    rng,
    letter,
    rows=rows,
    columns=int(5 + severity * rng.integers(4, 30)),
    weight=letter * rng.uniform(0.06, 0.18),
    script=kind == 'script',
  )
  weight = lettering.turned(weight, turn)
  weight = weight * np.float32(min(1.0, 3 * severity) * strength)
  if kind != 'watermark' and rng.random() < 0.4:  # a pen that runs dry
    weight = rendering.worn(weight, rng, letter)
  return rendering.over(image, ink, weight), weight


@local('stain')
def grime(
  image: np.ndarray,
  severity: float,
  rng: np.random.Generator,
  *,
  strength: float = 0.85,
) -> tuple[np.ndarray, np.ndarray]:
  """A dark, blotchy film of soot and nicotine, wiped away in places.

  Args:
    image: f32[H, W, 3].
    severity: in [0, 1]; it scales how dark and how extended it is.
    rng: the Generator.
    strength: opacity where it is thickest, at severity 1.
  """
  shape, size = image.shape[:2], rendering.size(image)
  cell = size * np.exp(rng.uniform(np.log(0.08), np.log(0.5)))
  field = shapes.smooth_noise(shape, rng, cell, 5)
  level = 0.7 - 0.35 * severity - 0.1 * rng.random()
  slope = np.float32(rng.uniform(2, 8))
  weight = clip((field - np.float32(level)) * slope)
  if rng.random() < 0.5:  # drips or wiping, up and down
    streaks = shapes.smooth_noise(shape, rng, (size / 2, size / 30), 2)
    weight = weight * (np.float32(0.4) + np.float32(0.6) * streaks)
  if rng.random() < 0.15:  # a test window that was cleaned
    weight = weight * (
      1 - shapes.boxes(shape, rng, 1, (0.15 * size, 0.4 * size))
    )
  weight = weight * np.float32(
    min(1.0, 2 * severity) * strength * rng.uniform(0.4, 1)
  )
  dark = np.array([0.16, 0.13, 0.10], np.float32) * np.float32(
    rng.uniform(0.3, 2.2)
  )
  dark = np.clip(dark + rendering.jitter(rng, 0.02), 0, 1)
  if rng.random() < 0.6:
    return image * rendering.tint(weight, dark), weight
  return rendering.over(image, dark, weight), weight
