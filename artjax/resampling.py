"""Bicubic resizing like MATLAB's `imresize`; thumbnails.

Published super-resolution figures use this kernel (Keys' cubic with a = -1/2,
widened when shrinking, mirrored borders), so low-resolution inputs and bicubic
baselines are made with it. Resizing is separable and linear: two small matrix
products, one for each direction.
"""

import functools
import math
from typing import Any

import cv2
import numpy as np

_SUPPORT = 4.0  # the cubic kernel reaches two pixels to either side


def _cubic(x):
  """Keys' cubic convolution kernel with a = -1/2, float64."""
  x = np.abs(x)
  near = (1.5 * x - 2.5) * x * x + 1.0
  far = ((-0.5 * x + 2.5) * x - 4.0) * x + 2.0
  return np.where(x <= 1.0, near, np.where(x <= 2.0, far, 0.0))


@functools.lru_cache(maxsize=8)  # few: of large pictures each takes 100 MB
def matrix(
  size: int, new_size: int, scale: float, antialias: bool = True
) -> np.ndarray:
  """The matrix that resizes one direction.

  Args:
    size: of a side, px.
    new_size: of the result, px.
    scale: of the result relative to it, about new_size / size.
    antialias: widen the kernel when shrinking.

  Returns:
    Weights, float64 [new_size, size], read-only.
  """
  # Shrinking widens the kernel so that it also acts as the low-pass filter.
  shrink = min(scale, 1.0) if antialias else 1.0
  width = _SUPPORT / shrink
  # Where the centre of each new pixel falls, in the old pixels' coordinates.
  centre = (np.arange(new_size) + 0.5) / scale - 0.5
  first = np.floor(centre - width / 2.0).astype(np.int64)
  index = first[:, None] + np.arange(math.ceil(width) + 2)
  weight = _cubic(shrink * (centre[:, None] - index))
  weight /= weight.sum(axis=1, keepdims=True)
  # Mirrored borders, the edge pixel repeated: a b c | c b a | a b c ...
  index = index % (2 * size)
  index = np.where(index < size, index, 2 * size - 1 - index)
  matrix = np.zeros((new_size, size))
  np.add.at(matrix, (np.arange(new_size)[:, None], index), weight)
  matrix.setflags(write=False)  # shared by every caller through the cache
  return matrix


def imresize(
  image: np.ndarray,
  scale: float | None = None,
  *,
  size: tuple[int, int] | None = None,
  antialias: bool = True,
) -> np.ndarray:
  """Resizes a picture with MATLAB's bicubic kernel.

  Args:
    image: u8[H, W], u8[H, W, C], or float of the same shapes in any range.
    scale: factor for both sides; the new sides are ceil(scale * side), as in
      MATLAB. Give either this or `size`.
    size: (height, width) of the result in px.
    antialias: widen the kernel when shrinking.

  Returns:
    The resized picture in the dtype of the image: u8 is rounded (halves up)
    and clipped to [0, 255]; float is neither, so it may overshoot its range.

  Raises:
    ValueError: not a picture, neither or both of scale and size, or a result
      without pixels.
  """
  image = np.asarray(image)
  if image.ndim not in (2, 3) or 0 in image.shape:
    raise ValueError(
      f'imresize takes [H, W] or [H, W, C], got shape {image.shape}'
    )
  if image.dtype != np.uint8 and not np.issubdtype(image.dtype, np.floating):
    raise ValueError(f'imresize takes uint8 or float, got {image.dtype}')
  height, width = image.shape[:2]
  if scale is not None and size is None:
    if not (scale > 0 and math.isfinite(scale)):
      raise ValueError(f'imresize takes a positive scale, got {scale}')
    scales = float(scale), float(scale)
    size = math.ceil(scale * height), math.ceil(scale * width)
  elif size is not None and scale is None:
    size = int(size[0]), int(size[1])
    if min(size) < 1:
      raise ValueError(f'imresize takes a size of at least 1, got {size}')
    scales = size[0] / height, size[1] / width
  else:
    raise ValueError('imresize takes either scale or size')

  work: Any = np.float32 if image.dtype == np.float32 else np.float64
  rows = matrix(height, size[0], scales[0], antialias).astype(work)
  columns = matrix(width, size[1], scales[1], antialias).astype(work)
  planes = image.astype(work).reshape(height, -1)  # [H, W * C]
  out = (rows @ planes).reshape(size[0], width, -1)  # [h, W, C]
  out = np.matmul(columns, out)  # [h, w, C]
  out = out.reshape(size + image.shape[2:])
  if image.dtype == np.uint8:
    return np.clip(np.floor(out + 0.5), 0, 255).astype(np.uint8)
  return out.astype(image.dtype, copy=False)


def thumbnail(picture: np.ndarray, size: int) -> np.ndarray:
  """[H, W, C], u8 or f32 -> [size, size, C], means of areas, of any aspect."""
  smaller = min(picture.shape[:2]) < size
  return cv2.resize(
    picture,
    (size, size),
    interpolation=cv2.INTER_LINEAR if smaller else cv2.INTER_AREA,
  )


def enlarge(picture: np.ndarray, scale: int) -> np.ndarray:
  """f32[H, W, C] -> f32[H * scale, W * scale, C], bicubic; 1 leaves it."""
  return picture if scale == 1 else imresize(picture, scale)
