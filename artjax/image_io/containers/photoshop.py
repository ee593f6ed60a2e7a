"""Photoshop image resources, in which JPEG files store IPTC.

Each is '8BIM', a number, a name, a length and data, all at even offsets.
"""

import struct

IPTC = 0x0404
_THUMBNAILS = {0x0409, 0x040C}
_MARK = b'8BIM'


def resources(data: bytes) -> list[tuple[int, bytes, bytes]]:
  """[(number, name, data)]; the list ends before a damaged resource."""
  found, place = [], 0
  while data[place : place + 4] == _MARK and place + 12 <= len(data):
    number = struct.unpack('>H', data[place + 4 : place + 6])[0]
    length = 1 + data[place + 6]
    name = data[place + 7 : place + 6 + length]
    place += 6 + length + length % 2
    if place + 4 > len(data):
      break
    size = struct.unpack('>I', data[place : place + 4])[0]
    content = data[place + 4 : place + 4 + size]
    if len(content) != size:
      break
    found.append((number, name, content))
    place += 4 + size + size % 2
  return found


def pack(items: list[tuple[int, bytes, bytes]]) -> bytes:
  """The bytes of resources."""
  parts = []
  for number, name, content in items:
    label = bytes([len(name)]) + name
    parts += [_MARK, struct.pack('>H', number), label, b'\0' * (len(label) % 2)]
    parts += [struct.pack('>I', len(content)), content]
    parts += [b'\0' * (len(content) % 2)]
  return b''.join(parts)


def without_thumbnails(data: bytes) -> bytes:
  """The same without thumbnails, which show the picture before restoration."""
  found = resources(data)
  if not any(number in _THUMBNAILS for number, _, _ in found):
    return data
  return pack([item for item in found if item[0] not in _THUMBNAILS])


def iptc(data: bytes) -> bytes:
  """The IPTC records among some resources; b'' if there are none."""
  return next((d for number, _, d in resources(data) if number == IPTC), b'')
