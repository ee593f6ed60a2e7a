"""Files come back as they went in, but for what a network changed."""

import os
import zlib

import numpy as np
from picture_files import made
from picture_files import MODES
from picture_files import pixels
from picture_files import png_chunk
from picture_files import profile
from picture_files import read
from picture_files import restored
from picture_files import smooth
from picture_files import written
import pytest
import pyvips
import tifffile

from artjax.image_io import reader
from artjax.image_io import writer as image_writer


@pytest.mark.parametrize('depth', [8, 16])
@pytest.mark.parametrize('mode', MODES)
def test_what_is_not_changed_keeps_every_bit(tmp_path, mode, depth):
  source, target = tmp_path / 'in.tif', tmp_path / 'out.tif'
  values = written(source, mode, depth)
  restored(source, target)
  assert pixels(target).dtype == values.dtype
  np.testing.assert_array_equal(pixels(target), values)


@pytest.mark.parametrize('icc', [None, 'p3', 'srgb'])
@pytest.mark.parametrize(
  'mode, depth', [('grey', 8), ('rgb', 8), ('rgb', 16), ('cmyk', 16)]
)
def test_a_change_arrives(tmp_path, mode, depth, icc):
  source, target = tmp_path / 'in.tif', tmp_path / 'out.tif'
  written(source, mode, depth, icc and mode == 'rgb' and profile(icc))
  with reader.open_picture(source) as picture:
    before = picture.read(0, 0, 40, 56)
  restored(source, target, lambda rgb: rgb * 0.8 + 0.1)
  # Where sRGB can show the colours at all.
  mid = (before.min(-1) > 0.02) & (before.max(-1) < 0.98)
  assert mid.mean() > 0.2
  with reader.open_picture(target) as picture:
    after = picture.read(0, 0, 40, 56)
  wanted = before * 0.8 + 0.1
  # CMYK cannot show every colour.
  limit = 0.05 if mode == 'cmyk' else 0.012
  assert np.abs(after - wanted)[mid].mean() < limit
  assert np.abs(after - before)[mid].mean() > 0.03


def test_a_deep_ramp_keeps_its_levels_in_a_wide_gamut(tmp_path):
  source, target = tmp_path / 'in.tif', tmp_path / 'out.tif'
  ramp = np.arange(65536, dtype=np.uint16).reshape(256, 256, 1).repeat(3, 2)
  icc = profile('p3')
  made(ramp, icc).write_to_file(str(source))
  restored(source, target)
  np.testing.assert_array_equal(pixels(target), ramp)
  restored(source, target, lambda rgb: rgb + 0.02 * np.sin(6 * rgb))
  out = pixels(target)
  assert not np.array_equal(out, ramp)
  assert len(np.unique(out[..., 1])) >= 60_000
  assert read(target).get('icc-profile-data') == icc


def test_colours_beyond_srgb_survive(tmp_path):
  source, target = tmp_path / 'in.tif', tmp_path / 'out.tif'
  red = np.zeros([20, 20, 3], np.uint16)
  red[..., 0] = 65535  # of P3: no sRGB can show it
  made(red, profile('p3')).write_to_file(str(source))
  restored(source, target)
  np.testing.assert_array_equal(pixels(target), red)


@pytest.mark.parametrize('suffix', ['.jpg', '.png', '.tif', '.webp', '.avif'])
def test_metadata_stays_or_is_stripped(tmp_path, suffix):
  source, target = tmp_path / f'in{suffix}', tmp_path / f'out{suffix}'
  icc = profile('p3')
  inches = 300 / 25.4
  image = made(smooth(40, 56, 3, 8), icc).copy(xres=inches, yres=inches)
  image.set_type(
    pyvips.GValue.gstr_type,
    'exif-ifd0-Artist',
    'A. N. Other (A. N. Other, ASCII, 12 components, 12 bytes)',
  )
  image.set_type(pyvips.GValue.blob_type, 'xmp-data', b'<x:xmpmeta/>')
  image.write_to_file(str(source))
  restored(source, target)
  before, after = read(source), read(target)
  assert after.get('icc-profile-data') == icc
  if suffix != '.tif':  # tests/test_tiff_tags.py
    assert 'A. N. Other' in after.get('exif-ifd0-Artist')
  assert after.get('xmp-data') == before.get('xmp-data')
  assert after.xres == pytest.approx(before.xres, rel=1e-3)
  same = {name for name in before.get_fields() if name.startswith('exif-')}
  assert same == {n for n in after.get_fields() if n.startswith('exif-')}
  restored(source, target, strip_metadata=True)
  after = read(target)
  assert after.get('icc-profile-data') == icc  # or its colours would change
  assert 'exif-ifd0-Artist' not in after.get_fields()
  assert 'xmp-data' not in after.get_fields()


