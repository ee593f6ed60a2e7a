"""Deep Image Prior: the area of a picture to fit, and its resolution.

See inference/deep_image_prior.py. In a large picture only the surroundings of
holes are fitted, at a reduced size if these are large too. The result is merged
into the full picture.
"""

from collections.abc import Callable

import cv2
import jax
import jax.numpy as jnp
import numpy as np

from artjax.inference.passes import hole_pyramid
from artjax.models import inpaint

Box = tuple[slice, slice]


def work_area(
  missing: np.ndarray, max_side: int, on_notice: Callable[[str], None]
) -> tuple[Box, tuple[int, int]]:
  """The area around the holes bool[H, W] to fit, and its size for the fit.

  Returns:
    An index of the area, and (height, width) in px, at most `max_side`.
    `on_notice` is called if that is a smaller copy.
  """
  height, width = missing.shape
  box = slice(height), slice(width)
  if max(missing.shape) > max_side:
    margin = max_side // 4
    around = lambda hit: slice(
      max(0, int(hit[0]) - margin), int(hit[-1]) + 1 + margin
    )
    box = (
      around(np.flatnonzero(missing.any(1))),
      around(np.flatnonzero(missing.any(0))),
    )
  shape = missing[box].shape
  share = min(1, max_side / max(shape))
  size = max(1, round(shape[0] * share)), max(1, round(shape[1] * share))
  if share < 1:
    on_notice(
      f'{shape[1]} x {shape[0]} px around the holes are worked on as '
      f'{size[1]} x {size[0]} px: what fills them will be softer than its '
      'surroundings; raise max_side for more, at a cost that grows with its '
      'square'
    )
  return box, size


def shrink(
  picture: np.ndarray, known: np.ndarray, size: tuple[int, int]
) -> tuple[np.ndarray, np.ndarray]:
  """A smaller copy of f32[H, W, C], averaging known pixels.

  Returns:
    f32[*size, C], and f32[*size, 1]: how much of each pixel is known.
  """
  weight = known.astype(np.float32)[..., None]
  if known.shape == size:
    return picture, weight
  area = lambda x: cv2.resize(
    x, size[::-1], interpolation=cv2.INTER_AREA
  ).reshape(*size, -1)
  share = area(weight)
  return area(picture * weight) / np.maximum(share, 1e-6), share


def blur(picture: np.ndarray, weight: np.ndarray, sigma: float) -> jax.Array:
  """f32[H, W, C], filled where f32[H, W, 1] `weight` is 0; blurred, px."""
  fill, _ = jax.jit(inpaint.push_pull)(picture[None], weight[None])
  blurred = cv2.GaussianBlur(
    np.asarray(fill[0]), (0, 0), sigma, borderType=cv2.BORDER_REFLECT
  )
  # From black or white no finite logit leads away.
  return jnp.asarray(np.clip(blurred.reshape(picture.shape), 0.01, 0.99))


def join(
  picture: np.ndarray,
  missing: np.ndarray,
  fill: np.ndarray,
  box: Box,
  feather: int,
) -> np.ndarray:
  """f32[H, W, C] with its holes filled from the result for an area of it.

  Args:
    picture: f32[H, W, C]; at soft edges its values in holes show, unless NaN.
    missing: bool[H, W].
    fill: f32[h, w, C], the result for the area, perhaps smaller.
    box: the area, see `work_area`.
    feather: px inside the holes over which the fill fades in.
  """
  shape = picture[box].shape
  if fill.shape != shape:
    fill = cv2.resize(fill, shape[1::-1], interpolation=cv2.INTER_CUBIC)
    fill = np.clip(fill.reshape(shape), 0, 1)
  hole = missing[box]
  share = hole_pyramid.share_of_fill(hole, feather)[..., None] / np.float32(255)
  result = picture.astype(np.float32)
  # Soft edges show what the hole held, if it held anything.
  part = np.where(np.isfinite(result[box]), result[box], fill)
  mixed = part + share * (fill - part)
  result[box] = np.where(share == 1, fill, mixed)
  return result
