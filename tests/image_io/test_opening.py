"""Of several pictures in a file the right one is opened, and what it holds."""

import io

import numpy as np
from picture_files import png_chunk
from PIL import Image
import pytest
import tifffile

from artjax.image_io import reader
from artjax.image_io import tiff_opening

FULL = np.random.default_rng(0).integers(0, 65536, (60, 80, 3), np.uint16)
SMALL = np.zeros([15, 20, 3], np.uint8)
LEFT_OUT = (
  'reduced copies (a pyramid or a thumbnail) are left out: '
  'the result is the full page alone'
)


def restored(source, target):
  with reader.open_picture(source) as picture:
    rgb = picture.read(0, 0, picture.height, picture.width)
    with picture.writer(target) as writer:
      writer.write(picture.merge(0, rgb)[0])
    return picture.notices


def test_the_full_page_and_not_its_preview(tmp_path):
  source, target = tmp_path / 'a.tif', tmp_path / 'b.tif'
  with tifffile.TiffWriter(source) as file:
    file.write(SMALL, photometric='rgb', subfiletype=1)
    file.write(FULL, photometric='rgb')
  assert restored(source, target) == [LEFT_OUT]
  np.testing.assert_array_equal(tifffile.imread(target), FULL)


def test_the_full_page_below_its_preview(tmp_path):
  source, target = tmp_path / 'a.dng', tmp_path / 'b.tif'
  with tifffile.TiffWriter(source) as file:
    file.write(
      SMALL,
      photometric='rgb',
      subfiletype=1,
      subifds=1,
      extratags=[(50706, 1, 4, b'\1\4\0\0', True)],
    )
    file.write(FULL, photometric='rgb')
  notices = restored(source, target)
  assert notices == [LEFT_OUT, 'the result does not hold: tags of DNG']
  np.testing.assert_array_equal(tifffile.imread(target), FULL)


@pytest.mark.parametrize('photometric', [32803, 34892])
def test_raw_data_are_refused(tmp_path, photometric):
  source = tmp_path / 'a.dng'
  with tifffile.TiffWriter(source) as file:
    file.write(SMALL, photometric='rgb', subfiletype=1, subifds=1)
    bayer = photometric == 32803
    file.write(FULL[..., 0] if bayer else FULL, photometric=photometric)
  with pytest.raises(reader.BadPicture, match='develop it first'):
    reader.open_picture(source)


@pytest.mark.parametrize('reduced', [0, 1])
def test_a_pyramid_comes_back_as_its_full_page(tmp_path, reduced):
  source, target = tmp_path / 'a.tif', tmp_path / 'b.tif'
  with tifffile.TiffWriter(source) as file:
    file.write(FULL, photometric='rgb')
    file.write(FULL[::2, ::2], photometric='rgb', subfiletype=reduced)
  assert restored(source, target) == [LEFT_OUT]
  np.testing.assert_array_equal(tifffile.imread(target), FULL)


@pytest.mark.parametrize(
  'suffix, frames', [('.png', 4), ('.webp', 4), ('.avif', 3)]
)
def test_frames_are_counted(tmp_path, suffix, frames):
  rng = np.random.default_rng(0)
  pictures = [
    Image.fromarray(rng.integers(0, 256, (20, 30, 3), np.uint8))
    for _ in range(frames)
  ]
  source = tmp_path / f'a{suffix}'
  pictures[0].save(source, save_all=True, append_images=pictures[1:])
  with reader.open_picture(source) as picture:
    [notice] = picture.notices
  assert notice.startswith(f'only the first of {frames} frames')


@pytest.mark.parametrize('options', [{'tile': (32, 32)}, {}], ids=str)
def test_a_damaged_part_of_a_tiff_is_not_black(tmp_path, options):
  source, target = tmp_path / 'a.tif', tmp_path / 'b.tif'
  smooth = np.uint8(np.mgrid[:60, :80].sum(0))[..., None].repeat(3, -1)
  tifffile.imwrite(
    source, smooth, photometric='rgb', compression='zlib', **options
  )
  data = bytearray(source.read_bytes())
  with tifffile.TiffFile(source) as file:
    start = file.pages[0].dataoffsets[-1] + 2
  data[start : start + 20] = b'\xff' * 20
  source.write_bytes(data)
  with pytest.raises(reader.BadPicture, match='a.tif: damaged'):
    restored(source, target)
  assert not target.exists()