@pytest.mark.parametrize('orientation', range(1, 9))
def test_orientation_is_applied_once(tmp_path, orientation):
  source, target = tmp_path / 'in.tif', tmp_path / 'out.tif'
  values = smooth(40, 56, 3, 8)
  image = made(values)
  image.set_type(pyvips.GValue.gint_type, 'orientation', orientation)
  image.write_to_file(str(source))
  restored(source, target)
  upright = read(source).autorot()
  np.testing.assert_array_equal(pixels(target), upright.numpy())
  out = read(target)
  assert out.get('orientation') == 1
  assert (out.height, out.width) == ((56, 40) if orientation > 4 else (40, 56))


def test_transparent_borders_are_not_smeared(tmp_path):
  source, target = tmp_path / 'in.tif', tmp_path / 'out.tif'
  values = written(source, 'rgba')
  with reader.open_picture(source) as picture:
    seen = picture.read(0, 0, 40, 56)
    assert np.ptp(seen[:5], axis=(0, 1)).max() < 1e-6  # a flat tone
  restored(source, target, lambda rgb: np.clip(rgb + 0.2, 0, 1))
  out = pixels(target)
  np.testing.assert_array_equal(out[..., 3], values[..., 3])
  np.testing.assert_array_equal(out[:5], values[:5])
  assert (out[20:, :, :3].astype(int) - values[20:, :, :3]).mean() > 5


def test_grey_stays_grey(tmp_path):
  source, target = tmp_path / 'in.png', tmp_path / 'out.png'
  written(source, 'grey')
  restored(source, target, lambda rgb: rgb * np.float32([1, 0.9, 0.8]))
  assert pixels(target).shape[2] == 1


def test_larger_results_are_enlarged(tmp_path):
  source, target = tmp_path / 'in.tif', tmp_path / 'out.tif'
  written(source, 'rgba', 16)
  restored(
    source,
    target,
    scale=4,
    change=lambda rgb: np.repeat(np.repeat(rgb, 4, 0), 4, 1),
  )
  out = pixels(target)
  assert out.shape == (160, 224, 4) and out.dtype == np.uint16
  with reader.open_picture(source) as picture:
    assert picture.consistency(target, 4) > 30


def test_first_of_several_pages(tmp_path):
  pages = pyvips.Image.arrayjoin(
    [made(smooth(40, 56, 3, 8, seed)) for seed in range(3)], across=1
  )
  pages.set_type(pyvips.GValue.gint_type, 'page-height', 40)
  pages.write_to_file(str(tmp_path / 'in.tif'))
  notices = restored(tmp_path / 'in.tif', tmp_path / 'out.tif')
  assert notices == ['only the first of 3 pages (--pages=all restores each)']
  np.testing.assert_array_equal(
    pixels(tmp_path / 'out.tif'), smooth(40, 56, 3, 8, 0)
  )


