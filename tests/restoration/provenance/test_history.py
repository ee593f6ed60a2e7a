"""A result's XMP says what was done to it, whatever it said before."""

import datetime
import json
from xml.etree import ElementTree

import numpy as np
import pytest
import pyvips

from artjax.image_io import metadata
from artjax.image_io import vips
from artjax.image_io import writer
from artjax.image_io.containers import jpeg
from artjax.image_io.containers import xmp
from artjax.restoration import restore_file
from artjax.restoration.options import Options
from artjax.restoration.provenance import history

EVENT = '{http://ns.adobe.com/xap/1.0/sType/ResourceEvent#}'


def written(path, packet=b''):
  values = np.random.default_rng(0).integers(0, 256, [20, 30, 3], np.uint8)
  vips.image(values).copy(interpretation='srgb').write_to_file(str(path))
  if packet:  # into a JPEG
    segment = jpeg.Segment(jpeg.APP1, metadata.XMP + packet)
    path.write_bytes(jpeg.with_segment(path.read_bytes(), segment))


def restored(source, target, chain, **options):
  """The record, and the events of the result's history."""
  outputs = restore_file.Outputs(str(target))
  record = restore_file.restore_file(
    str(source), chain, outputs, Options(**options)
  )
  image = pyvips.Image.new_from_file(str(target), revalidate=True)
  packet = vips.field(image, 'xmp-data', b'')
  found = []
  for field in ElementTree.fromstring(packet).iter() if packet else ():
    if field.tag == f'{EVENT}action':
      found.append({})
    if field.tag.startswith(EVENT):
      found[-1][field.tag.removeprefix(EVENT)] = field.text
  return record, found


@pytest.mark.parametrize('suffix', ['.jpg', '.png', '.tif', '.webp', '.avif'])
def test_every_format_holds_it_and_is_stripped_of_it(
  tmp_path, suffix, small_chain
):
  source, target = tmp_path / f'a{suffix}', tmp_path / f'b{suffix}'
  written(source)
  record, events = restored(source, target, small_chain, strength=0.5)
  assert {*record['notices']} <= {writer.LOSSY} and len(events) == 1
  parameters = json.loads(events[0].pop('parameters'))
  assert events[0] == {
    'action': 'edited',
    'when': '2023-11-14T22:13:20+00:00',  # SOURCE_DATE_EPOCH of tests
    'softwareAgent': 'artjax 0.2.0',
  }
  assert parameters == {
    'weights': [
      {'name': 'small', 'params_sha256': record['weights'][0]['params_sha256']}
    ],
    'options': {'strength': 0.5},
  }
  # What is restored again has two events.
  _, events = restored(target, tmp_path / f'c{suffix}', small_chain)
  assert len(events) == 2
  assert json.loads(events[1]['parameters'])['options'] == {}
  _, events = restored(target, source, small_chain, strip_metadata=True)
  assert events == []


def test_equal_runs_make_equal_files(tmp_path, small_chain):
  written(tmp_path / 'a.png')
  for name in ('b', 'c'):
    restored(tmp_path / 'a.png', tmp_path / f'{name}.png', small_chain)
  assert (tmp_path / 'b.png').read_bytes() == (tmp_path / 'c.png').read_bytes()


def test_a_packet_that_leaves_no_room_is_worth_more(tmp_path, small_chain):
  full = xmp.with_event(b'', {'action': 'x' * 64_700})
  for packet in (full, b'<no packet'):
    written(tmp_path / 'a.jpg', packet)
    outputs = restore_file.Outputs(str(tmp_path / 'b.jpg'))
    record = restore_file.restore_file(
      str(tmp_path / 'a.jpg'), small_chain, outputs
    )
    assert record['notices'] == [
      'the result does not hold: the history of this restoration',
      writer.LOSSY,
    ]
    image = pyvips.Image.new_from_file(outputs.picture, revalidate=True)
    assert image.get('xmp-data') == packet


def test_masks_and_conjecture_are_named(small_chain, monkeypatch):
  monkeypatch.setattr(
    type(small_chain), 'conjecture', ['filled'], raising=False
  )
  options = Options(mask_threshold=0.7, kinds=('thin',))
  event = history.event(small_chain, options)
  parameters = json.loads(event['parameters'])
  assert parameters['options'] == {'threshold': 0.7, 'kinds': ['thin']}
  assert parameters['conjecture'] == ['filled']


def test_the_time_is_the_local_one(monkeypatch):
  monkeypatch.delenv('SOURCE_DATE_EPOCH')
  age = datetime.datetime.now(datetime.UTC) - history.now()
  assert abs(age) < datetime.timedelta(seconds=5)
  assert history.now().tzinfo is not None
