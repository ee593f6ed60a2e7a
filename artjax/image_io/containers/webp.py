"""Chunks of a WebP file (RFC 9649)."""

import shutil
import struct
from typing import BinaryIO

EXIF, XMP = b'EXIF', b'XMP '
_FLAGS = {b'ICCP': 0x20, b'ALPH': 0x10, EXIF: 0x08, XMP: 0x04}
_PIXELS = {b'VP8 ', b'VP8L', b'ALPH', b'ANMF'}
_FRAME = 16  # bytes of an ANMF chunk before the chunks in it


def read(path: str) -> dict[bytes, bytes]:
  """{type: data} of the chunks of a file, without those of pixels.

  Raises:
    ValueError: the file ends within a chunk.
  """
  with open(path, 'rb') as file:
    return {
      name: file.read(size)
      for name, size in _chunks(file)
      if name not in _PIXELS
    }


def is_lossless(path: str) -> bool:
  """Whether the pixels, or those of the first frame, are stored losslessly."""
  with open(path, 'rb') as file:
    for name, _ in _chunks(file):
      if name == b'ANMF':
        return file.read(_FRAME + 4)[_FRAME:] == b'VP8L'
      if name == b'VP8L':
        return True
  return False


def rewrite(path: str, target: str, add: dict[bytes, bytes]) -> None:
  """Copies a still picture with `EXIF` and `XMP` chunks, and no others.

  Args:
    path: of the file.
    target: path of the copy.
    add: {type: data}.

  Raises:
    ValueError: as `read`.
  """
  with open(path, 'rb') as source, open(target, 'wb') as result:
    flags, size = 0, b''
    result.write(b'RIFF\0\0\0\0WEBPVP8X' + struct.pack('<I', 10) + bytes(10))
    for name, length in _chunks(source):
      start = source.tell()
      if name == b'VP8X':
        head = source.read(10)
        flags, size = flags | head[0] & 0x10, head[4:10]
      elif name in (b'VP8 ', b'VP8L') and not size:
        size, alpha = _size(name, source.read(10))
        flags |= 0x10 if alpha else 0
      if name not in (b'VP8X', EXIF, XMP):
        flags |= _FLAGS.get(name, 0)
        source.seek(start)
        result.write(name + struct.pack('<I', length))
        _copy(source, result, length)
      source.seek(start + length)
    for name, data in add.items():
      flags |= _FLAGS.get(name, 0)
      result.write(name + struct.pack('<I', len(data)) + data)
      result.write(b'\0' * (len(data) % 2))
    total = result.tell() - 8
    result.seek(4)
    result.write(struct.pack('<I', total))
    result.seek(20)
    result.write(bytes([flags, 0, 0, 0]) + size)


def _chunks(file: BinaryIO):
  """(type, size) of each chunk; the file is positioned at its data."""
  head = file.read(12)
  if head[:4] != b'RIFF' or head[8:] != b'WEBP':
    raise ValueError('no WebP file')
  place = 12
  while True:
    file.seek(place)
    head = file.read(8)
    if len(head) < 8:
      return
    name, size = struct.unpack('<4sI', head)
    yield name, size
    place += 8 + size + size % 2


def _size(name: bytes, data: bytes) -> tuple[bytes, bool]:
  """Width and height as in a VP8X chunk, and whether there is alpha."""
  if name == b'VP8L':
    bits = int.from_bytes(data[1:5], 'little')
    width, height = bits & 0x3FFF, bits >> 14 & 0x3FFF
    alpha = bool(bits >> 28 & 1)
  else:
    width = int.from_bytes(data[6:8], 'little') & 0x3FFF
    height = int.from_bytes(data[8:10], 'little') & 0x3FFF
    width, height, alpha = width - 1, height - 1, False
  return width.to_bytes(3, 'little') + height.to_bytes(3, 'little'), alpha


def _copy(source: BinaryIO, target: BinaryIO, length: int) -> None:
  """Copies a chunk's data and the byte that makes it even."""
  shutil.copyfileobj(_Part(source, length), target)
  target.write(b'\0' * (length % 2))


class _Part:
  """The next bytes of a file, as a file."""

  def __init__(self, file: BinaryIO, length: int):
    self._file, self._left = file, length

  def read(self, size: int = -1) -> bytes:
    size = self._left if size < 0 else min(size, self._left)
    data = self._file.read(size)
    if len(data) != size:
      raise ValueError('a chunk reaches beyond the file')
    self._left -= size
    return data
