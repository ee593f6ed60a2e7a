"""Lossy files: coded as their sources were, and measured as they are."""

import io

import numpy as np
from PIL import Image
from PIL import JpegImagePlugin
import pytest
import pyvips
from skimage import data

from artjax.image_io import formats
from artjax.image_io import jpeg_coding
from artjax.image_io import reader
from artjax.image_io import vips
from artjax.image_io.containers import avif
from artjax.image_io.containers import jpeg
from artjax.image_io.containers import webp


@pytest.fixture(name='photograph', scope='module')
def photograph_fixture():
  return np.ascontiguousarray(data.astronaut()[:131, :150])


def saved(path, values, **options):
  Image.fromarray(values).save(path, **options)
  return path


def unchanged(source, target, **options):
  """Writes a picture with nothing done to it; (pixels before, after)."""
  with reader.open_picture(source) as picture:
    rgb = picture.read(0, 0, picture.height, picture.width)
    with picture.writer(target, **options) as rows:
      rows.write(picture.merge(0, rgb, strength=0.0)[0])
  before, after = (
    pyvips.Image.new_from_file(str(path)).numpy().astype(int)
    for path in (source, target)
  )
  return before, after


@pytest.mark.parametrize('quality', [30, 75, 92])
@pytest.mark.parametrize('subsampling', [0, 1, 2])
def test_coding_is_read_as_pillow_reads_it(
  tmp_path, photograph, quality, subsampling
):
  path = saved(
    tmp_path / 'a.jpg', photograph, quality=quality, subsampling=subsampling
  )
  coding = jpeg.coding(path)
  with Image.open(path) as image:
    tables = image.quantization
    assert coding.tables == [list(tables[i]) for i in (0, 1, 1)]
    assert jpeg_coding._SUBSAMPLING[tuple(coding.sampling)] == subsampling


@pytest.mark.parametrize('subsampling', [0, 1, 2])
@pytest.mark.parametrize('quality, same', [(75, 0.85), (90, 0.7)])
def test_what_is_not_changed_keeps_its_values(
  tmp_path, photograph, quality, same, subsampling
):
  source, target = tmp_path / 'a.jpg', tmp_path / 'b.jpeg'
  saved(source, photograph, quality=quality, subsampling=subsampling)
  before, after = unchanged(source, target)
  assert (before == after).all(-1).mean() > same
  assert jpeg.coding(target) == jpeg.coding(source)
  with Image.open(target) as image:
    assert JpegImagePlugin.get_sampling(image) == subsampling


def test_grey_and_profiles_go_the_same_way(tmp_path, photograph):
  profile = pyvips.Image.profile_load('p3')
  source, target = tmp_path / 'a.jpg', tmp_path / 'b.jpg'
  saved(source, photograph[..., 1], quality=80)
  before, after = unchanged(source, target)
  assert before.shape == after.shape and (before == after).mean() > 0.9
  saved(source, photograph, quality=80, icc_profile=profile)
  unchanged(source, target)
  with Image.open(target) as image:
    assert image.info['icc_profile'] == profile
  assert jpeg.coding(target) == jpeg.coding(source)


def test_blocks_are_not_put_back_into_a_restored_picture(tmp_path, photograph):
  for quality, taken_over in ((50, False), (95, True)):
    path = saved(tmp_path / 'a.jpg', photograph, quality=quality)
    assert bool(jpeg_coding.of_source(path, False)) == taken_over
    assert jpeg_coding.of_source(path, True)
    unchanged(path, tmp_path / 'b.jpg', mostly_unchanged=False)
    equal = jpeg.coding(tmp_path / 'b.jpg') == jpeg.coding(path)
    assert equal == taken_over