@pytest.mark.parametrize(
  'icc',
  [b'no profile at all' * 20, 'cmyk', 'torn'],
  ids=['junk', 'other', 'torn'],
)
def test_a_profile_that_does_not_fit_is_left_out_and_said(tmp_path, icc):
  data = {
    'cmyk': lambda: profile('cmyk'),
    'torn': lambda: profile('p3')[:200],
  }.get(icc, lambda: icc)()
  source = tmp_path / 'in.png'
  made(smooth(40, 56, 3, 8)).write_to_file(str(source))
  png = source.read_bytes()  # libvips itself refuses to write such a profile
  source.write_bytes(
    png[:33] + png_chunk(b'iCCP', b'x\0\0' + zlib.compress(data)) + png[33:]
  )
  notices = restored(source, tmp_path / 'out.tif')
  assert len(notices) == 1 and 'profile does not fit' in notices[0]
  out = read(tmp_path / 'out.tif')
  assert 'icc-profile-data' not in out.get_fields()


def test_a_profile_of_another_kind_in_a_cmyk_file(tmp_path):
  source, target = tmp_path / 'in.tif', tmp_path / 'out.tif'
  values = smooth(40, 56, 4, 8)
  tifffile.imwrite(
    source, values, photometric='separated', iccprofile=profile('p3')
  )
  notices = restored(source, target)
  assert len(notices) == 1 and 'profile does not fit' in notices[0]
  assert 'icc-profile-data' not in read(target).get_fields()
  np.testing.assert_array_equal(pixels(target), values)


@pytest.mark.parametrize('height, width', [(1, 1), (1, 2000), (2000, 1)])
def test_thin_pictures_are_pictures(tmp_path, height, width):
  source, target = tmp_path / 'in.png', tmp_path / 'out.png'
  values = written(source, 'rgb', height=height, width=width)
  restored(source, target)
  np.testing.assert_array_equal(pixels(target), values)


def test_large_results_go_over_the_disk(tmp_path, monkeypatch):
  monkeypatch.setattr(image_writer, '_IN_MEMORY', 100)
  source, target = tmp_path / 'in.tif', tmp_path / 'out.tif'
  values = written(source, 'rgb', 16)
  restored(source, target)
  np.testing.assert_array_equal(pixels(target), values)
  assert sorted(os.listdir(tmp_path)) == ['in.tif', 'out.tif']


@pytest.mark.parametrize('mode', MODES)
@pytest.mark.parametrize('depth', [8, 16])
def test_to_rgb_takes_any_colour(tmp_path, mode, depth):
  source, target = tmp_path / 'in.tif', tmp_path / 'out.tif'
  values = written(source, mode, depth)
  green = np.float32([0.2, 0.7, 0.1])
  with reader.open_picture(source) as picture:
    before = picture.read(0, 0, 40, 56)
    picture.to_rgb()
    np.testing.assert_array_equal(picture.read(0, 0, 40, 56), before)
    with picture.writer(target) as writer:
      writer.write(picture.merge(0, np.broadcast_to(green, (40, 56, 3)))[0])
  out = pixels(target)
  assert out.dtype == values.dtype
  if mode.endswith('a'):
    np.testing.assert_array_equal(out[..., 3], values[..., -1])
  else:
    full = np.iinfo(out.dtype).max
    np.testing.assert_allclose(
      out / full, np.broadcast_to(green, out.shape), atol=0.6 / full
    )
  icc = read(target).get_fields().count('icc-profile-data')
  assert icc == (not mode.startswith('rgb'))


@pytest.mark.parametrize('mode', ['greya', 'rgba'])
@pytest.mark.parametrize('depth', [8, 16])
def test_to_rgb_on_paper(tmp_path, mode, depth):
  source, target = tmp_path / 'in.tif', tmp_path / 'out.tif'
  values = written(source, mode, depth).astype(np.float64)
  full = 255 if depth == 8 else 65535
  share = values[..., -1:] / full
  wanted = values[..., :-1] * share + full * (1 - share)
  with reader.open_picture(source) as picture:
    picture.to_rgb(paper=True)
    shown = picture.read(0, 0, 40, 56)
    with picture.writer(target) as writer:
      writer.write(picture.merge(0, shown)[0])
  out = pixels(target)
  assert out.shape == (40, 56, 3)
  np.testing.assert_allclose(out, np.broadcast_to(wanted, out.shape), atol=1)
