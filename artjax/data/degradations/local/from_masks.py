"""Damage in the shape of masks read from files."""

import functools
import pathlib

import cv2
import numpy as np

from artjax.data.degradations.decorators import local
from artjax.data.degradations.drawing import rendering
from artjax.data.examples import Op
from artjax.data.examples import op


@op
def masks_from(
  folder: str,
  severity: float | tuple[float, float] = 0.5,
  *,
  part: str = 'loss',
  fill: str | None = None,
  invert: bool = False,
) -> Op:
  """Damage in the shape of masks from a folder.

  Args:
    folder: of pictures, searched recursively; bright = damaged. One is drawn
      per example and randomly rotated, mirrored, cropped and scaled to cover
      the picture.
    severity: in [0, 1] or (low, high); opacity, full from 0.5 on.
    part: 'crack', 'loss' or 'stain', the channel of the mask.
    fill: 'white', 'flat', 'texture', 'tone' (as scratches and cracks look);
      None for any.
    invert: dark = damaged.

  Returns:
    The op.

  Raises:
    FileNotFoundError: no such folder, or no pictures in it.
    ValueError: a mask that cannot be read, when it is drawn.
  """
  found = tuple(
    sorted(
      path
      for path in pathlib.Path(folder).rglob('*')
      if path.suffix.lower()
      in ('.png', '.jpg', '.jpeg', '.tif', '.tiff', '.bmp', '.webp')
    )
  )
  if not found:
    raise FileNotFoundError(
      f'no masks under {folder!s}: expected a folder of '
      '.png, .jpg, .tif, .bmp or .webp files'
    )

  def draw(image, severity, rng):
    height, width = image.shape[:2]
    mask = _mask(found[rng.integers(len(found))])
    mask = np.rot90(mask, rng.integers(4))[:, :: rng.choice((-1, 1))]
    # The window has the picture's proportions and a random share of the mask.
    scale = min(mask.shape[0] / height, mask.shape[1] / width)
    scale *= rng.uniform(0.5, 1)
    rows = min(mask.shape[0], max(1, round(height * scale)))
    columns = min(mask.shape[1], max(1, round(width * scale)))
    top = rng.integers(mask.shape[0] - rows + 1)
    left = rng.integers(mask.shape[1] - columns + 1)
    window = np.ascontiguousarray(mask[top : top + rows, left : left + columns])
    # Areas are averaged on the way down, or thin lines would break up.
    weight = cv2.resize(
      window,
      (width, height),
      interpolation=(cv2.INTER_AREA if scale > 1 else cv2.INTER_LINEAR),
    )
    weight = weight * np.float32(1 / 255)
    weight = (1 - weight if invert else weight) * np.float32(
      min(1.0, 2 * severity)
    )
    kind = fill
    if kind is None:
      kind = ('white', 'flat', 'texture', 'tone')[rng.integers(4)]
    if kind == 'tone':
      return rendering.tone(image, weight, rng), weight
    filling = rendering.fill((height, width), rng, kind)
    return rendering.over(image, filling, weight), weight

  draw.__name__ = 'masks_from'  # as errors call it
  return local(part)(draw)(severity)


@functools.lru_cache(maxsize=256)
def _mask(path):
  """u8[H, W] of a file, of 1024 px a side at most; kept in memory."""
  mask = cv2.imread(str(path), cv2.IMREAD_GRAYSCALE)
  if mask is None:
    raise ValueError(f'cannot read the mask {path}')
  factor = 1024 / max(mask.shape)
  if factor < 1:
    mask = cv2.resize(
      mask, None, fx=factor, fy=factor, interpolation=cv2.INTER_AREA
    )
  return mask
