"""What a file says about its picture is said of the result, tag by tag.

Sources are made with exiftool where it is installed (Debian's
libimage-exiftool-perl), and every tag of source and result is compared.
"""

import io
import json
import shutil
import struct
import subprocess
import zlib

import numpy as np
from PIL import Image
from PIL import PngImagePlugin
import pytest
import tifffile

from artjax.image_io import reader
from artjax.image_io.containers import jpeg
from artjax.image_io.containers import tiff
from artjax.image_io.containers import webp

VALUES = np.random.default_rng(0).integers(0, 256, (30, 40, 3), np.uint8)
EXIFTOOL = shutil.which('exiftool')
needs_exiftool = pytest.mark.skipif(
  not EXIFTOOL, reason='needs exiftool: apt-get install libimage-exiftool-perl'
)
# How pixels are stored, and where a file lies.
STRUCTURE = (
  *('SourceFile', 'System:', 'File:', 'Composite:', 'ExifTool:', 'ICC'),
  *('IFD0:Compression', 'IFD0:Predictor', 'IFD0:Strip', 'IFD0:RowsPerStrip'),
  *('IFD0:SampleFormat', 'RIFF:', 'PNG:Filter', 'PNG:Interlace'),
  *('JFIF:JFIFVersion', 'PNG:Image', 'PNG:ColorType', 'PNG:BitDepth'),
  *('IFD0:ImageWidth', 'IFD0:ImageHeight', 'Meta:', 'QuickTime:'),
)


def restored(source, target, change=lambda rgb: rgb, **options):
  """Through a file and back; the notices."""
  with reader.open_picture(source) as picture:
    rgb = change(picture.read(0, 0, picture.height, picture.width))
    with picture.writer(target, **options) as writer:
      writer.write(picture.merge(0, rgb)[0])
    return picture.notices


def tags(path):
  out = subprocess.run(
    [EXIFTOOL, '-j', '-G1', '-a', '-u', '-n', '-b', str(path)],
    check=True,
    capture_output=True,
  ).stdout
  found = json.loads(out)[0]
  return {k: v for k, v in found.items() if not k.startswith(STRUCTURE)}


def exiftool(path, *args):
  subprocess.run(
    [EXIFTOOL, '-q', '-overwrite_original', *args, str(path)], check=True
  )


def png_with(path, *chunks):
  """A PNG with chunks (type, data) after its header."""
  file = io.BytesIO()
  Image.fromarray(VALUES).save(file, 'png')
  data = b''.join(
    struct.pack('>I', len(d)) + t + d + struct.pack('>I', zlib.crc32(t + d))
    for t, d in chunks
  )
  path.write_bytes(file.getvalue()[:33] + data + file.getvalue()[33:])


@needs_exiftool
@pytest.mark.parametrize('suffix', ['.jpg', '.png', '.tif', '.webp'])
def test_every_tag_of_the_source_is_in_the_result(tmp_path, suffix):
  source, target = tmp_path / f'a{suffix}', tmp_path / f'b{suffix}'
  Image.fromarray(VALUES).save(source)
  exiftool(
    source,
    '-EXIF:Artist=Jiří Dvořák',
    '-EXIF:XPTitle=Träume',
    '-EXIF:Copyright=public domain',
    '-EXIF:ISO=400',
    '-EXIF:GPSLatitude=50.1',
    '-EXIF:GPSLatitudeRef=N',
    '-XMP:Title=Saint George',
    '-XMP:Orientation#=1',
    *(() if suffix == '.webp' else ('-IPTC:Keywords=icon', '-IPTC:By-line=D.')),
    *(('-PageName=Folio 3',) if suffix == '.tif' else ()),
    *(('-Comment=two\nlines',) if suffix in ('.jpg', '.png') else ()),
    *(('-PNG:Author=Ångström',) if suffix == '.png' else ()),
  )
  before = tags(source)
  assert len(before) >= 10
  assert restored(source, target) == []
  assert tags(target) == before  # nothing lost, nothing invented


@needs_exiftool
def test_a_plain_file_gets_no_tags(tmp_path):
  for suffix in ('.jpg', '.png', '.tif', '.webp'):
    source, target = tmp_path / f'a{suffix}', tmp_path / f'b{suffix}'
    Image.fromarray(VALUES).save(source)
    restored(source, target)
    assert tags(target) == tags(source), suffix


