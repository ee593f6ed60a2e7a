"""XMP packets: what they say of the pixels is kept true."""

import re

_GAIN_MAPS = (
  b'http://ns.adobe.com/hdr-gain-map/1.0/',
  b'http://ns.google.com/photos/1.0/container/',
)
_SIZES = {
  b'tiff:ImageWidth': 0,
  b'exif:PixelXDimension': 0,
  b'tiff:ImageLength': 1,
  b'exif:PixelYDimension': 1,
}


def upright(packet: bytes, width: int, height: int, turned: bool) -> bytes:
  """A packet of a picture that was turned upright, or of another size.

  Args:
    packet: that of the source.
    width: of the result, px.
    height: of the result, px.
    turned: whether an orientation was applied, if only 1.
  """
  if turned:
    packet = _set(packet, b'tiff:Orientation', 1)
  for name, side in _SIZES.items():
    packet = _set(packet, name, (width, height)[side])
  return packet


def tells_of_gain_map(packet: bytes) -> bool:
  """Whether a packet speaks of a second picture that makes it HDR."""
  return any(name in packet for name in _GAIN_MAPS)


def without_gain_map(packet: bytes) -> bytes:
  """The packet without what it says of a gain map."""
  for name in (b'hdrgm', b'GContainer', b'Container'):
    packet = re.sub(rb'\s' + name + rb':\w+="[^"]*"', b'', packet)
    packet = re.sub(
      rb'<' + name + rb':(\w+)\b[^>]*>.*?</' + name + rb':\1>',
      b'',
      packet,
      flags=re.DOTALL,
    )
  return packet


def _set(packet, name, number):
  value = b'%d' % number
  packet = re.sub(
    name + rb'=(["\'])\s*\d+\s*\1', name + rb'="' + value + b'"', packet
  )
  return re.sub(
    rb'<' + name + rb'>\s*\d+\s*</', b'<' + name + b'>' + value + b'</', packet
  )
