"""What needs no learning: fills, sepia, the filter of lines."""

import cv2
import numpy as np
import pytest
from skimage import restoration

from artjax import colour
from artjax.evaluation import baselines

QUICK = [name for name in baselines.FILLS if name != 'deep_image_prior']


def _slope(height=60, width=80):
  y, x = np.mgrid[:height, :width]
  return np.stack([2 * x + 20, 3 * y + 10, 200 - x - y], -1).astype(np.uint8)


def _hole(image, rows, columns):
  mask = np.zeros(image.shape[:2], np.uint8)
  mask[rows, columns] = 255
  return mask


@pytest.mark.parametrize('name', QUICK)
def test_what_is_known_stays_and_what_is_not_is_unseen(name):
  image = np.random.default_rng(0).integers(0, 256, (48, 64, 3), np.uint8)
  mask = _hole(image, slice(20, 32), slice(30, 50))
  mask[10:15, :9] = 255  # at the border too, where OpenCV would look under it
  damaged = image.copy()
  damaged[mask > 0] = 0
  one, two = (
    baselines.FILLS[name](x, m) for x, m in ((image, mask), (damaged, mask > 0))
  )
  np.testing.assert_array_equal(one, two)
  assert one.dtype == np.uint8
  np.testing.assert_array_equal(one[mask == 0], image[mask == 0])
  np.testing.assert_array_equal(
    baselines.FILLS[name](image, np.zeros_like(mask)), image
  )


@pytest.mark.parametrize(
  'name, error', [('telea', 16), ('navier_stokes', 16), ('biharmonic', 1)]
)
def test_a_slope_goes_on(name, error):
  image = _slope()
  mask = _hole(image, slice(20, 32), slice(30, 50))
  fill = baselines.FILLS[name](image, mask)
  worst = np.abs(fill.astype(int) - image).max()
  assert worst <= error
  mean = np.abs(baselines.mean_fill(image, mask).astype(int) - image).max()
  assert worst < mean


def test_mean_is_the_mean():
  image = np.zeros([4, 4, 3], np.uint8)
  image[0] = 100
  fill = baselines.mean_fill(image, _hole(image, slice(2, 4), slice(0, 4)))
  assert (fill[2:] == 50).all()


def test_biharmonic_in_parts_is_that_of_the_whole():
  rng = np.random.default_rng(0)
  image = np.clip(
    _slope()
    + 20 * np.sin(np.arange(80) / 5)[:, None]
    + rng.normal(0, 3, (60, 80, 3)),
    0,
    255,
  ).astype(np.uint8)
  mask = (
    _hole(image, slice(5, 14), slice(8, 20))
    | _hole(image, slice(40, 55), slice(60, 70))
    | _hole(image, slice(15, 22), slice(30, 31))
  )
  ours = baselines.biharmonic(image, mask)
  theirs = (
    restoration.inpaint_biharmonic(image / 255, mask > 0, channel_axis=-1) * 255
  )
  assert np.abs(ours[mask > 0] - theirs[mask > 0]).max() <= 1


def test_biharmonic_of_a_large_hole_on_a_coarser_grid(monkeypatch):
  y, x = np.mgrid[:100, :120] / 20
  wave = np.stack([np.sin(x), np.cos(y), np.sin(x + y)], -1)
  image = np.rint(127 + 100 * wave).astype(np.uint8)
  mask = _hole(image, slice(30, 70), slice(40, 80))
  fine = baselines.biharmonic(image, mask).astype(int)
  monkeypatch.setattr(baselines, 'MAX_UNKNOWNS', 500)
  coarse = baselines.biharmonic(image, mask).astype(int)
  assert (coarse != fine).any()
  assert np.abs(coarse - fine)[mask > 0].mean() < 6


def test_biharmonic_next_to_a_hole_that_is_almost_all():
  image = _slope()
  mask = _hole(image, slice(0, 60), slice(1, 80))  # one column is known
  fill = baselines.biharmonic(image, mask)
  np.testing.assert_array_equal(fill[:, 0], image[:, 0])


def test_deep_image_prior_gets_picture_and_hole(monkeypatch):
  from artjax.inference import deep_image_prior

  image = _slope()
  mask = _hole(image, slice(20, 32), slice(30, 50))

  def restore(picture, *, mask):
    assert picture.dtype == np.float32 and picture.max() <= 1
    return deep_image_prior.Result(
      np.where(mask[..., None], np.float32(1), picture), 1, 'steps', 0.0, 0
    )

  monkeypatch.setattr(deep_image_prior, 'restore', restore)
  fill = baselines.deep_image_prior(image, mask)
  assert (fill[mask > 0] == 255).all()
  np.testing.assert_array_equal(fill[mask == 0], image[mask == 0])


@pytest.mark.parametrize('name', baselines.FILLS)
def test_bad_input_is_named(name):
  image = _slope()
  with pytest.raises(ValueError, match='covers everything'):
    baselines.FILLS[name](image, np.ones([60, 80], bool))
  with pytest.raises(ValueError, match=r'mask is \[80, 60\]'):
    baselines.FILLS[name](image, np.ones([80, 60], bool))
  with pytest.raises(ValueError, match='u8'):
    baselines.FILLS[name](image / 255, np.ones([60, 80], bool))


def test_the_filter_finds_lines_and_no_edges():
  picture = np.full([60, 60, 3], 90, np.uint8)
  picture[:, 30:] = 180
  picture[10] += 60
  picture[40:42] -= 60
  found = baselines.line_filter(picture)
  assert found[[10, 40, 41], 5:25].min() > 60
  assert found[20:30, 10:50].max() == 0


def test_best_sepia_is_found_and_keeps_lightness():
  lightness = lambda x: colour.srgb_to_lab(x / np.float32(255))[..., 0]
  small = np.random.default_rng(0).integers(0, 256, [6, 5, 1], np.uint8)
  grey = cv2.resize(small, (61, 90), interpolation=cv2.INTER_LINEAR)
  grey = grey[..., None].repeat(3, -1)
  lab = colour.srgb_to_lab(grey / np.float32(255))
  lab[..., 1:] = 3, 8
  target = colour.lab_to_srgb(colour.clamp_chroma(lab))
  target = np.rint(255 * np.clip(target, 0, 1)).astype(np.uint8)
  sepia = baselines.Sepia([target])
  assert np.abs(np.subtract(sepia.ab, (3, 8))).max() <= 1
  np.testing.assert_allclose(lightness(sepia(grey)), lightness(grey), atol=0.5)
