"""Packets get a history, and keep everything else to the byte."""

from xml.etree import ElementTree

import pytest

from artjax.image_io.containers import xmp

RDF = '{http://www.w3.org/1999/02/22-rdf-syntax-ns#}'
EVENT = '{http://ns.adobe.com/xap/1.0/sType/ResourceEvent#}'
HISTORY = (
  f'.//{{http://ns.adobe.com/xap/1.0/mm/}}History/{RDF}Seq/{RDF}li'  # of a file
)
HEAD = (
  '<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/'
  '1999/02/22-rdf-syntax-ns#">'
)
TAIL = '</rdf:RDF></x:xmpmeta>'
DESCRIPTION = (
  '<rdf:Description rdf:about="" xmlns:mm="http://ns.adobe.com/xap/1.0/mm/" '
  'xmlns:e="http://ns.adobe.com/xap/1.0/sType/ResourceEvent#">'
)


def events(packet):
  return [
    {
      field.tag.removeprefix(EVENT): field.text
      for field in item.iter()
      if field.tag.startswith(EVENT)
    }
    for item in ElementTree.fromstring(packet).findall(HISTORY)
  ]


ONE = {'action': 'edited', 'parameters': 'a < b & "c" \x01\ud83c'}
SAID = ONE | {'parameters': 'a < b & "c"   '}


def test_a_packet_is_made_where_there_is_none():
  packet = xmp.with_event(b'', ONE)
  assert packet.startswith('<?xpacket begin="\ufeff"'.encode())
  assert events(packet) == [SAID]
  assert events(xmp.with_event(packet + b'\0', {'action': 'saved'})) == [
    SAID,
    {'action': 'saved'},
  ]


@pytest.mark.parametrize(
  'body, place, before',
  [
    (f'{DESCRIPTION}</rdf:Description>', TAIL, 0),
    (
      f'{DESCRIPTION}<mm:History><rdf:Seq><rdf:li rdf:parseType="Resource">'
      '<e:action>created</e:action></rdf:li></rdf:Seq></mm:History>'
      '</rdf:Description>',
      '</rdf:Seq>',
      1,
    ),
    # Another sequence is not the history.
    (
      f'{DESCRIPTION}<mm:Other><rdf:Seq/></mm:Other></rdf:Description>\n',
      TAIL,
      0,
    ),
  ],
)
def test_everything_else_stays_to_the_byte(body, place, before):
  packet = f'<?xpacket begin=""?>{HEAD}{body}{TAIL}  <?xpacket end="w"?>'
  packet = packet.replace('about=""', 'about="ü"').encode()
  changed = xmp.with_event(packet, ONE)
  assert len(events(changed)) == before + 1 and events(changed)[-1] == SAID
  at = packet.index(place.encode())
  assert changed.startswith(packet[:at]) and changed.endswith(packet[at:])
  if not before:
    assert 'rdf:about="ü"'.encode() in changed[at:]


@pytest.mark.parametrize(
  'body',
  [
    f'{DESCRIPTION}<mm:History><rdf:Seq /></mm:History></rdf:Description>',
    f'{DESCRIPTION}<mm:History><rdf:Seq></rdf:Seq></mm:History>'
    '</rdf:Description>',
  ],
)
def test_an_empty_history_is_filled(body):
  packet = f'{HEAD}{body}{TAIL}'.encode()
  assert events(xmp.with_event(packet, ONE)) == [SAID]
  # And so is what describes nothing at all.
  packet = f'{HEAD[:-1]}/></x:xmpmeta>'.encode()
  assert events(xmp.with_event(packet, ONE)) == [SAID]


@pytest.mark.parametrize(
  'packet',
  [
    b'no XML',
    b'<x:xmpmeta xmlns:x="adobe:ns:meta/"/>',
    f'{HEAD}{TAIL}'.encode('utf-16'),
    f'<!DOCTYPE a [<!ENTITY b "c">]>{HEAD}{TAIL}'.encode(),
    f'{HEAD}'.encode(),
  ],
)
def test_what_cannot_be_read_is_refused(packet):
  with pytest.raises(ValueError, match='XMP'):
    xmp.with_event(packet, ONE)


def described(content, *, element=False):
  """A packet on orientation and size, with a prefix of its own."""
  names = 'xmlns:t="http://ns.adobe.com/tiff/1.0/"'
  if element:
    body = f'<rdf:Description {names}>{content}</rdf:Description>'
  else:
    body = f'<rdf:Description {names} {content}/>'
  return f'{HEAD}{body}{TAIL}'.encode()


@pytest.mark.parametrize(
  'before, after, element',
  [
    ("t:Orientation='6'", "t:Orientation='1'", False),
    ('t:Orientation = "8"', 't:Orientation = "1"', False),
    ('<t:Orientation> 6 </t:Orientation>', '<t:Orientation>1</', True),
    ('t:ImageWidth="9"', 't:ImageWidth="30"', False),
    ('t:ImageLength="9"', 't:ImageLength="40"', False),
    ('not:Orientation="6"', 'not:Orientation="6"', False),
  ],
)
def test_a_namespace_may_have_any_prefix(before, after, element):
  packet = described(before, element=element)
  assert after.encode() in xmp.upright(packet, 30, 40, True)


def test_gain_maps_are_left_out_whatever_their_prefix():
  packet = (
    f'{HEAD}<rdf:Description xmlns:h="http://ns.adobe.com/hdr-gain-map/1.0/" '
    'xmlns:c="http://ns.google.com/photos/1.0/container/" '
    'h:Version=\'1.0\' kept="yes"><c:Item c:Length="3"/>'
    '<c:Directory><rdf:Seq><c:Item/></rdf:Seq></c:Directory><kept/>'
    f'</rdf:Description>{TAIL}'
  ).encode()
  changed = xmp.without_gain_map(packet)
  for gone in (b'h:Version', b'c:Item', b'c:Directory', b'Seq'):
    assert gone not in changed
  assert changed.count(b'kept') == 2
