"""XMP packets: kept consistent with the pixels, and given a history.

The history is `xmpMM:History` of XMP (ISO 16684-1): a sequence of events, each
with the action, the time and the software.
"""

from collections.abc import Mapping
import re
from typing import NamedTuple
from xml.parsers import expat
from xml.sax import saxutils

_TIFF = b'http://ns.adobe.com/tiff/1.0/'
_EXIF = b'http://ns.adobe.com/exif/1.0/'
_GAIN_MAPS = (
  b'http://ns.adobe.com/hdr-gain-map/1.0/',
  b'http://ns.google.com/photos/1.0/container/',
)
# Prefixes that some packets use without a declaration.
_USUAL = {
  _TIFF: [b'tiff'],
  _EXIF: [b'exif'],
  _GAIN_MAPS[0]: [b'hdrgm'],
  _GAIN_MAPS[1]: [b'Container', b'GContainer'],
}
_SIZES = {
  (_TIFF, b'ImageWidth'): 0,
  (_EXIF, b'PixelXDimension'): 0,
  (_TIFF, b'ImageLength'): 1,
  (_EXIF, b'PixelYDimension'): 1,
}


def upright(packet: bytes, width: int, height: int, turned: bool) -> bytes:
  """The packet for a picture that was rotated upright or resized.

  Args:
    packet: that of the source.
    width: of the result, px.
    height: of the result, px.
    turned: whether an orientation was applied, even if it was 1.
  """
  if turned:
    packet = _set(packet, _TIFF, b'Orientation', 1)
  for (space, name), side in _SIZES.items():
    packet = _set(packet, space, name, (width, height)[side])
  return packet


def tells_of_gain_map(packet: bytes) -> bool:
  """Whether a packet mentions a gain map, a second picture for HDR."""
  return any(name in packet for name in _GAIN_MAPS)


def without_gain_map(packet: bytes) -> bytes:
  """The packet without its entries on a gain map."""
  for space in _GAIN_MAPS:
    for name in _prefixes(packet, space):
      packet = re.sub(
        rb'\s' + name + rb':\w+\s*=\s*("[^"]*"|\'[^\']*\')', b'', packet
      )
      packet = re.sub(
        rb'<' + name + rb':(\w+)\b[^>]*?(/>|(?<!/)>.*?</' + name + rb':\1\s*>)',
        b'',
        packet,
        flags=re.DOTALL,
      )
  return packet


def with_event(packet: bytes, event: Mapping[str, str]) -> bytes:
  """A packet with one more event at the end of its history.

  Everything else in it is unchanged, byte for byte.

  Args:
    packet: UTF-8; b'' = there is none, and a new one is made.
    event: fields of a ResourceEvent, such as {'action': 'edited'}.

  Raises:
    ValueError: the packet cannot be read.
  """
  packet = packet.rstrip(b'\0') or _EMPTY
  fields = ''.join(
    f'<stEvt:{name}>{saxutils.escape(_TEXT.sub(" ", text))}</stEvt:{name}>'
    for name, text in event.items()
  )
  item = (
    f'<rdf:li xmlns:rdf="{_RDF}" xmlns:stEvt="{_EVENT}" '
    f'rdf:parseType="Resource">{fields}</rdf:li>'
  )
  ends = _ends(packet)
  if ends.history is not None:
    place = ends.history
  else:
    place = ends.rdf
    item = (
      f'<rdf:Description xmlns:rdf="{_RDF}" xmlns:xmpMM="{_MM}" '
      f'rdf:about={saxutils.quoteattr(ends.about)}><xmpMM:History><rdf:Seq>'
      f'{item}</rdf:Seq></xmpMM:History></rdf:Description>'
    )
  changed = _insert(packet, place, item.encode())
  _ends(changed)  # it can still be read
  return changed


_RDF = 'http://www.w3.org/1999/02/22-rdf-syntax-ns#'
_MM = 'http://ns.adobe.com/xap/1.0/mm/'
_EVENT = 'http://ns.adobe.com/xap/1.0/sType/ResourceEvent#'
_EMPTY = (
  '<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?>'
  '<x:xmpmeta xmlns:x="adobe:ns:meta/">'
  f'<rdf:RDF xmlns:rdf="{_RDF}"></rdf:RDF></x:xmpmeta>'
  '<?xpacket end="w"?>'
).encode()
# What XML has no place for.
_TEXT = re.compile('[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]')


class _Ends(NamedTuple):
  rdf: int  # where what is within rdf:RDF ends
  history: int | None  # the same of the sequence of xmpMM:History
  about: str  # what the descriptions are about


def _ends(packet):
  """The offsets in a packet where something can be added."""
  parser = expat.ParserCreate('UTF-8', namespace_separator=' ')
  open_tags: list[list] = []  # name, where its tag begins, whether it is empty
  found: dict = {}

  def start(name, attributes):
    fill('')
    open_tags.append([name, parser.CurrentByteIndex, True])
    if name == f'{_RDF} Description' and 'about' not in found:
      found['about'] = attributes.get(f'{_RDF} about', '')

  def fill(unused):
    del unused
    if open_tags:
      open_tags[-1][2] = False

  def end(name):
    _, begin, empty = open_tags.pop()
    place = parser.CurrentByteIndex
    if empty and packet[begin:place].endswith(b'/>'):  # <tag/>
      place -= 2
    if name == f'{_RDF} RDF':
      found.setdefault('rdf', place)
    within = open_tags[-1][0] if open_tags else ''
    if name == f'{_RDF} Seq' and within == f'{_MM} History':
      found.setdefault('history', place)

  def refuse(*unused):
    raise ValueError('XMP with a document type')

  parser.StartElementHandler, parser.EndElementHandler = start, end
  parser.CharacterDataHandler = fill
  parser.StartDoctypeDeclHandler = refuse
  try:
    parser.Parse(packet, True)
  except expat.ExpatError as error:
    raise ValueError(f'XMP that is no XML: {error}') from error
  if 'rdf' not in found:
    raise ValueError('XMP without rdf:RDF')
  return _Ends(found['rdf'], found.get('history'), found.get('about', ''))


def _insert(packet, place, item):
  """The packet with `item` at a place of `_ends`."""
  before, after = packet[:place], packet[place:]
  if after.startswith(b'/>'):
    name = re.match(rb'<([^\s/>]+)', before[before.rindex(b'<') :])[1]
    after = b'</' + name + b'>' + after[2:]
    item = b'>' + item
  return before + item + after


def _set(packet, space, name, number):
  """Sets an integer of a namespace, whatever prefix stands for that."""
  set_ = lambda found: found[1] + b'%d' % number
  for prefix in _prefixes(packet, space):
    full = prefix + b':' + name
    packet = re.sub(
      rb'(\b' + full + rb'\s*=\s*["\'])\s*\d+\s*(?=["\'])', set_, packet
    )
    packet = re.sub(rb'(<' + full + rb'\s*>)\s*\d+\s*(?=</)', set_, packet)
  return packet


def _prefixes(packet, space):
  """The prefixes that stand for a namespace, escaped for an expression."""
  found = re.findall(
    rb'xmlns:([\w.-]+)\s*=\s*["\']' + re.escape(space) + rb'["\']', packet
  )
  return [re.escape(prefix) for prefix in {*found, *_USUAL[space]}]
