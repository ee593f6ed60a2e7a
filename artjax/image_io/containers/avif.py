"""AVIF files: how their pixels are coded, and their EXIF block.

Boxes are those of ISO/IEC 14496-12, of ISO/IEC 23008-12 (HEIF) and of the AV1
binding to it.
"""

from collections.abc import Iterator
import struct
from typing import NamedTuple

_HEAD = 1 << 16  # bytes, in which the properties of a picture stand
_RGB = 0  # matrix coefficients that leave RGB as it is (ITU-T H.273)
_DEEP, _DEEPER = 0x40, 0x20  # 10 bits, 12 bits: in the third byte of av1C
_FRAMES = (b'moov', b'trak', b'mdia', b'minf', b'stbl', b'stsz')
_EXIF = b'Exif\0\0'


class _Box(NamedTuple):
  type: bytes
  start: int  # of its content
  end: int


def bits(path: str) -> int:
  """Bits a channel: 8, 10 or 12; 8 if the file does not say it.

  Raises:
    OSError: it cannot be read.
  """
  with open(path, 'rb') as file:
    coding = file.read(_HEAD).partition(b'av1C')[2]
  if len(coding) < 3 or not coding[2] & _DEEP:
    return 8
  return 12 if coding[2] & _DEEPER else 10


def is_lossless(path: str) -> bool:
  """Whether a file is coded as RGB, which only lossless files are.

  Raises:
    OSError: it cannot be read.
  """
  with open(path, 'rb') as file:
    colours = file.read(_HEAD).partition(b'colrnclx')[2]
  return len(colours) >= 6 and int.from_bytes(colours[4:6], 'big') == _RGB


def is_hevc(path: str) -> bool:
  """Whether a picture of the file is coded by HEVC, as in HEIC files.

  Raises:
    OSError: it cannot be read.
  """
  with open(path, 'rb') as file:
    head = file.read(_HEAD)
  return b'hvc1' in head and b'av1C' not in head


def frames(path: str) -> int:
  """Number of frames of a sequence; 1 for a still picture.

  Raises:
    OSError: it cannot be read.
  """
  with open(path, 'rb') as file:
    data = file.read()
  start, end = 0, len(data)
  try:
    for name in _FRAMES:
      box = next(b for b in _boxes(data, start, end) if b.type == name)
      start, end = box.start, box.end
    return max(1, struct.unpack_from('>I', data, start + 8)[0])
  except (StopIteration, struct.error):
    return 1


def set_exif(path: str, block: bytes) -> None:
  """Replaces the EXIF block of a file that has one.

  The new one is appended, since other offsets in the file must stay true.

  Raises:
    ValueError: there is none, or not in the place where libheif puts it.
  """
  with open(path, 'r+b') as file:
    data = file.read()
    try:
      place, base, old, length = _extent_of_exif(data)
    except (StopIteration, struct.error) as error:
      raise ValueError('no EXIF block') from error
    payload = struct.pack('>I', len(_EXIF)) + _EXIF + block
    file.seek(base + old)
    file.write(bytes(length))
    file.seek(0, 2)
    file.write(struct.pack('>I4s', len(payload) + 8, b'mdat') + payload)
    file.seek(place)
    file.write(struct.pack('>II', len(data) + 8 - base, len(payload)))


def _boxes(data: bytes, start: int, end: int) -> Iterator[_Box]:
  while start + 8 <= end:
    size, name = struct.unpack_from('>I4s', data, start)
    head = 8
    if size == 1:
      size, head = struct.unpack_from('>Q', data, start + 8)[0], 16
    size = size or end - start
    if size < head:
      return
    yield _Box(name, start + head, min(start + size, end))
    start += size


def _extent_of_exif(data):
  """Place of the (offset, length) of the EXIF item; its base; both values."""
  meta = next(b for b in _boxes(data, 0, len(data)) if b.type == b'meta')
  inner = {b.type: b for b in _boxes(data, meta.start + 4, meta.end)}
  if not {b'iinf', b'iloc'} <= set(inner):
    raise ValueError('no items')
  exif = _item_of_exif(data, inner[b'iinf'])
  place = inner[b'iloc'].start
  version, sizes, more = struct.unpack_from('>B3xBB', data, place)
  base_size, index_size = more >> 4, more & 15
  if version > 1 or sizes != 0x44 or base_size not in (0, 4) or index_size:
    raise ValueError('items in another form')
  count, place = struct.unpack_from('>H', data, place + 6)[0], place + 8
  for _ in range(count):
    item = struct.unpack_from('>H', data, place)[0]
    method = struct.unpack_from('>H', data, place + 2)[0] if version else 0
    place += 6 if version else 4
    base = struct.unpack_from('>I', data, place)[0] if base_size else 0
    extents = struct.unpack_from('>H', data, place + base_size)[0]
    place += base_size + 2
    if item == exif and extents == 1 and not method:
      return place, base, *struct.unpack_from('>II', data, place)
    place += 8 * extents
  raise ValueError('no EXIF block')


def _item_of_exif(data, iinf):
  version = data[iinf.start]
  start = iinf.start + (8 if version else 6)
  for box in _boxes(data, start, iinf.end):
    if box.type == b'infe' and data[box.start] == 2:
      item, _, kind = struct.unpack_from('>HH4s', data, box.start + 4)
      if kind == b'Exif':
        return item
  raise ValueError('no EXIF block')
