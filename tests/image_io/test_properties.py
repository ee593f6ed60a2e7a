"""Whatever the file: pixels, size, depth, profile and metadata come back.

`make property DRAWS=20000` draws more files, and others each time.
"""

import io
import os
import pathlib
import struct
import tempfile
import zlib

import hypothesis
from hypothesis import strategies as st
import numpy as np
import pyvips

from artjax.image_io import jpeg_blocks
from artjax.image_io import metadata
from artjax.image_io import reader
from artjax.image_io import vips
from artjax.image_io.containers import avif
from artjax.image_io.containers import jpeg
from artjax.image_io.containers import photoshop
from artjax.image_io.containers import png
from artjax.image_io.containers import tiff
from artjax.image_io.containers import webp
from artjax.image_io.containers import xmp

# One to four bytes of UTF-8 each, and all that XML writes in another way. (A
# strategy of all characters takes seconds to build.)
TEXT = st.text(
  st.sampled_from('aZ 9.,-_=;:/\\#%&<>"\'éßñ§Ωж\u0301\u00a0אع漢字ग़€🎨𝔸'),
  min_size=1,
  max_size=9,
)
P3 = (
  pyvips.Image.black(1, 1, bands=3)
  .copy(interpretation='srgb')
  .icc_transform('p3', input_profile='srgb')
  .get('icc-profile-data')
)
# How much re-encoding may change a level, by format.
BOUND = {'.jpg': 24, '.webp': 0, '.avif': 40, '.png': 0, '.tif': 0}
BANDS = {  # channels that a format has: grey, RGB, with alpha; CMYK
  '.jpg': (1, 3, 'cmyk'),
  '.png': (1, 2, 3, 4),
  '.tif': (1, 2, 3, 4, 'cmyk'),
  '.webp': (3, 4),
  '.avif': (3, 4),
}
EVENT = {'action': 'edited', 'parameters': '{"a": "<b> & \u00fc"}'}
DRAWS = os.environ.get('ARTJAX_DRAWS', '')


@st.composite
def files(draw):
  """Format, depth, channels, orientation, profile and all kinds of metadata."""
  suffix = draw(st.sampled_from([*BANDS]))
  deep = draw(st.booleans()) if suffix in ('.png', '.tif') else False
  bands = draw(st.sampled_from(BANDS[suffix]))
  cmyk = bands == 'cmyk'
  bands = 4 if cmyk else bands
  exif = draw(
    st.none()
    | st.dictionaries(
      st.sampled_from([270, 271, 305, 315, 33432]), TEXT, max_size=3
    )
  )
  return {
    'suffix': suffix,
    'depth': 16 if deep else 8,
    'bands': bands,
    'cmyk': cmyk,
    # AVIF turns by properties of its own, which libvips does not write.
    'orientation': suffix != '.avif' and draw(st.none() | st.integers(0, 9)),
    'profile': bands > 2 and not cmyk and draw(st.booleans()),
    'exif': exif,
    'order': draw(st.sampled_from('<>')),
    'xmp': draw(st.none() | TEXT | TEXT.map(packet)),
    'iptc': draw(TEXT) if suffix in IPTC and draw(st.booleans()) else None,
    'comment': draw(TEXT) if suffix == '.jpg' and draw(st.booleans()) else None,
    'event': draw(st.booleans()),
    'text': draw(TEXT) if suffix == '.png' and draw(st.booleans()) else None,
    'width': draw(st.integers(1, 40)),
    'height': draw(st.integers(1, 40)),
  }


IPTC = ('.jpg', '.tif')


def packet(text):
  """One that can be read, and so be given a history."""
  return xmp.with_event(b'', {'action': text}).decode()


def records(made):
  """IPTC with a caption, padded as resources of Photoshop want it."""
  text = (made['iptc'] or '').encode()
  data = b'\x1c\2\x78' + struct.pack('>H', len(text)) + text
  return data + bytes(len(data) % 2) if text else b''


def exif_block(made):
  order, tags = made['order'], {}
  for tag, text in (made['exif'] or {}).items():
    data = text.encode() + b'\0'
    tags[tag] = tiff.Value(2, len(data), data)
  if made['orientation'] not in (None, False):
    tags[274] = tiff.shorts(order, [made['orientation']])
  return tiff.Directory(order, tags, {})