@needs_exiftool
@pytest.mark.parametrize('suffix', ['.jpg', '.png', '.webp', '.avif'])
def test_tags_go_into_other_formats(tmp_path, suffix):
  source, target = tmp_path / 'a.tif', tmp_path / f'b{suffix}'
  Image.fromarray(VALUES).save(source)
  exiftool(
    source,
    '-EXIF:Artist=Dvořák',
    '-XMP:Title=Icon',
    '-IPTC:Keywords=icon',
    '-PageName=Folio 3',
  )
  notices = restored(source, target)
  found = tags(target)
  assert found['IFD0:Artist'] == 'Dvořák' and found['XMP-dc:Title'] == 'Icon'
  holds_iptc = suffix in ('.jpg', '.png')
  assert (found.get('IPTC:Keywords') == 'icon') == holds_iptc
  [notice] = notices
  assert notice.startswith('the result does not hold: ')
  assert 'PageName' in notice
  assert ('IPTC' in notice) != holds_iptc


@pytest.mark.parametrize('suffix', ['.jpg', '.png', '.webp'])
@pytest.mark.parametrize('orientation', range(10))
def test_orientation_is_applied_once(tmp_path, suffix, orientation):
  source, target = tmp_path / f'a{suffix}', tmp_path / f'b{suffix}'
  exif = Image.Exif()
  exif[274], exif[315] = orientation, 'A. N. Other'
  exif.get_ifd(34665)[40962] = 40
  exif.get_ifd(34665)[40963] = 30
  packet = f'<x tiff:Orientation="{orientation}"/>'.encode()
  smooth = np.uint8(np.mgrid[:30, :40].sum(0))[..., None].repeat(3, -1)
  smooth[:9, :9, 0] = 200
  more = {'quality': 95, 'subsampling': 0} if suffix == '.jpg' else {}
  if suffix == '.webp':
    more = {'lossless': True}
  Image.fromarray(smooth).save(
    source, exif=exif, **({} if suffix == '.png' else {'xmp': packet}), **more
  )
  restored(source, target)
  with Image.open(source) as before, Image.open(target) as after:
    turn = {
      2: [Image.Transpose.FLIP_LEFT_RIGHT],
      3: [Image.Transpose.ROTATE_180],
      4: [Image.Transpose.FLIP_TOP_BOTTOM],
      5: [Image.Transpose.TRANSPOSE],
      6: [Image.Transpose.ROTATE_270],
      7: [Image.Transpose.TRANSVERSE],
      8: [Image.Transpose.ROTATE_90],
    }.get(orientation, [])
    upright = before.copy()
    for step in turn:
      upright = upright.transpose(step)
    found = after.getexif()
    assert found[274] == 1 and found[315] == 'A. N. Other'
    width, height = after.size
    assert dict(found.get_ifd(34665)) == {40962: width, 40963: height}
    wanted = np.asarray(upright, np.int16)
    assert np.abs(np.asarray(after, np.int16) - wanted).max() <= (
      16 if suffix == '.jpg' else 0
    )
    if suffix != '.png':
      assert after.info['xmp'] == b'<x tiff:Orientation="1"/>'
  # What comes out goes in again without being turned.
  again = tmp_path / f'c{suffix}'
  restored(target, again)
  with Image.open(target) as one, Image.open(again) as other:
    assert one.size == other.size


def test_the_thumbnail_is_dropped(tmp_path):
  thumbnail = io.BytesIO()
  Image.fromarray(VALUES[:8, :8]).save(thumbnail, 'jpeg')
  data = thumbnail.getvalue()
  # IFD0 with an orientation, then IFD1 with the thumbnail.
  block = b'II*\0' + struct.pack('<I', 8)
  block += struct.pack('<HHHII', 1, 274, 3, 1, 6) + struct.pack('<I', 26)
  block += struct.pack('<HHHIIHHII', 2, 513, 4, 1, 56, 514, 4, 1, len(data))
  block += bytes(4)
  block = block.ljust(56, b'\0') + data
  source, target = tmp_path / 'a.jpg', tmp_path / 'b.jpg'
  Image.fromarray(VALUES).save(source, exif=b'Exif\0\0' + block)
  assert tiff.orientation(block) == 6
  restored(source, target)
  text = target.read_bytes()
  assert data not in text
  [exif] = [s for s in jpeg.read(str(target)) if s.payload[:4] == b'Exif']
  assert tiff.orientation(exif.payload[6:]) == 1
  with Image.open(target) as after:
    assert after.size == (30, 40)
    assert not after.getexif().get_ifd(1)


