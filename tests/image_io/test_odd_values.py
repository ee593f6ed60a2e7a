"""Values that standards allow and programs trip over; what names give away."""

import struct

import numpy as np
import pytest
import pyvips

from artjax.image_io import formats
from artjax.image_io import reader
from artjax.image_io import vips
from artjax.image_io.containers import jpeg


def exif_without_denominators():
  """A TIFF structure: XResolution 0/0, and ExposureTime 1/0 in a folder."""
  first = struct.pack('<HHHIIHHIII', 2, 282, 5, 1, 56, 34665, 4, 1, 38, 0)
  folder = struct.pack('<HHHIII', 1, 33434, 5, 1, 64, 0)
  values = struct.pack('<IIII', 0, 0, 1, 0)
  return b'II*\0' + struct.pack('<I', 8) + first + folder + values


@pytest.mark.parametrize('suffix', ['.jpg', '.png', '.tif', '.webp', '.avif'])
def test_rationals_without_denominator(tmp_path, suffix):
  block = exif_without_denominators()
  data = pyvips.Image.black(32, 24, bands=3).jpegsave_buffer()
  segment = jpeg.Segment(jpeg.APP1, b'Exif\0\0' + block)
  source, result = tmp_path / 'a.jpg', tmp_path / f'b{suffix}'
  source.write_bytes(jpeg.with_segment(data, segment))
  with reader.open_picture(source) as picture:
    with picture.writer(result) as writer:
      writer.write(np.zeros([24, 32, 3], np.uint8))
    # TIFF has no place for what another format says in EXIF's own folder.
    assert not any('damaged' in notice for notice in picture.notices)
  written = result.read_bytes()
  assert struct.pack('<II', 1, 0) in written or suffix == '.avif'
  with reader.open_picture(result) as picture:
    assert (picture.width, picture.height) == (32, 24)


def test_what_the_name_of_a_result_loses_is_said(tmp_path):
  values = np.full([24, 32, 4], 40000, np.uint16)
  vips.image(values).copy(interpretation='rgb16').pngsave(
    str(tmp_path / 'a.png')
  )
  with reader.open_picture(tmp_path / 'a.png') as picture:
    with picture.writer(tmp_path / 'b.jpg') as writer:
      writer.write(values)
    lost = '16 bits a channel, transparency'
    assert f'the result does not hold: {lost}' in picture.notices


@pytest.mark.parametrize(
  'kind, suffix, result',
  [
    ('PNG', '.JPG', '.png'),
    ('JPEG', '.JPE', '.JPE'),
    ('TIFF', '.dng', '.tif'),
    ('HEIF', '.heic', '.avif'),
    (None, '.bmp', '.bmp'),
  ],
)
def test_results_are_named_by_what_sources_are(kind, suffix, result):
  assert formats.suffix_for(kind, suffix) == result
