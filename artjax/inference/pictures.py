"""Converts pictures between Python objects and the arrays of networks.

A restorer called with an array, a PIL image or a path returns the same form:
`given` converts it to f32 RGB in [0, 1], `Given.result` converts back.
"""

from collections.abc import Callable
import dataclasses
import os
import sys
from typing import Any

import numpy as np

from artjax import resampling

# u8, u16 or float [H, W] or [H, W, 1 to 4], a PIL image, or a path.
Picture = np.ndarray | os.PathLike | str | Any
_LUMA = np.array([0.299, 0.587, 0.114], np.float32)  # ITU-R BT.601
_FORMS = (
  'uint8, uint16 or float in [0, 1]; grey, RGB or with alpha: '
  '[H, W], [H, W, 1], [H, W, 2], [H, W, 3] or [H, W, 4]'
)
# Modes of PIL images that arrays of the same values stand for.
_MODES = ('L', 'LA', 'RGB', 'RGBA', 'I;16')


@dataclasses.dataclass(frozen=True)
class Given:
  """A picture that a restorer was called with.

  Attributes:
    unchanged: the picture itself; for a path, the picture that was read.
    values: u8, u16 or float [H, W, C]: grey, grey and alpha, RGB, or RGBA.
    unit: f32[H, W, 3], RGB in [0, 1], without alpha.
    wrap: [H', W', C'] of the type of `values` -> the form of the input.
  """

  unchanged: Any
  values: np.ndarray
  unit: np.ndarray
  wrap: Callable[[np.ndarray], Any]

  def result(
    self,
    restored: np.ndarray,
    *,
    changed: np.ndarray | None = None,
    in_colour: bool = False,
  ) -> Any:
    """A network's picture in the form of the input.

    Args:
      restored: f32[H', W', 3], RGB; clipped to [0, 1].
      changed: bool [H, W]: elsewhere the picture keeps its own values.
      in_colour: whether a grey picture becomes RGB; else it stays grey.

    Returns:
      Like `unchanged`, in the size of `restored`; alpha is preserved, and
      enlarged with the picture.
    """
    picture = np.clip(restored, 0, 1)
    channels = self.values.shape[-1]
    if channels < 3 and not in_colour:
      picture = (picture @ _LUMA)[..., None]
    picture = self._typed(picture)
    if changed is not None:
      own = self.values[..., : picture.shape[-1]]
      picture = np.where(changed[..., None], picture, own)
    if channels in (2, 4):
      alpha = self.values[..., -1:]
      scale = picture.shape[0] // alpha.shape[0]
      if scale > 1:
        unit = _unit(alpha.repeat(3, -1))
        alpha = self._typed(resampling.enlarge(unit, scale)[..., :1].clip(0, 1))
      picture = np.concatenate([picture, alpha], -1)
    return self.wrap(picture)

  def _typed(self, unit):
    kind = self.values.dtype
    if kind.kind == 'f':
      return unit.astype(kind)
    return np.rint(unit * np.iinfo(kind).max).astype(kind)


def given(picture: Picture) -> Given:
  """The picture that a restorer is called with.

  Args:
    picture: an array of u8, u16 or float in [0, 1], grey, RGB or with alpha; a
      PIL image of such; or the path of a picture file, which is read as upright
      sRGB of the file's depth, [H, W, 3].

  Raises:
    ValueError: it is something else, which the message names in one line.
    vips.BadPicture: the file cannot be read.
  """
  if isinstance(picture, (str, os.PathLike)):
    values = _read(picture)
    return Given(values, values, _unit(values), lambda result: result)
  pil = sys.modules.get('PIL.Image')  # no such image without it
  if pil and isinstance(picture, pil.Image):
    if picture.mode not in _MODES:
      raise ValueError(
        f'a PIL image of mode {picture.mode!r}: convert it to one of '
        f'{", ".join(_MODES)}'
      )
    array, wrap = np.asarray(picture), _as_pil
  elif hasattr(picture, '__array__'):
    array, wrap = np.asarray(picture), lambda result: result
  else:
    raise ValueError(
      f'a picture is an array, a PIL image or a path, not a '
      f'{type(picture).__name__}'
    )
  values = array[..., None] if array.ndim == 2 else array
  _check(array, values)
  if array.ndim == 2:
    wrap = _flat(wrap)
  return Given(picture, values, _unit(values), wrap)


def _check(array, values):
  """Raises ValueError for values that a picture cannot have."""
  kind = values.dtype
  known = kind in (np.uint8, np.uint16) or kind.kind == 'f'
  if values.ndim != 3 or not known or not 1 <= values.shape[-1] <= 4:
    raise ValueError(f'a picture of {kind} {list(array.shape)}: give {_FORMS}')
  if not values.size:
    raise ValueError(f'a picture of {list(array.shape)}: it has no pixels')
  if kind.kind == 'f' and not (values.min() >= 0 and values.max() <= 1):
    raise ValueError(
      f'a picture of {kind} from {values.min():g} to {values.max():g}: floats '
      'must be in [0, 1]'
    )


def _unit(values):
  """f32[H, W, 3] in [0, 1] of [H, W, C]."""
  if values.dtype.kind == 'f':
    unit = values.astype(np.float32)
  else:
    unit = values * np.float32(1 / np.iinfo(values.dtype).max)
  rgb = unit[..., : 3 if values.shape[-1] > 2 else 1]
  return rgb if rgb.shape[-1] == 3 else rgb.repeat(3, -1)


def _flat(wrap):
  """`wrap` of a picture that was [H, W]: a grey one is so again."""
  return lambda result: wrap(
    result[..., 0] if result.shape[-1] == 1 else result
  )


def _as_pil(values):
  from PIL import Image

  return Image.fromarray(values)


def _read(path):
  """u8 or u16 [H, W, 3]: the sRGB of a file."""
  from artjax.image_io import reader  # libvips, only where there is a file

  with reader.open_picture(path) as picture:
    rgb = picture.read(0, 0, picture.height, picture.width)
    kind = np.uint8 if picture.depth == 8 else np.uint16
  return np.rint(rgb.clip(0, 1) * np.iinfo(kind).max).astype(kind)


def hole(
  mask: np.ndarray | None, picture: np.ndarray, fills: bool
) -> np.ndarray | None:
  """bool [H, W]: where a mask shows that a picture is to be filled.

  Args:
    mask: [H, W] or [H, W, C]; not 0 in any channel = to be filled.
    picture: [H, W, 3].
    fills: whether there are weights that fill; if not, None is returned.

  Raises:
    ValueError: a mask that is missing, of another size, or that is not used.
  """
  if not fills:
    if mask is not None:
      raise ValueError('these weights take no mask: they do not fill')
    return None
  if mask is None:
    raise ValueError('these weights fill what a mask shows: give a mask')
  mask = np.asarray(mask)
  if mask.shape[:2] != picture.shape[:2]:
    raise ValueError(
      f'the mask is {mask.shape[1]} x {mask.shape[0]} px, the '
      f'picture {picture.shape[1]} x {picture.shape[0]} px'
    )
  return np.asarray(mask.reshape(*mask.shape[:2], -1).any(-1))
