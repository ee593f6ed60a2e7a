"""Tags of TIFF files are read, changed and written."""

import io

import numpy as np
from PIL import Image
import pytest
import tifffile

from artjax.image_io import reader
from artjax.image_io.containers import tiff

VALUES = np.random.default_rng(0).integers(0, 256, (30, 40, 3), np.uint8)
TEXTS = {
  269: 'Panel 3',
  271: 'Maker',
  272: 'Scanner',
  305: 'Scan 2.1',
  306: '2020:02:03 04:05:06',
  315: 'A. N. Other',
  33432: 'public domain',
}


def texts(path):
  with tifffile.TiffFile(path) as tiff:
    tags = tiff.pages[0].tags
    return {code: tags[code].value for code in TEXTS if code in tags}


@pytest.mark.parametrize('big', [False, True])
@pytest.mark.parametrize('order', '<>')
@pytest.mark.parametrize('target_order', '<>')
def test_texts_go_over_whatever_the_layout(tmp_path, order, big, target_order):
  source, target = tmp_path / 'a.tif', tmp_path / 'b.tif'
  tifffile.imwrite(
    source,
    VALUES,
    byteorder=order,
    bigtiff=big,
    metadata=None,
    software=TEXTS[305],
    datetime=TEXTS[306],
    extratags=[
      (code, 's', 0, TEXTS[code], True)
      for code in TEXTS
      if code not in (305, 306)
    ],
  )
  tifffile.imwrite(
    target,
    VALUES,
    byteorder=target_order,
    metadata=None,
    software=False,
    extratags=[(315, 's', 0, 'Kept', True)],
  )
  with open(source, 'rb') as file:
    found = tiff.read(file)
  found.tags = {code: found.tags[code] for code in TEXTS if code != 315}
  tiff.update(target, found)
  assert texts(target) == {**TEXTS, 315: 'Kept'}
  np.testing.assert_array_equal(tifffile.imread(target), VALUES)
  tiff.update(target, tiff.Directory('<', {}, {}), remove=[315])
  assert 315 not in texts(target)
  # As an EXIF block, too.
  again = tiff.read(io.BytesIO(tiff.block(found)))
  assert again.turned('<') == found.turned('<')


def test_exif_and_gps_go_through_a_restoration(tmp_path):
  source, target = tmp_path / 'a.tif', tmp_path / 'b.tif'
  picture = Image.fromarray(VALUES)
  exif = Image.Exif()
  exif[315] = 'A. N. Other'
  exif.get_ifd(34665)[36867] = '2020:02:03 04:05:06'
  exif.get_ifd(34665)[33434] = (1, 250)  # exposure time, a rational
  exif.get_ifd(34665)[34855] = 400  # ISO speed, a short
  exif.get_ifd(34853)[1] = 'N'
  exif[34665] = exif[34853] = 0  # Pillow writes those it finds a pointer to
  picture.save(source, exif=exif, dpi=(300, 300))
  with reader.open_picture(source) as opened:
    with opened.writer(target) as writer:
      writer.write(opened.merge(0, opened.read(0, 0, 30, 40))[0])
  with Image.open(target) as after:
    found = after.getexif()
    assert found[315] == 'A. N. Other'
    assert dict(found.get_ifd(34665)) == dict(exif.get_ifd(34665))
    assert dict(found.get_ifd(34853)) == {1: 'N'}
    assert after.info['dpi'] == (300, 300)
    np.testing.assert_array_equal(np.asarray(after), VALUES)
  with reader.open_picture(source) as opened:
    with opened.writer(target, strip_metadata=True) as writer:
      writer.write(opened.merge(0, opened.read(0, 0, 30, 40))[0])
  with Image.open(target) as after:
    assert 315 not in after.getexif()


def test_damaged_files_are_said(tmp_path):
  good = tmp_path / 'good.tif'
  tifffile.imwrite(good, VALUES, extratags=[(315, 's', 0, 'x' * 99, True)])
  whole = good.read_bytes()
  for data in (
    b'',
    b'\xff\xd8\xff\xe0 a JPEG',
    b'II*\0',
    b'II*\0\xff\xff\xff\x7f',
    whole[:8] + b'\xff' * 400,
    whole[:200],
  ):
    with pytest.raises(ValueError):
      tiff.read(io.BytesIO(data))
    assert tiff.orientation(data) == 1
