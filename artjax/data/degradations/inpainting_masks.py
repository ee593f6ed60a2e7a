"""Masks of missing regions for inpainting, drawn or read from files.

An op here only writes 'mask', u8[H, W, 3]: 255 in all channels where the
picture is missing, 0 elsewhere. 'image' stays unchanged; the task 'inpaint'
removes the masked pixels later. Sizes scale with the shorter side of the
picture, and masks cover the share of the area that is asked for.
"""

import functools
import pathlib

import cv2
import numpy as np

from artjax.data.degradations.drawing import cracks
from artjax.data.degradations.drawing import shapes
from artjax.data.examples import Op
from artjax.data.examples import op

_SUFFIXES = ('.png', '.jpg', '.jpeg', '.bmp', '.tif', '.tiff', '.webp')
_REFERENCE = 512  # side for which the published sizes are, px
_TRIES = 60  # pieces drawn, or files looked at, for one mask

# Kinds of pieces. Each is fn(shape, rng, unit, share) -> f32[H, W] coverage:
# `unit` is the picture's size over that of the published sizes, made smaller
# where pieces are too large; `share` of the area is still to be covered.


def _strokes(most, width, length, box):
  """LaMa's free-form strokes, or with probability `box` boxes.

  https://arxiv.org/abs/2109.07161; widths and lengths are px in 512.
  """

  def piece(shape, rng, unit, share):
    del share
    if rng.random() < box:
      return shapes.boxes(shape, rng, 1, (60 * unit, 300 * unit))
    number = int(rng.integers(1, most + 1))
    return shapes.brush(
      shape,
      rng,
      number,
      (0.1 * length * unit, length * unit),
      (max(1, 0.1 * width * unit), max(1, width * unit)),
    )

  return piece


def _boxes(shape, rng, unit, share):
  del share
  return shapes.boxes(shape, rng, 1, (60 * unit, 300 * unit))


def _polygons(shape, rng, unit, share):
  del share
  return shapes.polygons(shape, rng, 1, (max(1, 20 * unit), max(2, 130 * unit)))


def _losses(shape, rng, unit, share):
  """Missing flakes of paint, of equal size everywhere."""
  cell = max(2.0, unit * np.exp(rng.uniform(np.log(15), np.log(200))))
  return shapes.patches(shape, rng, cell, min(share * rng.uniform(0.6, 1), 0.9))


def _cracks(shape, rng, unit, share):
  """Craquelure, wide enough to cover the share."""
  cell = max(6.0, unit * np.exp(rng.uniform(np.log(25), np.log(120))))
  # A square mesh of lines w px wide covers about 2 w / cell.
  wide = max(1.0, 0.5 * share * cell)
  return cracks.mesh(
    shape,
    rng,
    cell,
    (0.6 * wide, wide),
    1.2,
    rng.normal(0, 0.15),
    rng.uniform(0.7, 1),
  )


def _specks(shape, rng, unit, share):
  size = max(2.0, unit * rng.uniform(4, 16))
  number = int(min(2000, 1 + share * shape[0] * shape[1] / size**2))
  return shapes.specks(
    shape,
    rng,
    number,
    (0.5 * size, 1.5 * size),
    (1, 1),
    clusters=int(rng.integers(0, 4)),
  )


def _text(shape, rng, unit, share):
  """Lines of letters, of one size and weight."""
  del share
  canvas = np.zeros(shape, np.uint8)
  size = max(0.3, unit * rng.uniform(0.5, 2.2))
  weight = max(1, round(size * rng.uniform(1.5, 4)))
  step = int(size * rng.uniform(28, 45)) + 1
  font = (
    cv2.FONT_HERSHEY_SIMPLEX,
    cv2.FONT_HERSHEY_DUPLEX,
    cv2.FONT_HERSHEY_SCRIPT_COMPLEX,
  )[rng.integers(3)]
  left = int(rng.uniform(0, 0.5) * shape[1])
  for _ in range(int(rng.integers(1, 5))):
    letters = rng.integers(97, 123, int(rng.integers(3, 40))).astype(np.uint8)
    letters[rng.random(len(letters)) < 0.18] = 32
    cv2.putText(
      canvas,
      letters.tobytes().decode(),
      (left, int(rng.integers(step, max(step, shape[0]) + 1))),
      font,
      size,
      255,
      weight,
    )
  return shapes.unit(canvas)


KINDS = {
  'thin': _strokes(12, 20, 100, 0.0),
  'medium': _strokes(3, 100, 200, 0.3),
  'thick': _strokes(1, 250, 450, 0.3),
  'boxes': _boxes,
  'polygons': _polygons,
  'losses': _losses,
  'cracks': _cracks,
  'specks': _specks,
  'text': _text,
}


