"""Whether fetched bytes are a picture, and which one."""

import hashlib
import io
from typing import NamedTuple
import warnings

import cv2
import numpy as np
from PIL import Image

from artjax.data.collections.base import FetchError
from artjax.data.sources import decode

_EXTENSIONS = {'JPEG': '.jpg', 'PNG': '.png', 'TIFF': '.tif', 'WebP': '.webp'}


class Content(NamedTuple):
  """What a picture file is."""

  extension: str  # by its content
  width: int  # px
  height: int
  sha256: str  # of the file
  dhash: str  # 64 bits in hexadecimal; alike for copies of another size


def inspect(data: bytes, max_pixels: float) -> Content:
  """Decodes a picture file.

  Args:
    data: of the whole file.
    max_pixels: it may have; the head is asked before anything is decoded.

  Raises:
    FetchError: not a JPEG, PNG, TIFF or WebP file, truncated or damaged, or
      with more pixels.
  """
  kind = decode.file_type(data[: decode.HEAD])
  if not kind:
    raise FetchError(decode.NOT_A_PICTURE if data else 'empty file')
  try:
    with warnings.catch_warnings(action='ignore'):  # of many pixels, and tags
      with Image.open(io.BytesIO(data)) as head:
        width, height = head.size
    if width * height > max_pixels:
      raise FetchError(
        f'{width} x {height} px are more than {max_pixels / 1e6:g} megapixels'
      )
    pixels = decode.decode(data)
  except decode.Unreadable as error:
    raise FetchError(str(error)) from error
  except Image.DecompressionBombError as error:
    raise FetchError(f'more than {max_pixels / 1e6:g} megapixels') from error
  except (OSError, SyntaxError) as error:  # of Pillow, for a broken head
    raise FetchError(f'damaged {kind}') from error
  return Content(
    _EXTENSIONS[kind],
    pixels.shape[1],
    pixels.shape[0],
    hashlib.sha256(data).hexdigest(),
    difference_hash(pixels),
  )


def difference_hash(picture: np.ndarray) -> str:
  """64 bits that tell in which cells of 8 x 9 a picture brightens to the right.

  Args:
    picture: u8[H, W, 3], RGB.

  Returns:
    16 hexadecimal digits.
  """
  grey = cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY)
  cells = cv2.resize(grey, (9, 8), interpolation=cv2.INTER_AREA).astype(int)
  return np.packbits(cells[:, 1:] > cells[:, :-1]).tobytes().hex()