def test_what_pillow_does_not_write_is_left_to_libvips(tmp_path, photograph):
  cmyk = io.BytesIO()
  Image.fromarray(photograph).convert('CMYK').save(cmyk, 'JPEG', quality=80)
  (tmp_path / 'a.jpg').write_bytes(cmyk.getvalue())
  assert jpeg_coding.of_source(tmp_path / 'a.jpg', True) is None
  before, after = unchanged(tmp_path / 'a.jpg', tmp_path / 'b.jpg')
  assert after.shape == (131, 150, 4) and np.abs(before - after).mean() < 2
  (tmp_path / 'a.jpg').write_bytes(cmyk.getvalue()[:300])
  assert jpeg_coding.of_source(tmp_path / 'a.jpg', True) is None


@pytest.mark.parametrize('alpha', [False, True])
def test_lossless_avif_stays_lossless(tmp_path, photograph, alpha):
  source, target = tmp_path / 'a.avif', tmp_path / 'b.avif'
  image = vips.image(photograph).copy(interpretation='srgb')
  if alpha:
    image = image.bandjoin(image[1])
  save = lambda **options: image.heifsave(
    str(source), compression='av1', effort=0, **options
  )
  save(lossless=True)
  before, after = unchanged(source, target)
  np.testing.assert_array_equal(before, after)
  assert avif.is_lossless(target)
  assert not formats.is_lossy(str(source), 'HEIF', '.avif')
  save(Q=90)
  assert not avif.is_lossless(source)
  assert formats.is_lossy(str(source), 'HEIF', '.avif')
  source.write_bytes(source.read_bytes()[:20])
  assert not avif.is_lossless(source)


@pytest.mark.parametrize('bits', [10, 12])
@pytest.mark.parametrize('lossless', [False, True])
def test_deep_avif_stays_deep(tmp_path, photograph, bits, lossless):
  source, target = tmp_path / 'a.avif', tmp_path / 'b.avif'
  deep = vips.image(photograph.astype(np.uint16) * 257)
  deep.copy(interpretation='rgb16').heifsave(
    str(source),
    compression='av1',
    effort=0,
    bitdepth=bits,
    lossless=lossless,
    Q=95,
  )
  with reader.open_picture(source) as picture:
    assert picture.depth == 16
  before, after = unchanged(source, target)
  assert avif.bits(source) == avif.bits(target) == bits
  assert avif.is_lossless(target) == lossless
  assert np.abs(before - after).max() <= (0 if lossless else 65535 * 0.1)


def test_animated_webp_stays_lossless(tmp_path, photograph):
  frames = [Image.fromarray(photograph), Image.fromarray(photograph[::-1])]
  for lossless in (True, False):
    frames[0].save(
      tmp_path / 'a.webp',
      save_all=True,
      append_images=frames[1:],
      lossless=lossless,
    )
    assert webp.is_lossless(tmp_path / 'a.webp') == lossless
  kind = formats.format_of(str(tmp_path / 'a.webp'))
  assert formats.is_lossy(str(tmp_path / 'a.webp'), kind, '.webp')


@pytest.mark.parametrize(
  'suffix, options, lossy',
  [
    ('.jpg', {'quality': 60}, True),
    ('.webp', {'quality': 90}, True),
    ('.webp', {'lossless': True}, False),
    ('.png', {}, False),
  ],
)
def test_how_far_pixels_moved_is_measured_in_the_file(
  tmp_path, photograph, suffix, options, lossy
):
  source, target = tmp_path / f'a{suffix}', tmp_path / f'b{suffix}'
  saved(source, photograph, **options)
  kind = formats.format_of(source)
  assert formats.is_lossy(str(source), kind, suffix) == lossy
  before, after = unchanged(source, target, mostly_unchanged=False)
  with reader.open_picture(source) as picture:
    strips = [moved for _, moved in picture.moved(target, 1, 50)]
    moved = np.concatenate(strips)
    with picture.writer(target) as rows:
      assert rows.lossy == lossy
      rows.write(photograph)
  assert [len(strip) for strip in strips] == [50, 50, 31]
  np.testing.assert_array_equal(moved > 0, (before != after).any(-1))
  assert moved.any() == lossy
