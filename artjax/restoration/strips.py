"""Strips of a picture: buffers between stages, and maps of a quantity.

Only strips of a picture are in memory at a time, (top, [rows, width, C]) from
top to bottom. Data that is needed as a whole is kept on disk, or takes one byte
per pixel.
"""

import errno
import os
import shutil

import numpy as np

from artjax.image_io import writer as image_writer
from artjax.inference import base
from artjax.inference.passes import coarse as coarse_pass

_IN_MEMORY = 64 << 20  # bytes; what is larger is kept on disk
_ROWS = 256  # that are copied at a time where nothing is done


class Buffer:
  """A buffer between two stages of a chain: sRGB of 16 bits."""

  def __init__(self, path: str, height: int, width: int) -> None:
    """Takes the size of a picture in px, and `path` of a file, if it is large.

    Raises:
      OSError: the disk is full.
    """
    shape = height, width, 3
    self._pixels: np.ndarray
    if 2 * height * width * 3 <= _IN_MEMORY:
      self._pixels = np.empty(shape, np.uint16)
    else:
      _reserve(path, 2 * height * width * 3)
      self._pixels = np.memmap(path, np.uint16, 'r+', shape=shape)

  def write(self, top: int, rows: np.ndarray) -> None:
    """Takes f32[rows, width, 3] in [0, 1] from row `top` on."""
    self._pixels[top : top + len(rows)] = np.rint(np.clip(rows, 0, 1) * 65535)

  def read(self, top: int, left: int, height: int, width: int) -> np.ndarray:
    """f32[height, width, 3] in [0, 1]; see `base.Read`."""
    block = self._pixels[top : top + height, left : left + width]
    return block.astype(np.float32) / 65535

  def thumbnail(self, side: int) -> np.ndarray:
    """f32[h, w, 3]: means of blocks, as `Picture.thumbnail`."""
    height, width = self._pixels.shape[:2]
    factor = max(1, min(height, width) // side)
    h, w = height // factor, width // factor
    rows = [
      self.read(i * factor, 0, factor, w * factor)
      .reshape(factor, w, factor, 3)
      .mean((0, 2))
      for i in range(h)
    ]
    return np.stack(rows)


class LevelMap:
  """A grey picture of a quantity per pixel, with its mean and maximum."""

  def __init__(
    self,
    path: str,
    shape: tuple[int, int],
    step: float,
    within: np.ndarray | None = None,
  ) -> None:
    """Takes `shape` = (height, width) px; a grey level means `step`.

    With path '' only mean and maximum are kept; with a mask, bool [height,
    width], also the maximum within it.
    """
    self._within, self._most_within = within, 0.0
    self._path, self._step = path, step
    self._levels = np.empty(shape, np.uint8) if path else None
    self._sum, self._count, self._max = 0.0, 0, 0.0

  def write(self, top: int, values: np.ndarray) -> None:
    """Takes f32[rows, width] from row `top` on; larger values are white."""
    self._sum += float(values.sum(dtype=np.float64))
    self._count += values.size
    self._max = max(self._max, float(values.max()))
    if self._within is not None:
      inside = values[self._within[top : top + len(values)]]
      self._most_within = max(self._most_within, float(inside.max(initial=0)))
    if self._levels is not None:
      self._levels[top : top + len(values)] = np.clip(
        np.rint(values / self._step), 0, 255
      )

  @property
  def mean(self) -> float:
    """Of what was written, to 6 digits."""
    return round(self._sum / max(1, self._count), 6)

  @property
  def max(self) -> float:
    """Of what was written, to 6 digits."""
    return round(self._max, 6)

  @property
  def most_within(self) -> float:
    """The maximum within the mask, to 6 digits."""
    return round(self._most_within, 6)

  def save(self) -> None:
    """Writes the file, if there is to be one."""
    if self._levels is not None:
      image_writer.save_grey(self._levels, self._path)


def _reserve(path, size):
  """Allocates a file: a mapped file that runs out of space would crash."""
  with open(path, 'wb') as file:
    if hasattr(os, 'posix_fallocate'):
      os.posix_fallocate(file.fileno(), 0, size)
    elif shutil.disk_usage(os.path.dirname(path)).free < size:
      raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    else:
      file.truncate(size)


def partly(
  strips: base.Strips, read: base.Read, width: int, share: float
) -> base.Strips:
  """Strips of which a share of the change is applied.

  Args:
    strips: (top, f32[rows, width, C]): RGB, and perhaps how uncertain it is.
    read: of the picture before the change.
    width: of it, px.
    share: in [0, 1].

  Yields:
    The same with RGB nearer to the picture, and less uncertain accordingly.
  """
  factor = np.float32(share)
  for top, rows in strips:
    before = read(top, 0, len(rows), width)
    change = np.clip(rows[..., :3], 0, 1) - before
    spread = factor * rows[..., 3:]
    yield top, np.concatenate([before + factor * change, spread], -1)


def partly_where(
  strips: base.Strips,
  read: base.Read,
  height: int,
  width: int,
  shares: np.ndarray,
) -> base.Strips:
  """Strips of which another share of the change is applied at each pixel.

  Args:
    strips: (top, f32[rows, width, C]), of which RGB alone are used.
    read: of the picture before the change.
    height: of it, px.
    width: of it, px.
    shares: f32[h, w] in [0, 1], of the picture or of a smaller copy.

  Yields:
    (top, f32[rows, width, 3]).
  """
  for top, rows in strips:
    before = read(top, 0, len(rows), width)
    share = coarse_pass.window(shares, top, len(rows), height, width)
    yield top, before + share[..., None] * (rows[..., :3] - before)


def unchanged(read: base.Read, height: int, width: int) -> base.Strips:
  """Strips of an unchanged picture."""
  for top in range(0, height, _ROWS):
    yield top, read(top, 0, min(_ROWS, height - top), width)


def thinner(strips: base.Strips, most: int) -> base.Strips:
  """The same in pieces of at most so many rows."""
  for top, rows in strips:
    for i in range(0, len(rows), most):
      yield top + i, rows[i : i + most]