def test_maker_notes_stay_where_they_point(tmp_path):
  note = b'MAKER' + bytes(range(60))
  exif = Image.Exif()
  exif[274] = 3
  exif.get_ifd(34665)[37500] = note
  source, target = tmp_path / 'a.jpg', tmp_path / 'b.jpg'
  Image.fromarray(VALUES).save(source, exif=exif)
  restored(source, target)
  assert source.read_bytes().find(note) == target.read_bytes().find(note) > 0


@needs_exiftool
def test_extended_xmp_of_jpeg_stays_whole(tmp_path):
  source, target = tmp_path / 'a.jpg', tmp_path / 'b.jpg'
  Image.fromarray(VALUES).save(source)
  long = 'words ' * 20_000
  (tmp_path / 'long.txt').write_text(long)
  exiftool(source, f'-XMP:UserComment<={tmp_path / "long.txt"}')
  assert any(
    s.payload.startswith(b'http://ns.adobe.com/xmp/extension/')
    for s in jpeg.read(str(source))
  )
  restored(source, target)
  assert tags(target) == tags(source)


def test_texts_of_png_are_kept_in_their_encoding(tmp_path):
  source, target = tmp_path / 'a.png', tmp_path / 'b.png'
  info = PngImagePlugin.PngInfo()
  info.add_itxt('Title', 'Träume 夢', 'de', 'Titel')
  info.add_text('Comment', 'plain', zip=True)
  Image.fromarray(VALUES).save(source, pnginfo=info)
  assert restored(source, target) == []
  with Image.open(source) as before, Image.open(target) as after:
    assert after.text == before.text
    assert after.text == {'Title': 'Träume 夢', 'Comment': 'plain'}
    assert after.text['Title'].lang == 'de'
  notices = restored(source, tmp_path / 'b.jpg')
  assert "text 'Title', text 'Comment'" in notices[0]


@pytest.mark.parametrize('suffix', ['.png', '.tif', '.jpg', '.webp'])
def test_stripped_results_say_nothing(tmp_path, suffix):
  source, target = tmp_path / f'a{suffix}', tmp_path / f'b{suffix}'
  exif = Image.Exif()
  exif[315] = 'A. N. Other'
  Image.fromarray(VALUES).save(source, exif=exif, dpi=(300, 300))
  restored(source, target, strip_metadata=True)
  assert b'A. N. Other' not in target.read_bytes()
  with Image.open(target) as after:
    assert 315 not in after.getexif()
    if suffix != '.webp':
      assert after.info['dpi'] == pytest.approx((300, 300), abs=0.1)


def test_damaged_exif_is_left_out_and_said(tmp_path):
  source, target = tmp_path / 'a.jpg', tmp_path / 'b.jpg'
  Image.fromarray(VALUES).save(source, exif=b'Exif\0\0II*\0\xff\xff\xff\x7f')
  notices = restored(source, target)
  assert notices == ['the result does not hold: damaged EXIF']
  assert b'Exif' not in target.read_bytes()


def test_layers_of_photoshop_are_named(tmp_path):
  source, target = tmp_path / 'a.tif', tmp_path / 'b.tif'
  tifffile.imwrite(source, VALUES, extratags=[(37724, 7, 9, b'x' * 9, True)])
  notices = restored(source, target)
  assert notices == ['the result does not hold: the layers of Photoshop']
  with tifffile.TiffFile(target) as found:
    assert 37724 not in found.pages[0].tags


def test_gain_maps_leave_no_trace_but_a_notice(tmp_path):
  packet = (
    b'<x:xmpmeta xmlns:hdrgm="http://ns.adobe.com/hdr-gain-map/1.0/" '
    b'hdrgm:Version="1.0" dc:title="kept"><Container:Directory><rdf:Seq/>'
    b'</Container:Directory></x:xmpmeta>'
  )
  source, target = tmp_path / 'a.jpg', tmp_path / 'b.jpg'
  Image.fromarray(VALUES).save(source, xmp=packet)
  notices = restored(source, target)
  assert notices == ['the result does not hold: the gain map (HDR)']
  with Image.open(target) as after:
    assert b'dc:title="kept"' in after.info['xmp']
    assert b'hdrgm:Version' not in after.info['xmp']
    assert b'Container' not in after.info['xmp']


def test_lossless_webp_stays_lossless(tmp_path):
  source, target = tmp_path / 'a.webp', tmp_path / 'b.webp'
  rgba = np.dstack([VALUES, VALUES[..., 0]])
  Image.fromarray(rgba).save(source, lossless=True, exact=True)
  restored(source, target)
  assert webp.is_lossless(str(target))
  with Image.open(target) as after:
    np.testing.assert_array_equal(np.asarray(after), rgba)


# Colour that is stated without a profile.


