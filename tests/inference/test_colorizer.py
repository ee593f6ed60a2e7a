"""The colorizer: sizes, lightness, gamut, strips, hints, what was given."""

from conftest import vivid_colours
import cv2
import numpy as np
import pytest

from artjax import colour
from artjax.inference import colorizer as colorize


@pytest.fixture(scope='module')
def colorizer():
  return colorize.Colorizer(*vivid_colours())


def painting(height=90, width=61, seed=0):
  rng = np.random.default_rng(seed)
  small = rng.integers(0, 256, [6, 5, 3], np.uint8)
  return cv2.resize(small, (width, height), interpolation=cv2.INTER_CUBIC)


def lightness(picture):
  return colour.srgb_to_lab(picture / np.iinfo(picture.dtype).max)[..., 0]


def as_grey_level(light):
  """L in [0, 100] -> the 8-bit level of the grey of that lightness."""
  lab = np.stack([light, 0 * light, 0 * light], -1)
  return 255 * colour.lab_to_srgb(lab)[..., 0]


@pytest.mark.parametrize('dtype', [np.uint8, np.uint16])
def test_lightness_stays_and_colours_come(colorizer, dtype):
  picture = (
    painting().astype(np.uint32) * (np.iinfo(dtype).max // 255)
  ).astype(dtype)
  coloured = colorizer(picture)
  assert coloured.shape == picture.shape and coloured.dtype == dtype
  moved = as_grey_level(lightness(coloured)) - as_grey_level(lightness(picture))
  assert np.abs(moved).max() < 1
  chroma = np.hypot(
    *np.moveaxis(
      colour.srgb_to_lab(coloured / np.float32(np.iinfo(dtype).max))[..., 1:],
      -1,
      0,
    )
  )
  assert chroma.mean() > 5


def test_only_lightness_of_the_picture_counts(colorizer):
  picture = painting(160, 224)  # At working size: no mean of colours is taken.
  lab = colour.srgb_to_lab(picture / np.float32(255))
  lab[..., 1:] = 0
  grey = np.uint16(np.rint(65535 * np.clip(colour.lab_to_srgb(lab), 0, 1)))
  ours = colorizer(np.uint16(picture) * 257) / 257.0
  np.testing.assert_allclose(ours, colorizer(grey) / 257.0, atol=0.5)


def test_strips_are_the_picture(colorizer, monkeypatch):
  picture = painting(70, 90)
  whole = colorizer(picture)
  monkeypatch.setattr(colorize, '_ROWS', 32)
  seen = []
  unit = picture / np.float32(255)
  strips = list(
    colorizer.strips(
      lambda y, x, h, w: unit[y : y + h, x : x + w],
      70,
      90,
      unit,
      on_tiles=seen.append,
    )
  )
  assert [top for top, _ in strips] == [0, 32, 64]
  assert len(seen) == colorizer.tiles(70, 90) == 3
  rows = np.concatenate([rows for _, rows in strips])
  assert 0 <= rows.min() and rows.max() <= 1
  np.testing.assert_allclose(255 * rows, whole, atol=0.51)


def test_saturation_and_strength(colorizer):
  picture = painting()
  chroma = lambda x: np.abs(
    colour.srgb_to_lab(x / np.float32(255))[..., 1:]
  ).mean()
  grey = colorizer(picture, saturation=0.0)
  assert np.ptp(grey.astype(int), -1).max() == 0
  half, full = (chroma(colorizer(picture, saturation=s)) for s in (0.5, 1.0))
  assert chroma(grey) < 0.1 < half < full
  assert colorizer(picture, strength=0.0) is picture
  between = colorizer(picture, strength=0.5).astype(int)
  np.testing.assert_allclose(
    between, (picture.astype(int) + colorizer(picture)) / 2, atol=1
  )
  with pytest.raises(ValueError, match='saturation must be in .0, 2., got -1'):
    colorizer(picture, saturation=-1)


def test_hints_are_obeyed(colorizer):
  picture = np.full([256, 256, 3], 128, np.uint8)
  hints = np.zeros([256, 256, 4], np.uint8)
  hints[40:70, 60:90] = 150, 110, 60, 255
  wanted = colour.srgb_to_lab(np.float32([150, 110, 60]) / 255)[1:]
  coloured = colorizer(picture, hints=hints)
  ab = colour.srgb_to_lab(coloured / np.float32(255))[..., 1:]
  np.testing.assert_allclose(ab[50:60, 70:80].mean((0, 1)), wanted, atol=2)
  without = colour.srgb_to_lab(colorizer(picture) / np.float32(255))[..., 1:]
  assert np.abs(without[50:60, 70:80].mean((0, 1)) - wanted).max() > 4
  with pytest.raises(
    ValueError, match='hints of 128 x 256 px for a picture of 256 x 256 px'
  ):
    colorizer(picture, hints=hints[:, :128])


def test_a_thin_stroke_survives_shrinking():
  hints = np.zeros([900, 900, 4], np.uint8)
  hints[450, 100:800] = 200, 30, 40, 255
  small = colorize.shrink_hints(hints, (90, 90))
  told = small[..., 3] > 0
  assert told.sum() == 70 and set(np.unique(small[..., 3])) == {0, 255}
  np.testing.assert_allclose(small[told][:, :3], [[200, 30, 40]] * 70, atol=0.1)
  assert not small[~told].any()


def test_notices_what_is_dropped():
  levels = np.linspace(0, 1, 64, dtype=np.float32)[:, None, None]
  grey = np.broadcast_to(levels, [64, 32, 3])
  noise = np.random.default_rng(0).normal(0, 0.004, grey.shape)
  assert colorize.notice(np.float32(grey + noise)) == ''
  sepia = grey ** np.float32([0.8, 1.0, 1.4])
  assert colorize.notice(sepia).startswith('toned')
  assert colorize.notice(painting() / np.float32(255)).startswith('in colour')


def test_working_size_has_few_shapes_and_keeps_the_aspect():
  assert colorize.working_size(3000, 2000) == (224, 160)
  assert colorize.working_size(10, 4000) == (32, 224)
  shapes = {
    colorize.working_size(h, w)
    for h in range(300, 900, 37)
    for w in range(300, 900, 41)
  }
  assert len(shapes) < 15