def write(path, made):
  """Writes the file."""
  full, dtype = (65535, np.uint16) if made['depth'] == 16 else (255, np.uint8)
  y, x = np.mgrid[: made['height'], : made['width']] / 40
  phase = np.arange(made['bands'])
  levels = 0.5 + 0.4 * np.sin(3 * x[..., None] + 2 * y[..., None] + phase)
  values = np.rint(levels * full).astype(dtype)
  if made['bands'] in (2, 4) and not made['cmyk']:
    values[..., -1] = full - values[..., -1] // 4
  space = ('b-w', 'grey16') if made['bands'] < 3 else ('srgb', 'rgb16')
  image = vips.image(values).copy(
    interpretation='cmyk' if made['cmyk'] else space[made['depth'] == 16]
  )
  if made['profile']:
    image.set_type(pyvips.GValue.blob_type, 'icc-profile-data', P3)
  plain, block = f'{path}.plain', exif_block(made)
  suffix, packet = made['suffix'], (made['xmp'] or '').encode()
  exif = tiff.block(block) if block.tags else b''
  more = {'.webp': {'lossless': True, 'exact': True}, '.jpg': {'Q': 95}}
  if suffix == '.avif':
    described = metadata.Metadata('HEIF', exif=exif, xmp=packet)
    image = metadata.attach_blocks(image, described)
    image.heifsave(path, keep='icc,exif,xmp', compression='av1', effort=0)
    if exif:
      avif.set_exif(path, exif)
    return
  getattr(
    image,
    {
      '.jpg': 'jpegsave',
      '.png': 'pngsave',
      '.tif': 'tiffsave',
      '.webp': 'webpsave',
    }[suffix],
  )(plain, keep='icc', **more.get(suffix, {}))
  if suffix == '.jpg':
    add = [(b'Exif\0\0', exif), (metadata.XMP, packet)]
    segments = [jpeg.Segment(jpeg.APP1, a + b) for a, b in add if b]
    if made['iptc']:
      resources = photoshop.pack([(photoshop.IPTC, b'', records(made))])
      segment = jpeg.Segment(jpeg.APP13, metadata.RESOURCES + resources)
      segments.append(segment)
    if made['comment']:
      segments.append(jpeg.Segment(jpeg.COM, made['comment'].encode()))
    jpeg.rewrite(plain, path, lambda s: True, segments)
  elif suffix == '.png':
    chunks = [png.Chunk(b'eXIf', exif)] if exif else []
    if packet:
      chunks.append(png.text_chunk('XML:com.adobe.xmp', packet))
    if made['text']:
      chunks.append(png.text_chunk('Title', made['text'].encode()))
    png.rewrite(plain, path, lambda c: True, chunks)
  elif suffix == '.webp':
    found = {webp.EXIF: exif, webp.XMP: packet}
    webp.rewrite(plain, path, {n: d for n, d in found.items() if d})
  else:
    if packet:
      block.tags[tiff.XMP] = tiff.Value(1, len(packet), packet)
    if made['iptc']:
      data = records(made)
      block.tags[tiff.IPTC] = tiff.Value(7, len(data), data)
    tiff.update(plain, block)
    pathlib.Path(plain).rename(path)


def said(path, kind):
  """What a file says, for comparison."""
  found = metadata.read(path, kind, pyvips.Image.new_from_file(path))
  assert found.lost == []
  block = found.tags or tiff.Directory('<', {}, {})
  if found.exif:
    block = tiff.read(io.BytesIO(found.exif))
  tags = {t: v for t, v in block.turned('<').tags.items() if t != 274}
  turned = tiff.ORIENTATION in block.tags
  iptc = found.iptc or photoshop.iptc(found.resources)
  return found.xmp, tags, turned, iptc, found.native, found.has_resolution


def bound(made):
  """How much a level may have changed."""
  upright = made['orientation'] in (None, False, 0, 1, 9)
  if made['suffix'] == '.jpg' and upright and not made['cmyk']:
    if jpeg_blocks.available():
      return 0
  return BOUND[made['suffix']]


