"""Segments of a JPEG file: the parts before its pixels.

A segment is a marker, two bytes that give its length, and a payload of at most
65533 bytes (ITU-T T.81, annex B).
"""

from collections.abc import Callable, Iterable
import mmap
import os
import re
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
_DQT, _FRAMES = 0xDB, (0xC0, 0xC1, 0xC2)  # baseline, extended, progressive
_SCAN, _END = 0xDA, 0xD9
# Within the data of pixels: what is no stuffed byte, restart or fill byte.
_MARKER = re.compile(rb'\xff([^\x00\xd0-\xd7\xff])', re.DOTALL)


class Coding(NamedTuple):
  """How the pixels of a file are coded.

  Attributes:
    tables: quantization tables of its components, 64 values each, row by row.
    sampling: (horizontal, vertical) sampling factors of its components.
  """

  tables: list[list[int]]
  sampling: list[tuple[int, int]]


class Segment(NamedTuple):
  """One segment: the second byte of its marker, and its payload."""

  marker: int
  payload: bytes


def read(path: str) -> list[Segment]:
  """The segments of a file before its pixels.

  Raises:
    ValueError: the file ends within them, or they are not segments.
  """
  with open(path, 'rb') as file:
    return _read(file)


def coding(path: str) -> Coding:
  """How the pixels of a file are coded, from its header.

  Raises:
    ValueError: as `read`; or the header does not say it.
  """
  tables: dict[int, list[int]] = {}
  components = b''
  for marker, payload in read(path):
    if marker == _DQT:
      tables |= _tables(payload)
    elif marker in _FRAMES:
      components = payload[6:]
  parts = [components[i : i + 3] for i in range(0, len(components), 3)]
  if not parts or any(len(p) < 3 or p[2] not in tables for p in parts):
    raise ValueError('no quantization table')
  return Coding(
    [tables[number] for _, _, number in parts],
    [(factors >> 4, factors & 15) for _, factors, _ in parts],
  )


def end(path: str) -> int | None:
  """The offset after the end mark of a file's picture; None without one.

  Raises:
    ValueError: as `read`.
  """
  with open(path, 'rb') as file:
    _read(file)
    place = file.tell()
    if place >= os.path.getsize(path):
      return None
    with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
      while found := _MARKER.search(data, place):
        if found[1][0] == _END:
          return found.end()
        place = found.end() + int.from_bytes(
          data[found.end() : found.end() + 2], 'big'
        )
  return None


def follows(path: str, place: int) -> bool:
  """Whether more than padding follows an offset in a file."""
  with open(path, 'rb') as file:
    file.seek(place)
    while data := file.read(1 << 20):
      if data.strip(b'\0\xff'):
        return True
  return False


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
    keep: whether to keep a segment of the file.
    add: segments to insert before the first that is kept, but after JFIF.

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


def _tables(payload):
  """{number: 64 values, row by row} of a segment of quantization tables."""
  found = {}
  while payload:
    size = 2 if payload[0] >> 4 else 1
    values = payload[1 : 1 + 64 * size]
    if len(values) < 64 * size:
      raise ValueError('a quantization table is cut off')
    table = [0] * 64
    for i, place in enumerate(_zigzag()):
      table[place] = int.from_bytes(values[i * size : (i + 1) * size], 'big')
    found[payload[0] & 15] = table
    payload = payload[1 + 64 * size :]
  return found


def _zigzag():
  """Places, row by row, in the order in which a table is stored."""
  place = lambda i: (i // 8, i % 8)
  diagonal = lambda i: sum(place(i))
  return sorted(
    range(64), key=lambda i: (diagonal(i), place(i)[diagonal(i) % 2 == 0])
  )


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