@pytest.mark.parametrize('extras', [[0], [2, 0], [0, 0]])
@pytest.mark.parametrize('dtype', [np.uint8, np.uint16])
def test_further_channels_are_carried_and_not_used(tmp_path, extras, dtype):
  source, target = tmp_path / 'a.tif', tmp_path / 'b.tif'
  rng = np.random.default_rng(0)
  full = np.iinfo(dtype).max
  values = rng.integers(0, full, (30, 40, 3 + len(extras)), dtype)
  tifffile.imwrite(source, values, photometric='rgb', extrasamples=extras)
  plain = tmp_path / 'plain.tif'
  if extras[0] == 0:
    tifffile.imwrite(plain, values[..., :3], photometric='rgb')
    with reader.open_picture(source) as a, reader.open_picture(plain) as b:
      np.testing.assert_array_equal(a.read(0, 0, 30, 40), b.read(0, 0, 30, 40))
      np.testing.assert_array_equal(a.thumbnail(10), b.thumbnail(10))
  with reader.open_picture(source) as picture:
    rgb = 0.8 * picture.read(0, 0, 30, 40)
    with picture.writer(target) as writer:
      writer.write(picture.merge(0, rgb)[0])
    assert 'carried unchanged, not used' in picture.notices[0]
    with picture.writer(tmp_path / 'b.png') as writer:
      writer.write(picture.merge(0, rgb)[0])
    assert 'more channel(s)' in picture.notices[-1]
  with tifffile.TiffFile(target) as found:
    assert found.pages[0].extrasamples == tuple(extras)
    out = found.asarray()
  np.testing.assert_array_equal(out[..., 3:], values[..., 3:])
  assert (out[..., :3] != values[..., :3]).mean() > 0.5


def test_transparency_after_other_channels_is_transparency(tmp_path):
  source, target = tmp_path / 'a.tif', tmp_path / 'b.tif'
  values = np.random.default_rng(0).integers(0, 65536, (30, 40, 5), np.uint16)
  tifffile.imwrite(source, values, photometric='rgb', extrasamples=[0, 2])
  with reader.open_picture(source) as picture:
    assert picture.has_alpha and picture.extras == (0,)
  restored(source, target)
  with tifffile.TiffFile(target) as found:
    assert found.pages[0].extrasamples == (2, 0)
    np.testing.assert_array_equal(found.asarray(), values[..., [0, 1, 2, 4, 3]])


def test_lab_is_not_supported_and_not_damaged(tmp_path):
  tifffile.imwrite(tmp_path / 'a.tif', SMALL, photometric='cielab')
  with pytest.raises(reader.BadPicture) as e:
    reader.open_picture(tmp_path / 'a.tif')
  assert 'CIE Lab is not supported' in str(e.value)
  assert 'damaged' not in str(e.value)


def photo(**options):
  y, x = np.mgrid[:60, :80]
  smooth = np.uint8(128 + 90 * np.sin(y / 9) * np.cos(x / 7))
  file = io.BytesIO()
  Image.fromarray(smooth).save(file, 'jpeg', quality=90, **options)
  return smooth, file.getvalue()


@pytest.mark.parametrize('missing', [1, 2])
def test_a_jpeg_without_its_end_mark_is_opened(tmp_path, missing):
  smooth, data = photo()
  source, target = tmp_path / 'a.jpg', tmp_path / 'b.png'
  source.write_bytes(data[:-missing])
  assert restored(source, target) == [
    'its end mark is missing; all rows are there'
  ]
  with Image.open(target) as after, Image.open(io.BytesIO(data)) as whole:
    np.testing.assert_array_equal(np.asarray(after), np.asarray(whole))


@pytest.mark.parametrize('missing', [10, 100, 500])
def test_a_jpeg_without_rows_is_refused(tmp_path, missing):
  _, data = photo()
  source, target = tmp_path / 'a.jpg', tmp_path / 'b.png'
  source.write_bytes(data[:-missing])
  with pytest.raises(reader.BadPicture, match='damaged'):
    restored(source, target)
  assert not target.exists()


@pytest.mark.parametrize('end', [b'', b'\xff\xd9'])
def test_a_jpeg_that_lacks_data_within_is_refused(tmp_path, end):
  _, data = photo()
  source = tmp_path / 'a.jpg'
  at = data.index(b'\xff\xda') + 300
  source.write_bytes(data[:at] + (data[at + 200 :] if not end else end))
  with pytest.raises(reader.BadPicture, match='damaged: a part of its pixels'):
    reader.open_picture(source)


def test_a_jpeg_that_is_a_little_damaged_is_opened_with_a_notice(tmp_path):
  _, data = photo(restart_marker_rows=1)
  source = tmp_path / 'a.jpg'
  at = data.index(b'\xff\xd1')
  source.write_bytes(data[:at] + bytes(9) + data[at:])
  with reader.open_picture(source) as picture:
    [notice] = picture.notices
  assert notice.startswith('damaged: a part of it may be wrong (')


def test_exif_after_the_pixels_of_a_png_turns_it(tmp_path):
  source, target = tmp_path / 'a.png', tmp_path / 'b.png'
  file, exif = io.BytesIO(), Image.Exif()
  Image.fromarray(SMALL).save(file, 'png')
  exif[274] = 6
  block = exif.tobytes().removeprefix(b'Exif\0\0')
  data = file.getvalue()
  source.write_bytes(data[:-12] + png_chunk(b'eXIf', block) + data[-12:])
  assert restored(source, target) == []
  with Image.open(target) as after:
    assert after.size == (15, 20) and after.getexif()[274] == 1


@pytest.mark.parametrize('value, means', [(0, 0), (1, 1), (2, 1)])
def test_only_alpha_is_alpha(value, means):
  assert tiff_opening.is_alpha(value) == bool(means)
