"""Drawings: light lines on dark paper are recognised and inverted.

That is dark lines on light paper; image_file.py lays on paper what is
transparent.
"""

import numpy as np

_LUMA = np.array([0.299, 0.587, 0.114])  # BT.601
_DARK = 0.4  # of the full range: lighter than ink, darker than paper


def white_on_black(picture):
  """Whether a drawing is light on dark, such as chalk or a blueprint.

  Paper is what most of the picture is, and most of its border. Both must be
  dark, and what is light must be the lesser part: a heavy charcoal drawing on
  white paper is none.

  Args:
    picture: u8 or u16 [H, W, 3], or float in [0, 1].

  Returns:
    bool.
  """
  full = 1 if picture.dtype.kind == 'f' else np.iinfo(picture.dtype).max
  luma = picture @ _LUMA / full
  edge = max(1, min(luma.shape) // 50)
  border = np.concatenate(
    [
      luma[:edge].ravel(),
      luma[-edge:].ravel(),
      luma[:, :edge].ravel(),
      luma[:, -edge:].ravel(),
    ]
  )
  return bool(
    np.median(luma) < _DARK
    and np.median(border) < _DARK
    and np.mean(luma > 1 - _DARK) < 0.4
  )


def invert(picture):
  """The negative, of the same type."""
  full = 1 if picture.dtype.kind == 'f' else np.iinfo(picture.dtype).max
  return (full - picture).astype(picture.dtype)
