"""Chunks of a PNG file (https://www.w3.org/TR/png-3/#5Chunk-layout)."""

from collections.abc import Callable, Iterable
import shutil
import struct
from typing import BinaryIO, NamedTuple
import zlib

_SIGNATURE = b'\x89PNG\r\n\x1a\n'
_PIXELS = {b'IDAT', b'fdAT'}
# Of whole pictures or of their colours, though not marked as safe to copy.
_TRUE = {
  *(b'gAMA', b'cHRM', b'sRGB', b'cICP', b'mDCV', b'cLLI', b'sBIT', b'bKGD'),
  *(b'oFFs', b'pCAL', b'sCAL', b'sTER', b'sPLT', b'tIME'),
}
_MOST = 64 << 20  # bytes of a chunk, or it is passed over


class Chunk(NamedTuple):
  """One chunk: its type, and its data (b'' for pixels)."""

  type: bytes
  data: bytes


def read(path: str) -> list[Chunk]:
  """All chunks of a file, pixels without their data.

  Raises:
    ValueError: a chunk other than pixels is damaged or cut off.
  """
  with open(path, 'rb') as file:
    if file.read(8) != _SIGNATURE:
      raise ValueError('no PNG file')
    found = []
    while chunk := _next(file):
      found.append(chunk)
      if chunk.type == b'IEND':
        break
    return found


def rewrite(
  path: str, target: str, keep: Callable[[Chunk], bool], add: Iterable[Chunk]
) -> None:
  """Copies a file with other chunks.

  Args:
    path: of the file.
    target: path of the copy.
    keep: whether to keep a chunk before the pixels; IHDR is always kept.
    add: chunks to insert right after IHDR.

  Raises:
    ValueError: as `read`.
  """
  with open(path, 'rb') as source, open(target, 'wb') as result:
    result.write(source.read(8))
    while True:
      start = source.tell()
      chunk = _next(source)
      if chunk is None or chunk.type in _PIXELS:
        source.seek(start)
        break
      if chunk.type == b'IHDR' or keep(chunk):
        _write(result, chunk)
      if chunk.type == b'IHDR':
        for other in add:
          _write(result, other)
    shutil.copyfileobj(source, result)


def may_be_copied(chunk: Chunk) -> bool:
  """Whether a chunk remains true for other pixels, by its name or its flags."""
  ancillary, safe = chunk.type[0] & 32, chunk.type[3] & 32
  return chunk.type in _TRUE or bool(
    chunk.type.isalpha() and ancillary and safe
  )


def text(chunk: Chunk) -> tuple[str, str] | None:
  """(keyword, text) of a tEXt, zTXt or iTXt chunk; None of any other.

  Raises:
    ValueError: it is damaged.
  """
  keyword, _, rest = chunk.data.partition(b'\0')
  name = keyword.decode('latin-1')
  try:
    if chunk.type == b'tEXt':
      return name, rest.decode('latin-1')
    if chunk.type == b'zTXt':
      return name, _inflated(rest[1:]).decode('latin-1')
    if chunk.type == b'iTXt':
      packed, rest = rest[:1] == b'\1', rest[2:]
      _, _, rest = rest.partition(b'\0')  # language
      _, _, rest = rest.partition(b'\0')  # keyword in that language
      return name, (_inflated(rest) if packed else rest).decode('utf-8')
  except zlib.error as error:
    raise ValueError('a text cannot be decompressed') from error
  return None


def text_chunk(keyword: str, value: bytes) -> Chunk:
  """An iTXt chunk of a text in UTF-8."""
  return Chunk(b'iTXt', keyword.encode('latin-1') + bytes(5) + value)


def _inflated(data: bytes) -> bytes:
  engine = zlib.decompressobj()
  return engine.decompress(data, _MOST)


def _next(file: BinaryIO) -> Chunk | None:
  head = file.read(8)
  if len(head) < 8:
    return None
  length, kind = struct.unpack('>I4s', head)
  if kind in _PIXELS or length > _MOST:
    file.seek(length + 4, 1)
    return Chunk(kind, b'')
  data, check = file.read(length), file.read(4)
  if len(data) != length or len(check) != 4:
    raise ValueError('a chunk reaches beyond the file')
  if zlib.crc32(kind + data) != int.from_bytes(check, 'big'):
    raise ValueError('a chunk is damaged')
  return Chunk(kind, data)


def _write(file: BinaryIO, chunk: Chunk) -> None:
  file.write(struct.pack('>I', len(chunk.data)) + chunk.type + chunk.data)
  file.write(struct.pack('>I', zlib.crc32(chunk.type + chunk.data)))
