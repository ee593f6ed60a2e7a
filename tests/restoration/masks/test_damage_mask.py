"""What of a picture is to be filled."""

import cv2
import numpy as np
import pytest

from artjax.restoration.masks import damage_mask
from artjax.restoration.masks import user_inputs
from artjax.restoration.options import Options

SIZE = 50, 70


class Painter:
  """Fills with red; stands where a `base.Restorer` does."""

  def __init__(self):
    self.hole = None

  def strips(self, read, height, width, whole, *, hole, **unused):
    del whole, unused
    self.hole = hole
    for top in range(0, height, 16):
      rows = read(top, 0, min(16, height - top), width).copy()
      rows[hole[top : top + 16]] = (1, 0, 0)
      yield top, rows


def probabilities(*boxes):
  found = np.zeros([*SIZE, 3], np.float32)
  for channel, y, x, h, w, value in boxes:
    found[y : y + h, x : x + w, channel] = value
  return found


def halves(array):
  return [(0, array[:25]), (25, array[25:])]


def test_nothing_found_is_a_normal_answer():
  mask = damage_mask.Mask(*SIZE, Options())
  assert mask.summary() == ''
  mask.find(halves(probabilities()), *SIZE)
  assert not mask.hole().any()
  assert mask.summary() == 'no damage found that is to be filled'
  assert mask.describe() == {
    'share': {'crack': 0, 'loss': 0, 'stain': 0, 'any': 0},
    'regions': 0,
  }


def test_probabilities_become_a_mask_by_threshold_area_and_dilation():
  found = probabilities(
    (0, 10, 10, 2, 30, 0.6), (1, 30, 30, 10, 10, 0.9), (2, 5, 5, 2, 2, 1.0)
  )
  every = {'kinds': ('thin', 'opaque', 'translucent')}
  mask = damage_mask.Mask(
    *SIZE, Options(mask_threshold=0.5, mask_dilate=0, **every)
  )
  mask.find(halves(found), *SIZE)
  want = found.max(-1) > 0.5
  want[5:7, 5:7] = False  # a speck
  np.testing.assert_array_equal(mask.hole(), want)
  assert mask.describe()['share']['loss'] == pytest.approx(100 / 3500, abs=1e-5)
  high = damage_mask.Mask(
    *SIZE, Options(mask_threshold=0.8, mask_min_area=0, **every)
  )
  high.find(halves(found), *SIZE)
  grown = high.hole()
  assert grown[28, 35] and not grown[10, 20] and grown[5, 5]


def test_what_is_translucent_is_not_filled_unless_it_is_asked_for():
  found = probabilities(
    (0, 10, 10, 4, 30, 1), (1, 30, 30, 10, 10, 1), (2, 20, 5, 25, 9, 1)
  )
  masks = {
    kinds: damage_mask.Mask(*SIZE, Options(mask_dilate=0, **kinds_of(kinds)))
    for kinds in ('', 'translucent')
  }
  for mask in masks.values():
    mask.find(halves(found), *SIZE)
  np.testing.assert_array_equal(masks[''].hole(), found[..., :2].any(-1))
  np.testing.assert_array_equal(masks['translucent'].hole(), found[..., 2] > 0)
  assert masks[''].summary() == (
    'found damage: thin 3.4%, opaque 2.9%, translucent 6.4% (not filled) of '
    'the picture'
  )
  assert masks[''].describe()['share']['stain'] > 0  # found all the same


def kinds_of(kinds):
  return {'kinds': (kinds,)} if kinds else {}


def test_a_damage_map_that_is_brought_is_read_by_kinds(tmp_path):
  found = np.zeros([*SIZE, 3], np.uint8)
  found[5:9, 5:9, 0], found[20:30, 20:30, 2] = 255, 255  # RGB
  for name in ('a.damage.png', 'a.png'):
    cv2.imwrite(str(tmp_path / name), found[..., ::-1])
  hole = lambda name: damage_mask.Mask(
    *SIZE, Options(), str(tmp_path / name)
  ).hole()
  np.testing.assert_array_equal(hole('a.damage.png'), found[..., 0] > 0)
  # A mask of any colour is a mask.
  np.testing.assert_array_equal(hole('a.png'), found.any(-1))


def test_what_is_brought_and_found_within_a_region(tmp_path):
  brought = np.zeros(SIZE, np.uint8)
  brought[40:, 60:] = 255
  cv2.imwrite(str(tmp_path / 'm.png'), brought)
  found = probabilities((0, 10, 10, 4, 30, 1))
  both = damage_mask.Mask(
    *SIZE, Options(mask_min_area=0, mask_dilate=0), str(tmp_path / 'm.png')
  )
  both.find(halves(found), *SIZE)
  np.testing.assert_array_equal(both.hole(), (brought > 0) | found.any(-1))
  within = damage_mask.Mask(
    *SIZE, Options(mask_dilate=0, region=(0, 0, 20, 50))
  )
  within.find(halves(found), *SIZE)
  want = found.any(-1)
  want[:, 20:] = False
  np.testing.assert_array_equal(within.hole(), want)


def test_a_region_alone_is_what_is_filled():
  hole = damage_mask.Mask(*SIZE, Options(region=(-5, 40, 15, 100))).hole()
  want = np.zeros(SIZE, bool)
  want[40:, :10] = True
  np.testing.assert_array_equal(hole, want)


@pytest.mark.parametrize('region', [(70, 0, 5, 5), (0, 0, 0, 5), (-9, 0, 9, 9)])
def test_regions_without_picture_are_named(region):
  with pytest.raises(
    user_inputs.BadInput, match='has nothing of the picture of 70 x 50 px'
  ):
    damage_mask.Mask(*SIZE, Options(region=region))


def test_nothing_known_is_an_error():
  mask = damage_mask.Mask(*SIZE, Options(region=(0, 0, 70, 50)))
  with pytest.raises(user_inputs.BadInput, match='covers the whole picture'):
    mask.hole()


@pytest.mark.parametrize('feather', [0, 3])
def test_only_the_hole_changes(feather):
  picture = np.random.default_rng(0).random((*SIZE, 3), np.float32)
  read = lambda y, x, h, w: picture[y : y + h, x : x + w]
  hole = np.zeros(SIZE, bool)
  hole[20:30, 30:40] = True
  painter = Painter()
  strips = damage_mask.fill_strips(painter, read, hole, *SIZE, picture, feather)
  out = np.concatenate([rows for _, rows in strips])
  np.testing.assert_array_equal(out[~hole], picture[~hole])
  np.testing.assert_array_equal(painter.hole, hole)
  filled = np.abs(out - np.float32([1, 0, 0])).max(-1) < 1e-6
  inner = np.zeros(SIZE, bool)
  inner[20 + feather : 30 - feather, 30 + feather : 40 - feather] = True
  np.testing.assert_array_equal(filled, inner)


def test_a_mask_grows_with_the_picture():
  picture = np.zeros([100, 140, 3], np.float32)
  read = lambda y, x, h, w: picture[y : y + h, x : x + w]
  hole = np.zeros(SIZE, bool)
  hole[20:30, 30:40] = True
  painter = Painter()
  list(damage_mask.fill_strips(painter, read, hole, 100, 140, picture, 0))
  np.testing.assert_array_equal(painter.hole, hole.repeat(2, 0).repeat(2, 1))
