"""Sizes of examples: shrinking, and cropping sides to multiples."""

import cv2
import numpy as np

from artjax import resampling
from artjax.data.examples import each
from artjax.data.examples import extent
from artjax.data.examples import multiple as check_multiple
from artjax.data.examples import Op
from artjax.data.examples import op
from artjax.data.examples import positive
from artjax.data.examples import same_extent


@op
def scale(factor: float) -> Op:
  """Shrinks the whole picture by `factor` in (0, 1], averaging areas."""
  if not 0 < factor <= 1:
    raise ValueError(f'factor must be in (0, 1], got {factor}')

  def fn(example, rng):
    del rng
    height, width = same_extent(example)
    new = max(1, round(height * factor)), max(1, round(width * factor))
    return each(example, then=lambda x, key: shrink(x, new, key))

  return fn


@op
def fit(long_side: int) -> Op:
  """Shrinks pictures whose long side exceeds `long_side` px to that size."""
  positive('long_side', long_side)

  def fn(example, rng):
    factor = min(1.0, long_side / max(same_extent(example)))
    return scale(factor)(example, rng)

  return fn


@op
def mod_crop(multiple: int) -> Op:
  """Cuts the right and lower edge so that both sides are multiples, in px."""
  positive('multiple', multiple)

  def fn(example, rng):
    del rng
    height, width, factor = extent(example)
    check_multiple('multiple', multiple, factor)
    height, width = height - height % multiple, width - width % multiple
    if not height or not width:
      raise ValueError(f'smaller than {multiple} px')
    return each(example, lambda x, unit: x[: height // unit, : width // unit])

  return fn


@op
def downscale(factor: int) -> Op:
  """Shrinks only 'image', `factor` times, with MATLAB's bicubic kernel.

  It makes the low-resolution input of super-resolution benchmarks. 'target' is
  unchanged, so ops of geometry must come before. Both sides must be multiples
  of `factor` (see `mod_crop`). A u8 image stays u8, rounded; a float image is
  clipped to [0, 1].
  """
  positive('factor', factor)

  def fn(example, rng):
    del rng
    image = example['image']
    height, width = image.shape[:2]
    if height % factor or width % factor:
      raise ValueError(
        f'{width} x {height} px is no multiple of {factor}: put '
        f'mod_crop({factor}) before'
      )
    small = resampling.imresize(image, 1 / factor)
    if small.dtype != np.uint8:
      small = np.clip(small, 0, 1)
    return {**example, 'image': small}

  return fn


def shrink(array: np.ndarray, size: tuple[int, int], key: str) -> np.ndarray:
  """Shrinks one picture of an example.

  Args:
    array: [H, W, C].
    size: (height, width), px.
    key: its field in the example. Areas are averaged, except that a 'mask'
      stays 0 or 255, by majority, and 'hints' use the nearest pixel, so that
      given colours are not averaged with empty pixels.

  Returns:
    [*size, C] of the same dtype.
  """
  if array.shape[:2] == tuple(size):
    return np.ascontiguousarray(array)
  if key == 'hints':
    return cv2.resize(array, size[::-1], interpolation=cv2.INTER_NEAREST)
  small = cv2.resize(array, size[::-1], interpolation=cv2.INTER_AREA)
  if key == 'mask':
    return np.where(small >= 128, np.uint8(255), np.uint8(0))
  return small