def srgb(light):
  low = light <= 0.0031308
  return np.where(low, 12.92 * light, 1.055 * light ** (1 / 2.4) - 0.055)


def test_gamma_of_png_is_used_and_kept(tmp_path):
  source, target = tmp_path / 'a.png', tmp_path / 'b.png'
  png_with(source, (b'gAMA', struct.pack('>I', 100_000)))
  with reader.open_picture(source) as picture:
    seen = picture.read(0, 0, 30, 40)
  np.testing.assert_allclose(seen, srgb(VALUES / 255), atol=2e-3)
  assert restored(source, target) == []
  with Image.open(target) as after:
    assert after.info['gamma'] == 1
    np.testing.assert_array_equal(np.asarray(after), VALUES)
  # Where there is no such chunk, a profile says it.
  notices = restored(source, tmp_path / 'b.tif')
  assert notices == ['its colours are written as an ICC profile']
  with reader.open_picture(tmp_path / 'b.tif') as picture:
    again = picture.read(0, 0, 30, 40)
  np.testing.assert_allclose(again, seen, atol=2e-3)
  # That of sRGB means sRGB.
  png_with(source, (b'gAMA', struct.pack('>I', 45455)))
  with reader.open_picture(source) as picture:
    np.testing.assert_array_equal(
      picture.read(0, 0, 30, 40), VALUES / np.float32(255)
    )


def test_primaries_of_png_are_those_of_the_profile(tmp_path):
  p3 = (0.3127, 0.329, 0.68, 0.32, 0.265, 0.69, 0.15, 0.06)
  data = struct.pack('>8I', *(round(1e5 * n) for n in p3))
  chrm, cicp = tmp_path / 'a.png', tmp_path / 'b.png'
  png_with(chrm, (b'gAMA', struct.pack('>I', 45455)), (b'cHRM', data))
  png_with(cicp, (b'cICP', bytes([12, 13, 0, 1])))
  seen = []
  for path in (chrm, cicp):
    with reader.open_picture(path) as picture:
      seen.append(picture.read(0, 0, 30, 40))
  saturated = VALUES[..., 0].astype(int) - VALUES[..., 1] > 150
  red = seen[1][saturated] - VALUES[saturated] / np.float32(255)
  assert red[:, 0].mean() > 0.01 and red[:, 1].mean() < -0.01
  # A gamma of 2.2 is not quite the curve of sRGB.
  np.testing.assert_allclose(seen[0], seen[1], atol=0.08)


@pytest.mark.parametrize('transfer, name', [(16, 'PQ'), (18, 'HLG')])
def test_hdr_is_said(tmp_path, transfer, name):
  source, target = tmp_path / 'a.png', tmp_path / 'b.png'
  png_with(source, (b'cICP', bytes([9, transfer, 0, 1])))
  [notice] = restored(source, target)
  assert 'HDR' in notice and name in notice
  assert bytes([9, transfer, 0, 1]) in target.read_bytes()
  with Image.open(target) as after:
    np.testing.assert_array_equal(np.asarray(after), VALUES)


@needs_exiftool
def test_nothing_is_invented_in_avif(tmp_path):
  source, target = tmp_path / 'a.avif', tmp_path / 'b.avif'
  exif = Image.Exif()
  exif[315], exif[33432] = 'A. N. Other', 'public domain'
  exif.get_ifd(34665)[34855] = 400
  Image.fromarray(VALUES).save(source, exif=exif, xmp=b'<x:xmpmeta/>')
  assert restored(source, target) == []
  before, after = tags(source), tags(target)
  assert before['IFD0:Artist'] == 'A. N. Other'
  assert after == before


@pytest.mark.parametrize('padding', [b'', bytes(99)], ids=['none', 'zeros'])
def test_what_follows_a_jpeg_is_named(tmp_path, padding):
  source, target = tmp_path / 'a.jpg', tmp_path / 'b.jpg'
  Image.fromarray(VALUES).save(source)
  data = source.read_bytes()
  source.write_bytes(data + padding)
  assert restored(source, target) == []
  source.write_bytes(data + padding + b'\0\0\0\x18ftypmp42')
  assert restored(source, target) == [
    'the result does not hold: what follows it in its file, such as a video'
  ]
  mark = b'urn:iso:std:iso:ts:21496:-1\0' + bytes(4)
  segment = b'\xff\xe2' + struct.pack('>H', len(mark) + 2) + mark
  source.write_bytes(data[:20] + segment + data[20:] + data)
  assert restored(source, target) == [
    'the result does not hold: the gain map (HDR)'
  ]
  assert mark not in target.read_bytes()
