"""Files that libvips does not decode here are read by other libraries."""

import numpy as np
from PIL import Image
import pytest
import tifffile

from artjax.image_io import other_libraries
from artjax.image_io import reader

RNG = np.random.default_rng(0)
DEEP = RNG.integers(0, 65536, (40, 56, 4), np.uint16)
needs_codecs = pytest.mark.skipif(
  not other_libraries.has('imagecodecs'),
  reason="needs imagecodecs: pip install '.[formats]'",
)
needs_heif = pytest.mark.skipif(
  not other_libraries.has('pillow_heif'),
  reason="needs pillow-heif: pip install '.[formats]'",
)


def restored(source, target):
  with reader.open_picture(source) as picture:
    rgb = picture.read(0, 0, picture.height, picture.width)
    with picture.writer(target) as writer:
      writer.write(picture.merge(0, rgb, strength=0.0)[0])
    return picture.notices


@needs_codecs
@pytest.mark.parametrize(
  'values, options',
  [
    (DEEP[..., :3], {'photometric': 'rgb', 'predictor': True}),
    (DEEP[..., :3], {'photometric': 'rgb', 'byteorder': '>', 'tile': (32, 32)}),
    (DEEP, {'photometric': 'rgb', 'extrasamples': [0], 'bigtiff': True}),
    (DEEP[..., 0], {'photometric': 'minisblack'}),
    (np.uint8(DEEP >> 8), {'photometric': 'separated'}),
  ],
  ids=['predictor', 'tiles', 'infrared', 'grey', 'cmyk'],
)
@pytest.mark.parametrize('compression', ['zstd', 'lzma'])
def test_compressions_of_tiff(tmp_path, values, options, compression):
  source, target = tmp_path / 'a.tif', tmp_path / 'b.tif'
  tifffile.imwrite(source, values, compression=compression, **options)
  restored(source, target)
  with tifffile.TiffFile(target) as after:
    np.testing.assert_array_equal(after.asarray(), values)
    extras = tuple(options.get('extrasamples', ()))
    assert after.pages[0].extrasamples == extras


@needs_codecs
def test_planes_white_that_is_zero_and_orientation(tmp_path):
  source, target = tmp_path / 'a.tif', tmp_path / 'b.tif'
  planes = np.ascontiguousarray(np.moveaxis(DEEP[..., :3], -1, 0))
  tifffile.imwrite(
    source,
    planes,
    compression='zstd',
    photometric='rgb',
    planarconfig='separate',
    extratags=[(274, 3, 1, 6, True)],
  )
  restored(source, target)
  with tifffile.TiffFile(target) as after:
    wanted = np.rot90(DEEP[..., :3], -1)
    np.testing.assert_array_equal(after.pages[0].asarray(), wanted)
  tifffile.imwrite(
    source, DEEP[..., 0], compression='zstd', photometric='miniswhite'
  )
  restored(source, target)
  np.testing.assert_array_equal(tifffile.imread(target), 65535 - DEEP[..., 0])


@needs_codecs
def test_what_is_not_read_is_said(tmp_path, monkeypatch):
  source = tmp_path / 'a.tif'
  floats = np.float32(DEEP[..., :3]) / 65535
  tifffile.imwrite(source, floats, compression='zstd', photometric='rgb')
  with pytest.raises(reader.BadPicture, match='a.tif: float32 values are not'):
    reader.open_picture(source)
  tifffile.imwrite(source, DEEP[..., :3], compression='zstd', photometric='rgb')
  with pytest.raises(reader.BadPicture, match='more than the limit of 9 px'):
    reader.open_picture(source, max_pixels=9)
  data = source.read_bytes()
  source.write_bytes(data[:-900])
  with pytest.raises(reader.BadPicture, match='a.tif: damaged'):
    reader.open_picture(source)
  source.write_bytes(data)
  monkeypatch.setattr(other_libraries, 'has', lambda package: False)
  with pytest.raises(reader.BadPicture) as error:
    reader.open_picture(source)
  assert 'Zstandard compression is not supported here: pip' in str(error.value)


@needs_heif
@pytest.mark.parametrize('mode', ['RGB', 'RGBA'])
def test_heic(tmp_path, mode, monkeypatch):
  import pillow_heif

  source, target = tmp_path / 'a\udcff.heic', tmp_path / 'b.png'
  y, x = np.mgrid[:64, :96]
  bands = [128 + 90 * np.sin((x + 2 * y) / (9 + i)) for i in range(len(mode))]
  values = np.uint8(np.stack(bands, -1))
  exif = Image.Exif()
  exif[274], exif[315] = 6, 'A. N. Other'
  image = pillow_heif.from_bytes(mode, (96, 64), values.tobytes())
  image.save(tmp_path / 'a.heic', quality=95, exif=exif.tobytes())
  (tmp_path / 'a.heic').rename(source)
  restored(source, target)
  with Image.open(target) as after:
    assert after.mode == mode and after.getexif()[274] == 1
    assert after.getexif()[315] == 'A. N. Other'
    wanted = np.rot90(values, -1).astype(int)  # it is stored as if turned
    assert np.abs(np.asarray(after) - wanted).mean() < 8
  with pytest.raises(reader.BadPicture, match='more than the limit of 9 px'):
    reader.open_picture(source, max_pixels=9)
  monkeypatch.setattr(other_libraries, 'has', lambda package: False)
  with pytest.raises(reader.BadPicture) as error:
    reader.open_picture(source)
  assert "HEIC is not supported here: pip install 'artjax" in str(error.value)


@pytest.mark.parametrize('suffix', ['.bmp', '.gif'])
@pytest.mark.parametrize('mode', ['RGB', 'L', '1'])
def test_pictures_that_become_png(tmp_path, suffix, mode):
  source, target = tmp_path / f'a{suffix}', tmp_path / 'b.png'
  image = Image.fromarray(np.uint8(DEEP[..., :3] >> 8)).convert(mode)
  image.save(source)
  assert restored(source, target) == []
  with Image.open(source) as before, Image.open(target) as after:
    wanted = np.asarray(before.convert('RGB'))
    np.testing.assert_array_equal(np.asarray(after.convert('RGB')), wanted)


@pytest.mark.parametrize(
  'name, head',
  [
    ('JPEG XL', b'\xff\x0a'),
    ('JPEG 2000', b'\0\0\0\x0cjP  \r\n\x87\n'),
    ('BMP', b'BM' + bytes(30)),
  ],
)
def test_what_is_no_more_than_a_head_is_refused(tmp_path, name, head):
  source = tmp_path / 'a.png'
  source.write_bytes(head + bytes(40))
  with pytest.raises(reader.BadPicture, match='a.png: ') as error:
    reader.open_picture(source)
  assert name in str(error.value) or 'damaged' in str(error.value)