@op
def missing(
  area: tuple[float, float] = (0.01, 0.5),
  kinds: str | tuple[str, ...] = tuple(KINDS),
) -> Op:
  """Holes of one kind, drawn anew for each example.

  Args:
    area: (low, high) in (0, 1): bounds of the missing share of the picture,
      which is drawn uniformly as far as the pieces allow it.
    kinds: names of `KINDS` to choose from, or one of them: 'thin', 'medium'
      and 'thick' are LaMa's strokes and boxes.

  Returns:
    The op. It replaces an existing mask, and does not add to it.

  Raises:
    ValueError: an unknown kind, or no such area.
  """
  low, high = _area(area)
  kinds = (kinds,) if isinstance(kinds, str) else tuple(kinds)
  for kind in kinds:
    if kind not in KINDS:
      raise ValueError(f'no kind {kind!r} of holes; {", ".join(KINDS)}')
  if not kinds:
    raise ValueError(f'no kinds of holes given; {", ".join(KINDS)}')

  def fn(example, rng):
    kind = kinds[rng.integers(len(kinds))]
    mask = draw(example['image'].shape[:2], rng, (low, high), kind)
    return _with(example, mask)

  return fn


@op
def missing_from(folder: str, area: tuple[float, float] = (0.0, 1.0)) -> Op:
  """Masks from a folder: one of its files for each example.

  A file is chosen at random, mirrored, rotated by right angles, and enlarged or
  cropped to the picture. Pixels lighter than mid grey are missing.

  Args:
    folder: of pictures, searched recursively.
    area: (low, high) in [0, 1], bounds of the missing share of the picture.

  Raises:
    ValueError: no such folder, no pictures in it; when used, a file that
      cannot be read, or no mask of such an area in many tries.
  """
  low, high = _area(area, 0.0)
  paths = sorted(
    path
    for path in pathlib.Path(folder).expanduser().rglob('*')
    if path.suffix.lower() in _SUFFIXES
  )
  if not paths:
    raise ValueError(
      f'{folder}: no such folder, or no masks in it ({", ".join(_SUFFIXES)})'
    )

  def fn(example, rng):
    shape = example['image'].shape[:2]
    for _ in range(_TRIES):
      mask = _cut(_read(paths[rng.integers(len(paths))]), shape, rng)
      if low <= mask.mean() <= high:
        return _with(example, mask)
    raise ValueError(
      f'{folder}: {_TRIES} masks tried, and none covers '
      f'{low:g} to {high:g} of the picture'
    )

  return fn


def draw(
  shape: tuple[int, int],
  rng: np.random.Generator,
  area: tuple[float, float],
  kind: str,
) -> np.ndarray:
  """bool[H, W], True where missing, covering a share within `area`.

  Pieces of this kind are added until the share is reached. A piece that would
  exceed it is left out, and the next ones are smaller.

  Raises:
    ValueError: this kind cannot reach such a share, as in a picture of a few
      px.
  """
  low, high = area
  goal = rng.uniform(low, high)
  unit = min(shape) / _REFERENCE
  found = np.zeros(shape, bool)
  covered = 0.0
  for _ in range(_TRIES):
    piece = KINDS[kind](shape, rng, unit, goal - covered)
    joined = found | (piece > 0.5)
    share = joined.mean()
    if share > high:
      unit *= 0.7
      continue
    found, covered = joined, share
    if covered >= goal or (covered >= low and rng.random() < 0.1):
      break
  if not low <= covered <= high:
    raise ValueError(
      f'no {kind} that cover {low:g} to {high:g} of '
      f'{shape[1]} x {shape[0]} px: {_TRIES} tries end at '
      f'{covered:.3f}'
    )
  return found


def _area(area, lowest=1e-6):
  if (
    not isinstance(area, (tuple, list))
    or len(area) != 2
    or not all(isinstance(share, (int, float)) for share in area)
    or not lowest <= area[0] < area[1] <= 1
  ):
    raise ValueError(
      'area must be a pair (low, high) of shares, 0 < low < '
      f'high <= 1, got {area!r}'
    )
  return area


def _with(example, mask):
  """The example with bool[H, W] as its mask."""
  mask = mask.view(np.uint8) * np.uint8(255)
  return {**example, 'mask': cv2.merge([mask] * 3)}


@functools.lru_cache(maxsize=512)
def _read(path):
  """u8[H, W], 255 where missing."""
  # Not imread: it knows no errors, and writes to stderr what it thinks.
  data = np.frombuffer(path.read_bytes(), np.uint8)
  grey = cv2.imdecode(data, cv2.IMREAD_GRAYSCALE) if data.size else None
  if grey is None:
    raise ValueError(f'{path}: no picture that can be read as a mask')
  return (grey > 127).view(np.uint8) * np.uint8(255)


def _cut(mask, shape, rng):
  """A window of a mask, mirrored, turned and enlarged if need be; bool."""
  mask = np.rot90(mask[:, ::-1] if rng.integers(2) else mask, rng.integers(4))
  height, width = shape
  scale = max(height / mask.shape[0], width / mask.shape[1])
  if scale > 1:
    size = [
      max(side, round(scale * have)) for side, have in zip(shape, mask.shape)
    ]
    mask = cv2.resize(mask, size[::-1], interpolation=cv2.INTER_LINEAR)
  top = rng.integers(mask.shape[0] - height + 1)
  left = rng.integers(mask.shape[1] - width + 1)
  return mask[top : top + height, left : left + width] > 127
