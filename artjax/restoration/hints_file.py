"""Hints that users bring: strokes of the colours that things are to have.

A picture that is transparent but for these strokes, drawn over the picture that
is to be colorized, or over a copy of it of another size.
"""

import numpy as np

from artjax.image_io import reader
from artjax.image_io import vips
from artjax.inference import colorizer
from artjax.restoration import mask_file

_ENOUGH = 1024  # px of the short side: the network sees far fewer


class BadHints(ValueError):
  """Hints that cannot be used; the message names the file and the reason."""


def find(where, picture):
  """Path of the hints for a picture file: `where` itself, or in that folder.

  In a folder they have the picture's name, whatever the suffix, or that name
  and '-hints', '_hints' or '.hints'.

  Raises:
    BadHints: there are none, or several.
  """
  return mask_file.find(where, picture, 'hints', BadHints)


def load(path, height, width):
  """Hints of an image file, for a picture of height x width px.

  Returns:
    u8[h, w, 4]: sRGB, and 255 where a colour is told, else 0; as large as the
    file, or a smaller copy of it. And notices, a line each.

  Raises:
    BadHints: not a picture, without transparency, of another aspect ratio, or
      it tells no colour.
  """
  try:
    with reader.open_picture(path) as picture:
      if not picture.has_alpha:
        raise BadHints(
          f'{path}: no transparency; hints are transparent but '
          'for strokes of colour'
        )
      size = picture.height, picture.width
      try:
        colorizer.check_shape(*size, height, width)
      except ValueError as error:
        raise BadHints(f'{path}: {error}') from error
      with vips.blame(path):
        hints = _shrunk(picture.screen(), max(1, min(size) // _ENOUGH))
  except reader.BadPicture as error:
    raise BadHints(str(error)) from error
  if not hints.any():
    raise BadHints(f'{path}: all transparent, so it tells no colour')
  if size == (height, width):
    return hints, []
  return hints, [f'the hints {path} are {size[1]} x {size[0]} px: resized']


def _shrunk(image, factor):
  """vips image of 8-bit RGBA -> u8[h, w, 4]; the thinnest stroke is kept."""
  there = (image[3] >= 128) / 255
  sums = (image.extract_band(0, n=3).bandjoin(255) * there).shrink(
    factor, factor
  )
  sums = sums.numpy()
  share = sums[..., 3:] / 255
  told = share > 0
  rgb = np.where(told, sums[..., :3] / np.where(told, share, 1), 0)
  return np.uint8(np.rint(np.concatenate([rgb, 255 * told], -1)))