def check(folder, made):
  source, target = (f'{folder}/{n}{made["suffix"]}' for n in 'ab')
  write(source, made)
  with reader.open_picture(source) as picture:
    rgb = picture.read(0, 0, picture.height, picture.width)
    event = EVENT if made['event'] else None
    with picture.writer(target, event=event) as writer:
      writer.write(picture.merge(0, rgb, strength=0.0)[0])
    kind, notices = picture.kind, picture.notices
  if made['cmyk']:
    assert notices.pop(0) == 'CMYK without a profile: read as SWOP'
  before = pyvips.Image.new_from_file(source).autorot()
  after = pyvips.Image.new_from_file(target)
  assert (after.width, after.height) == (before.width, before.height)
  assert (after.format, after.bands) == (before.format, before.bands)
  assert (after - before).abs().max() <= bound(made)
  assert vips.field(after, 'icc-profile-data', b'') == (
    P3 if made['profile'] else b''
  )
  (before_xmp, *wanted), (after_xmp, *have) = (
    said(path, kind) for path in (source, target)
  )
  assert have == wanted
  if made['event'] and (not before_xmp or before_xmp.startswith(b'<?xpacket')):
    assert after_xmp == xmp.with_event(before_xmp, EVENT)
    assert notices == []
  else:  # there is none, or what is there cannot be read
    assert after_xmp == before_xmp
    assert notices == [
      'the result does not hold: the history of this restoration'
    ] * bool(made['event'])
  assert vips.field(after, 'orientation', 1) == 1


@hypothesis.settings(
  max_examples=int(DRAWS or 500),
  deadline=None,
  derandomize=not DRAWS,
  database=None,
  suppress_health_check=list(hypothesis.HealthCheck),
)
@hypothesis.given(files())
def test_what_goes_in_comes_out(made):
  pyvips.cache_set_max(0)
  with tempfile.TemporaryDirectory() as folder:
    check(folder, made)


def chunked(kind, data):
  crc = zlib.crc32(kind + data)
  return struct.pack('>I', len(data)) + kind + data + struct.pack('>I', crc)


def test_samples_of_png_are_described_as_long_as_they_are_true(tmp_path):
  image = vips.image(np.full([9, 9, 3], 99, np.uint8))
  image.copy(interpretation='srgb').pngsave(str(tmp_path / 'plain.png'))
  data = (tmp_path / 'plain.png').read_bytes()
  more = chunked(b'sBIT', b'\5\6\5') + chunked(b'bKGD', bytes(6))
  (tmp_path / 'a.png').write_bytes(data[:33] + more + data[33:])
  with reader.open_picture(tmp_path / 'a.png') as picture:
    with picture.writer(tmp_path / 'b.png') as writer:
      writer.write(picture.merge(0, picture.read(0, 0, 9, 9))[0])
    assert picture.notices == []
  found = {c.type: c.data for c in png.read(str(tmp_path / 'b.png'))}
  assert found[b'sBIT'] == b'\5\6\5' and found[b'bKGD'] == bytes(6)
  # A palette is not written as one.
  image.copy(interpretation='srgb').pngsave(
    str(tmp_path / 'plain.png'), palette=True
  )
  data = (tmp_path / 'plain.png').read_bytes()
  (tmp_path / 'a.png').write_bytes(data[:33] + more + data[33:])
  with reader.open_picture(tmp_path / 'a.png') as picture:
    with picture.writer(tmp_path / 'b.png') as writer:
      writer.write(picture.merge(0, picture.read(0, 0, 9, 9))[0])
    assert picture.notices == [
      'the result does not hold: PNG chunk sBIT, PNG chunk bKGD'
    ]


def test_chunks_that_would_break_the_result_stay_behind(tmp_path):
  image = vips.image(np.full([9, 9, 3], 99, np.uint8))
  image.copy(interpretation='srgb').pngsave(str(tmp_path / 'plain.png'))
  data = (tmp_path / 'plain.png').read_bytes()
  more = chunked(b'abCD', b'of the pixels') + chunked(b'abCd', b'kept')
  (tmp_path / 'a.png').write_bytes(data[:33] + more + data[33:])
  with reader.open_picture(tmp_path / 'a.png') as picture:
    with picture.writer(tmp_path / 'b.png') as writer:
      writer.write(picture.merge(0, picture.read(0, 0, 9, 9))[0])
    assert picture.notices == ["the result does not hold: PNG chunk 'abCD'"]
  types = [chunk.type for chunk in png.read(str(tmp_path / 'b.png'))]
  assert b'abCd' in types and b'abCD' not in types
