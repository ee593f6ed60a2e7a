"""Segments of a JPEG file: what stands before its pixels.

A segment is a marker, two bytes that give its length, and a payload of at most
65533 bytes (ITU-T T.81, annex B).
"""

from collections.abc import Callable, Iterable
import shutil
from typing import BinaryIO, NamedTuple

APP0, APP1, APP2, APP11, APP13, APP14, COM = (
  0xE0,
  0xE1,
  0xE2,
  0xEB,
  0xED,
  0xEE,
  0xFE,
)
MOST = 65533  # bytes of a payload
_SCAN, _END = 0xDA, 0xD9


class Segment(NamedTuple):
  """One segment: the second byte of its marker, and its payload."""

  marker: int
  payload: bytes


def read(path: str) -> list[Segment]:
  """The segments of a file before its pixels.

  Raises:
    ValueError: the file ends within them, or they are no segments.
  """
  with open(path, 'rb') as file:
    return _read(file)


def rewrite(
  path: str,
  target: str,
  keep: Callable[[Segment], bool],
  add: Iterable[Segment],
) -> None:
  """Copies a file with other segments.

  Args:
    path: of the file.
    target: path of the copy.
    keep: whether a segment of the file stays.
    add: what goes before the first of those that stay, but for JFIF.

  Raises:
    ValueError: as `read`; or a payload is too long.
  """
  with open(path, 'rb') as source, open(target, 'wb') as result:
    kept = [segment for segment in _read(source) if keep(segment)]
    first = [s for s in kept if s.marker == APP0]
    rest = [s for s in kept if s.marker != APP0]
    result.write(b'\xff\xd8')
    for marker, payload in [*first, *add, *rest]:
      if len(payload) > MOST:
        raise ValueError(f'a segment of {len(payload)} bytes')
      result.write(bytes([0xFF, marker]))
      result.write((len(payload) + 2).to_bytes(2, 'big') + payload)
    shutil.copyfileobj(source, result)


def with_segment(data: bytes, segment: Segment) -> bytes:
  """The bytes of a file, with a segment before all others."""
  length = (len(segment.payload) + 2).to_bytes(2, 'big')
  head = b'\xff\xd8' + bytes([0xFF, segment.marker]) + length
  return head + segment.payload + data[2:]


def _read(file: BinaryIO) -> list[Segment]:
  """Leaves the file at the marker of the first scan."""
  if file.read(2) != b'\xff\xd8':
    raise ValueError('no JPEG file')
  found: list[Segment] = []
  while True:
    start = file.tell()
    mark = file.read(2)
    while mark == b'\xff\xff':  # fill bytes
      mark = b'\xff' + file.read(1)
    if len(mark) < 2 or mark[0] != 0xFF:
      raise ValueError('a segment without a marker')
    if mark[1] in (_SCAN, _END):
      file.seek(start)
      return found
    length = int.from_bytes(file.read(2), 'big')
    payload = file.read(max(0, length - 2))
    if length < 2 or len(payload) != length - 2:
      raise ValueError('a segment reaches beyond the file')
    found.append(Segment(mark[1], payload))
