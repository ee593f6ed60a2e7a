"""Geometry of examples: crops, flips, rotations, placing on a canvas.

All pictures of an example are transformed together, except 'context', the
thumbnail of the whole picture. Sizes are in px of 'target'; in pairs for
super-resolution they must be multiples of the factor between the pictures.
"""

from collections.abc import Callable

import cv2
import numpy as np

from artjax.data.examples import each
from artjax.data.examples import extent
from artjax.data.examples import multiple
from artjax.data.examples import Op
from artjax.data.examples import op
from artjax.data.examples import positive
from artjax.data.examples import same_extent
from artjax.data.ops.resize import shrink

_TURNS = (
  None,
  cv2.ROTATE_90_COUNTERCLOCKWISE,
  cv2.ROTATE_180,
  cv2.ROTATE_90_CLOCKWISE,
)


@op
def random_crop(size: int) -> Op:
  """A random `size` x `size` px window; pads small pictures by reflection."""
  return _crop(size, lambda space, rng: int(rng.integers(space + 1)))


@op
def center_crop(size: int) -> Op:
  """The middle `size` x `size` px; pads small pictures by reflection."""
  return _crop(size, lambda space, rng: space // 2)


@op
def random_scale_crop(size: int, min_scale: float = 0.25) -> Op:
  """A random square window, shrunk to `size` x `size` px.

  A network trained on crops alone never sees a composition, only textures; here
  the window may cover most of a picture.

  Args:
    size: side of the result, px.
    min_scale: the strongest shrinking, in [0, 1]. The scale is log-uniform
      between 1 (a plain crop) and the larger of `min_scale` and the scale at
      which the window covers the whole short side. With 0 only the latter
      limits it.

  Returns:
    The op. Shrinking averages areas; in a mask the majority decides. A picture
    smaller than `size` is padded by reflection, as in `random_crop`.
  """
  positive('size', size)
  if not 0 <= min_scale <= 1:
    raise ValueError(f'min_scale must be in [0, 1], got {min_scale}')

  def fn(example, rng):
    height, width = same_extent(example)
    smallest = max(min_scale, size / max(size, min(height, width)))
    side = int(round(size * smallest ** -rng.uniform()))
    side = max(size, min(side, max(size, min(height, width))))
    top = int(rng.integers(max(0, height - side) + 1))
    left = int(rng.integers(max(0, width - side) + 1))
    window = lambda x, _: _pad(x[top : top + side, left : left + side], side)
    # Slicing first keeps the cost that of the window, not of the picture.
    return each(
      example, window, then=lambda x, key: shrink(x, (size, size), key)
    )

  return fn


@op
def flip() -> Op:
  """Mirrors left and right in half of the examples."""

  def fn(example, rng):
    if rng.integers(2):
      return each(example, lambda x, _: cv2.flip(x, 1))
    return example

  return fn


@op
def rotate90() -> Op:
  """Turns by a random multiple of 90 degrees."""

  def fn(example, rng):
    turn = _TURNS[rng.integers(4)]
    if turn is None:
      return example
    return each(example, lambda x, _: cv2.rotate(x, turn))

  return fn


@op
def place(
  size: int, *, turn: float = 0.0, stretch: float = 0.0, shift: float = 0.0
) -> Op:
  """Puts the picture top left on `size` x `size` px, mirrored beyond its edges.

  This is how `inference` shows a picture smaller than a tile. Aligned pictures
  (faces) stay aligned except for slight random movements, which make a set of a
  few hundred more varied.

  Args:
    size: side of the result, px.
    turn: largest rotation about the middle, degrees either way.
    stretch: largest change of scale, a share in [0, 1).
    shift: largest move in each direction, px.

  Returns:
    The op. Shrinking is slight, so pixels are interpolated, not averaged.
  """
  positive('size', size)
  limits = np.array([turn, stretch, shift, shift], np.float64)
  if limits.min() < 0 or stretch >= 1:
    raise ValueError(
      'turn, stretch and shift must not be negative, nor '
      f'stretch 1 or more: {turn}, {stretch}, {shift}'
    )

  def fn(example, rng):
    height, width = same_extent(example)
    if max(height, width) > size:
      raise ValueError(
        f'{width} x {height} px is larger than {size}: put fit({size}) before'
      )
    angle, factor, right, down = rng.uniform(-limits, limits)
    middle = (width - 1) / 2, (height - 1) / 2
    matrix = cv2.getRotationMatrix2D(middle, angle, 1 + factor)
    matrix[:, 2] += right, down

    def lay(x, key):
      if not limits.any():
        return cv2.copyMakeBorder(
          x, 0, size - height, 0, size - width, cv2.BORDER_REFLECT
        )
      how = cv2.INTER_NEAREST if key == 'mask' else cv2.INTER_LINEAR
      return cv2.warpAffine(
        x, matrix, (size, size), flags=how, borderMode=cv2.BORDER_REFLECT
      )

    return each(example, then=lay)

  return fn


def _crop(size: int, choose: Callable[[int, np.random.Generator], int]) -> Op:
  """An op that cuts a window; choose(space, rng) is its offset in px."""
  positive('size', size)

  def fn(example, rng):
    height, width, factor = extent(example)
    multiple('size', size, factor)
    # In px of the smallest picture: windows of the others begin at its edges.
    top, left = (
      choose(max(0, side - size) // factor, rng) * factor
      for side in (height, width)
    )

    def window(x, unit):
      rows = slice(top // unit, (top + size) // unit)
      columns = slice(left // unit, (left + size) // unit)
      return _pad(x[rows, columns], size // unit, factor // unit, factor)

    return each(example, window)

  return fn


def _pad(array, size, step=1, factor=1):
  """[h, w, C] -> at least [size, size, C], reflected about its edges.

  `step` is the number of its px in one of the smallest picture, `factor` that
  of the largest.
  """
  height, width = array.shape[:2]
  down, right = max(0, size - height), max(0, size - width)
  if not down and not right:
    return array
  top, left = down // step // 2 * step, right // step // 2 * step
  # About the centre of the outermost pixel; pictures of two sizes only share
  # the outer edge of it.
  border = cv2.BORDER_REFLECT_101 if factor == 1 else cv2.BORDER_REFLECT
  return cv2.copyMakeBorder(array, top, down - top, left, right - left, border)
