"""What was not restored of a JPEG stays as it was, bit for bit."""

import numpy as np
from PIL import Image
import pytest
import pyvips
from skimage import data

from artjax.image_io import jpeg_blocks
from artjax.image_io import reader

pytestmark = pytest.mark.skipif(
  not jpeg_blocks.available(), reason="needs jpeglib: pip install '.[formats]'"
)
HOLE = (slice(40, 60), slice(70, 81))


def photograph(grey=False):
  picture = Image.fromarray(data.astronaut()[:131, :150])
  return picture.convert('L') if grey else picture


def through(source, target, change=lambda rgb: rgb, strength=1.0, **options):
  """(pixels before, after, the share of blocks that was kept)."""
  with reader.open_picture(source) as picture:
    rgb = picture.read(0, 0, picture.height, picture.width)
    with picture.writer(target, **options) as rows:
      rows.write(picture.merge(0, change(rgb), strength=strength)[0])
  before, after = (
    pyvips.Image.new_from_file(str(path), revalidate=True).numpy()
    for path in (source, target)
  )
  return before, after, rows.kept_blocks


def filled(rgb):
  rgb[HOLE] = 0.2
  return rgb


@pytest.mark.parametrize(
  'options',
  [
    {'quality': 75},
    {'quality': 92, 'subsampling': 1},
    {'quality': 85, 'subsampling': 0, 'progressive': True},
    {'quality': 85, 'grey': True},
    {'quality': 85, 'restart_marker_blocks': 3},
  ],
  ids=str,
)
def test_pixels_outside_of_changed_blocks_stay(tmp_path, options):
  source, target = tmp_path / 'a.jpg', tmp_path / 'b.jpg'
  options = dict(options)
  photograph(options.pop('grey', False)).save(source, **options)
  before, after, kept = through(source, target, strength=0.0)
  np.testing.assert_array_equal(after, before)
  assert kept == 1
  before, after, kept = through(source, target, filled)
  assert 0.8 < kept < 1
  changed = (before != after).reshape(*before.shape[:2], -1).any(-1)
  assert changed[HOLE].mean() > 0.9
  # Blocks of 16 px, and a pixel beyond them into which colour is smoothed.
  changed[31:65, 63:97] = False
  assert not changed.any()
  with Image.open(target) as result:
    assert not result.getexif()  # nothing is invented


def test_profile_and_names_of_bytes(tmp_path):
  source = str(tmp_path / 'a\udcff.jpg')
  target = str(tmp_path / 'b\udcff.jpg')
  icc = pyvips.Image.profile_load('p3')
  photograph().save(tmp_path / 'a.jpg', quality=80, icc_profile=icc)
  (tmp_path / 'a.jpg').rename(source)
  with reader.open_picture(source) as picture:
    rgb = picture.read(0, 0, picture.height, picture.width)
    with picture.writer(target) as rows:
      rows.write(picture.merge(0, rgb, strength=0.0)[0])
  assert rows.kept_blocks == 1
  with open(target, 'rb') as file, Image.open(file) as after:
    assert after.info['icc_profile'] == icc


@pytest.mark.parametrize('case', ['turned', 'enlarged', 'cmyk', 'coarse'])
def test_blocks_that_do_not_fit_are_encoded_anew(tmp_path, case):
  source, target = tmp_path / 'a.jpg', tmp_path / 'b.jpg'
  exif = Image.Exif()
  exif[274] = 3 if case == 'turned' else 1
  picture = photograph()
  if case == 'cmyk':
    picture = picture.convert('CMYK')
  picture.save(source, quality=70, exif=exif)
  scale = 2 if case == 'enlarged' else 1
  with reader.open_picture(source) as picture:
    rgb = picture.read(0, 0, picture.height, picture.width)
    rgb = rgb.repeat(scale, 0).repeat(scale, 1)
    options = {'mostly_unchanged': case != 'coarse', 'scale': scale}
    with picture.writer(target, **options) as rows:
      rows.write(picture.merge(0, rgb, scale)[0])
  assert rows.kept_blocks is None
  with reader.open_picture(target) as result:
    assert result.height == 131 * scale


def test_other_tables_keep_nothing(tmp_path):
  source, target = tmp_path / 'a.jpg', tmp_path / 'b.jpg'
  photograph().save(source, quality=70)
  photograph().save(target, quality=90)
  before = target.read_bytes()
  image = pyvips.Image.new_from_file(str(source))
  assert jpeg_blocks.keep(str(target), str(source), image, image) is None
  source.write_bytes(source.read_bytes()[:300])  # ends within its tables
  assert jpeg_blocks.keep(str(target), str(source), image, image) is None
  assert target.read_bytes() == before
