"""Whatever the file: pixels, size, depth, profile and metadata come back."""

import io
import pathlib
import struct
import tempfile
import zlib

import hypothesis
from hypothesis import strategies as st
import numpy as np
import pyvips

from artjax.image_io import metadata
from artjax.image_io import reader
from artjax.image_io import vips
from artjax.image_io.containers import jpeg
from artjax.image_io.containers import png
from artjax.image_io.containers import tiff
from artjax.image_io.containers import webp

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
BOUND = {'.jpg': 24, '.webp': 40, '.avif': 40, '.png': 0, '.tif': 0}


@st.composite
def files(draw):
  """(suffix, depth, channels, orientation, profile, EXIF tags, XMP, texts)."""
  suffix = draw(st.sampled_from(['.jpg', '.png', '.tif', '.webp']))
  deep = draw(st.booleans()) if suffix in ('.png', '.tif') else False
  bands = draw(st.sampled_from((1, 3) if suffix == '.jpg' else (1, 2, 3, 4)))
  if suffix == '.webp':
    bands = max(3, bands)  # it has no grey
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
    'orientation': draw(st.none() | st.integers(0, 9)),
    'profile': bands > 2 and draw(st.booleans()),
    'exif': exif,
    'order': draw(st.sampled_from('<>')),
    'xmp': draw(st.none() | TEXT),
    'text': draw(TEXT) if suffix == '.png' and draw(st.booleans()) else None,
    'width': draw(st.integers(1, 40)),
    'height': draw(st.integers(1, 40)),
  }


def exif_block(made):
  order, tags = made['order'], {}
  for tag, text in (made['exif'] or {}).items():
    data = text.encode() + b'\0'
    tags[tag] = tiff.Value(2, len(data), data)
  if made['orientation'] is not None:
    tags[274] = tiff.shorts(order, [made['orientation']])
  return tiff.Directory(order, tags, {})


def write(path, made):
  """The file; its values as they are stored."""
  full, dtype = (65535, np.uint16) if made['depth'] == 16 else (255, np.uint8)
  y, x = np.mgrid[: made['height'], : made['width']] / 40
  phase = np.arange(made['bands'])
  levels = 0.5 + 0.4 * np.sin(3 * x[..., None] + 2 * y[..., None] + phase)
  values = np.rint(levels * full).astype(dtype)
  if made['bands'] in (2, 4):
    values[..., -1] = full - values[..., -1] // 4
  space = ('b-w', 'grey16') if made['bands'] < 3 else ('srgb', 'rgb16')
  image = vips.image(values).copy(interpretation=space[made['depth'] == 16])
  if made['profile']:
    image.set_type(pyvips.GValue.blob_type, 'icc-profile-data', P3)
  plain, block = f'{path}.plain', exif_block(made)
  suffix, packet = made['suffix'], (made['xmp'] or '').encode()
  more = {'lossless': True, 'exact': True} if suffix == '.webp' else {}
  getattr(
    image,
    {
      '.jpg': 'jpegsave',
      '.png': 'pngsave',
      '.tif': 'tiffsave',
      '.webp': 'webpsave',
    }[suffix],
  )(plain, keep='icc', **({'Q': 95} if suffix == '.jpg' else more))
  exif = tiff.block(block) if block.tags else b''
  if suffix == '.jpg':
    add = [(b'Exif\0\0', exif), (metadata.XMP, packet)]
    segments = [jpeg.Segment(jpeg.APP1, a + b) for a, b in add if b]
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
    tiff.update(plain, block)
    pathlib.Path(plain).rename(path)
  return values


def said(path, kind):
  """What a file says, for comparison."""
  found = metadata.read(path, kind, pyvips.Image.new_from_file(path))
  assert found.lost == []
  block = found.tags or tiff.Directory('<', {}, {})
  if found.exif:
    block = tiff.read(io.BytesIO(found.exif))
  tags = {t: v for t, v in block.turned('<').tags.items() if t != 274}
  turned = tiff.ORIENTATION in block.tags
  return tags, turned, found.xmp, found.native, found.has_resolution


def check(folder, made):
  source, target = (f'{folder}/{n}{made["suffix"]}' for n in 'ab')
  write(source, made)
  with reader.open_picture(source) as picture:
    rgb = picture.read(0, 0, picture.height, picture.width)
    with picture.writer(target) as writer:
      writer.write(picture.merge(0, rgb, strength=0.0)[0])
    assert picture.notices == []
    kind = picture.kind
  before = pyvips.Image.new_from_file(source).autorot()
  after = pyvips.Image.new_from_file(target)
  assert (after.width, after.height) == (before.width, before.height)
  assert (after.format, after.bands) == (before.format, before.bands)
  bound = 0 if made['suffix'] == '.webp' else BOUND[made['suffix']]
  assert (after - before).abs().max() <= bound
  assert vips.field(after, 'icc-profile-data', b'') == (
    P3 if made['profile'] else b''
  )
  assert said(source, kind) == said(target, kind)
  assert vips.field(after, 'orientation', 1) == 1


@hypothesis.settings(
  max_examples=250,
  deadline=None,
  derandomize=True,
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
