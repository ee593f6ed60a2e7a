"""Decodes a picture file from bytes to u8[H, W, 3] RGB, or says why it cannot.

OpenCV decodes. What it silently accepts is checked here: some of its versions
fill the missing part of a truncated JPEG with grey. The file type is determined
from the content, not from the name.
"""

import re
import zlib

import cv2
import numpy as np

HEAD = 16  # bytes that tell the type
NOT_A_PICTURE = 'not a JPEG, PNG, TIFF or WebP file'

_PNG = b'\x89PNG\r\n\x1a\n'
# A marker inside entropy-coded data: neither a stuffed byte, nor a restart
# marker, nor padding.
_MARKER = re.compile(rb'\xff[^\x00\xd0-\xd7\xff]')


class Unreadable(ValueError):
  """A picture that cannot be decoded; the message is the reason."""


def decode(data: bytes) -> np.ndarray:
  """Decodes JPEG, PNG, TIFF or WebP, turned upright by its EXIF orientation.

  Grey becomes RGB; alpha is dropped and the colours beneath it are kept; 16
  bit become rint(value / 257).

  Args:
    data: bytes of the whole file.

  Returns:
    Read-only u8[H, W, 3], RGB, values in [0, 255].

  Raises:
    Unreadable: not of these types, truncated or damaged.
  """
  if not data:
    raise Unreadable('empty file')
  kind = file_type(data)
  if not kind:
    raise Unreadable(NOT_A_PICTURE)
  if kind in _CHECKS:
    _CHECKS[kind](data)
  try:
    image = cv2.imdecode(
      np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR | cv2.IMREAD_ANYDEPTH
    )
  except cv2.error as error:  # such as more pixels than OpenCV allows
    raise Unreadable(f'cannot be decoded: {error.err}') from error
  if image is None:
    raise Unreadable(f'truncated or damaged {kind}')
  if image.dtype == np.uint16:
    # 257 = 65535 / 255; adding half of it first rounds to nearest.
    image = ((image.astype(np.uint32) + 128) // 257).astype(np.uint8)
  elif image.dtype != np.uint8:
    raise Unreadable(f'pixels of type {image.dtype}, expected 8 or 16 bit')
  image = cv2.cvtColor(image, cv2.COLOR_BGR2RGB)
  image.setflags(write=False)
  return image


def file_type(head: bytes) -> str | None:
  """'JPEG' | 'PNG' | 'TIFF' | 'WebP' | None, from the first `HEAD` bytes."""
  if head.startswith(b'\xff\xd8\xff'):
    return 'JPEG'
  if head.startswith(_PNG):
    return 'PNG'
  if head[:4] in (b'II*\0', b'MM\0*', b'II+\0', b'MM\0+'):
    return 'TIFF'
  if head[:4] == b'RIFF' and head[8:12] == b'WEBP':
    return 'WebP'
  return None


def _check_jpeg(data):
  """Walks the segments up to the end-of-image marker."""
  position = 2
  while True:
    marker = _MARKER.search(data, position)
    if not marker:
      raise Unreadable('truncated JPEG: no end-of-image marker')
    position = marker.end()
    code = data[position - 1]
    if code == 0xD9:  # end of image; what follows belongs to others
      return
    if code != 0x01:  # all others left have a length and so can be skipped,
      # with whatever looks like a marker inside, such as a thumbnail
      position += int.from_bytes(data[position : position + 2], 'big')


def _check_png(data):
  """Walks the chunks up to IEND and checks their sums."""
  position, view = len(_PNG), memoryview(data)
  while position + 12 <= len(data):
    length = int.from_bytes(data[position : position + 4], 'big')
    end = position + 8 + length
    if end + 4 > len(data):
      break
    if zlib.crc32(view[position + 4 : end]) != int.from_bytes(
      data[end : end + 4], 'big'
    ):
      raise Unreadable('damaged PNG: checksum differs')
    if data[position + 4 : position + 8] == b'IEND':
      return
    position = end + 4
  raise Unreadable('truncated PNG: no end chunk')


def _check_webp(data):
  if int.from_bytes(data[4:8], 'little') + 8 > len(data):
    raise Unreadable('truncated WebP')


_CHECKS = {'JPEG': _check_jpeg, 'PNG': _check_png, 'WebP': _check_webp}
