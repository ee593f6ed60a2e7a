"""Letters: lines of writing or print, as shapes.

As in shapes.py, functions take shape = (H, W) px and a Generator and return
coverage, float32 [H, W] in [0, 1].
"""

import cv2
import numpy as np

from artjax.data.degradations.drawing import shapes

_PRINT = (
  cv2.FONT_HERSHEY_SIMPLEX,
  cv2.FONT_HERSHEY_DUPLEX,
  cv2.FONT_HERSHEY_COMPLEX,
  cv2.FONT_HERSHEY_TRIPLEX,
)
_SCRIPT = (cv2.FONT_HERSHEY_SCRIPT_SIMPLEX, cv2.FONT_HERSHEY_SCRIPT_COMPLEX)
_LETTER = 21  # px: height of a capital of these fonts at scale 1


def words(rng: np.random.Generator, length: int, capitals: bool = False) -> str:
  """About `length` letters and digits at random, with gaps like words."""
  first, last = (65, 91) if capitals else (97, 123)
  codes = rng.integers(first, last, length)
  digits = rng.random(length) < 0.08
  codes[digits] = rng.integers(48, 58, int(digits.sum()))
  codes[rng.random(length) < 0.17] = 32
  return codes.astype(np.uint8).tobytes().decode()


def lines(
  shape: tuple[int, int],
  rng: np.random.Generator,
  letter: float,
  *,
  rows: int,
  columns: int,
  weight: float,
  script: bool = False,
) -> np.ndarray:
  """Lines of text, the first at a random place, as far as they fit.

  Args:
    shape: (H, W).
    rng: the Generator.
    letter: height of a capital, px.
    rows: lines.
    columns: approximate number of letters per line.
    weight: px, thickness of the strokes.
    script: handwriting instead of print.
  """
  fonts = _SCRIPT if script else _PRINT
  font = fonts[rng.integers(len(fonts))]
  canvas = np.zeros(shape, np.uint8)
  step = letter * rng.uniform(1.5, 2.1)
  left = rng.uniform(-0.1, 0.6) * shape[1]
  base = rng.uniform(0.1, 0.9) * shape[0]
  capitals = rng.random() < 0.3
  for row in range(rows):
    text = words(rng, max(1, int(columns * rng.uniform(0.5, 1.2))), capitals)
    cv2.putText(
      canvas,
      text,
      (int(left), int(base + row * step)),
      font,
      letter / _LETTER,
      255,
      max(1, round(weight)),
      cv2.LINE_AA,
    )
  return shapes.unit(canvas)


def turned(coverage: np.ndarray, angle: float) -> np.ndarray:
  """A shape f32[H, W] turned about its middle by `angle` radians."""
  height, width = coverage.shape
  matrix = cv2.getRotationMatrix2D(
    (width / 2, height / 2), float(np.degrees(angle)), 1
  )
  return cv2.warpAffine(
    coverage, matrix, (width, height), flags=cv2.INTER_LINEAR
  )
