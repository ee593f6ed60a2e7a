"""Geometry acts on all pictures alike, and never writes into its input."""

import cv2
import numpy as np
import pytest

from artjax import resampling
from artjax.data.ops import geometry


def _example(height=50, width=70, masks=True):
  """Pixels that tell where they come from: (row, column, 7)."""
  rows, columns = np.mgrid[:height, :width].astype(np.uint8)
  image = np.stack([rows, columns, np.full_like(rows, 7)], -1)
  example = {'name': 'x', 'image': image, 'target': image.copy()}
  if masks:
    example['mask'] = np.where(image % 3 == 0, np.uint8(255), np.uint8(0))
  for key in geometry.PICTURES:
    if key in example:
      example[key].setflags(write=False)
  return example


def _rng(seed=0):
  return np.random.default_rng(seed)


@pytest.mark.parametrize(
  'op',
  [
    geometry.random_crop(16),
    geometry.center_crop(16),
    geometry.random_crop(64),
    geometry.flip(),
    geometry.rotate90(),
    geometry.mod_crop(8),
  ],
)
def test_geometry_is_the_same_for_all_pictures(op):
  for seed in range(8):
    result = op(_example(), _rng(seed))
    assert result['name'] == 'x'
    np.testing.assert_array_equal(result['image'], result['target'])
    np.testing.assert_array_equal(
      result['mask'] == 255, result['image'] % 3 == 0
    )
    assert all(
      value.flags.c_contiguous
      for value in result.values()
      if isinstance(value, np.ndarray)
    )


def test_random_crop_takes_every_window_there_is():
  corners = set()
  for seed in range(400):
    image = geometry.random_crop(48)(_example(50, 49), _rng(seed))['image']
    assert image.shape == (48, 48, 3)
    corners.add(tuple(image[0, 0, :2].tolist()))
    np.testing.assert_array_equal(image[-1, -1, :2] - image[0, 0, :2], [47, 47])
  assert corners == {(row, column) for row in range(3) for column in range(2)}


def test_crops_of_small_pictures_reflect():
  example = _example(5, 40)
  image = geometry.center_crop(16)(example, _rng())['image']
  rows = np.pad(np.arange(5), (5, 6), 'reflect')
  np.testing.assert_array_equal(image[:, 0, 0], rows)
  np.testing.assert_array_equal(image[0, :, 1], np.arange(12, 28))


def test_center_crop_is_central():
  image = geometry.center_crop(10)(_example(50, 70), _rng())['image']
  assert image[0, 0].tolist() == [20, 30, 7]


def test_random_scale_crop_spans_its_scales():
  example = _example(200, 250, masks=False)
  sides, rng = [], _rng()
  for _ in range(600):
    result = geometry.random_scale_crop(20)(example, rng)
    image = result['image'].astype(float)
    assert image.shape == (20, 20, 3)
    assert result['image'] is not result['target']  # they were two arrays
    np.testing.assert_array_equal(result['image'], result['target'])
    # The centres of the outer pixels lie 19 / 20 of a side apart.
    sides.append((image[-1, 0, 0] - image[0, 0, 0]) / 19 * 20)
  sides = np.array(sides)
  assert sides.min() < 22 and 76 < sides.max() < 82  # scales 1 to 1 / 4
  # Log-uniform: as many below the geometric mean as above.
  assert 0.4 < np.mean(sides < 40) < 0.6


def test_random_scale_crop_reaches_the_whole_short_side():
  example = _example(100, 120, masks=False)
  heights = [
    np.ptp(
      geometry.random_scale_crop(20, 0)(example, _rng(s))['image'][
        ..., 0
      ].astype(int)
    )
    for s in range(200)
  ]
  assert max(heights) > 90
  small = geometry.random_scale_crop(128)(example, _rng())['image']
  assert small.shape == (128, 128, 3)


def test_shared_arrays_stay_shared_and_are_not_written_to():
  image = _example()['image']
  example = geometry.copy('image', 'target')(
    {'name': 'x', 'image': image}, _rng()
  )
  assert example['target'] is image
  before = image.copy()
  for op in (
    geometry.random_scale_crop(16),
    geometry.rotate90(),
    geometry.fit(30),
  ):
    result = op(example, _rng(3))
    assert result['image'] is result['target']
  np.testing.assert_array_equal(image, before)


def test_masks_stay_binary_when_shrunk():
  result = geometry.scale(0.37)(_example(), _rng())
  assert result['mask'].shape == result['image'].shape == (18, 26, 3)
  assert set(np.unique(result['mask'])) <= {0, 255}


def test_float_pictures_are_shrunk_as_floats():
  image = np.full((40, 40, 3), 0.25, np.float32)
  result = geometry.scale(0.5)({'name': 'x', 'image': image}, _rng())['image']
  assert result.dtype == np.float32 and result.shape == (20, 20, 3)
  np.testing.assert_allclose(result, 0.25)


def test_fit_only_shrinks():
  assert geometry.fit(35)(_example(50, 70), _rng())['image'].shape == (
    25,
    35,
    3,
  )
  example = _example(50, 70)
  assert geometry.fit(70)(example, _rng())['image'] is example['image']


def test_flip_and_rotate_are_fair():
  example = _example(8, 8)
  image = example['image']
  flips = [geometry.flip()(example, _rng(s))['image'] for s in range(200)]
  mirrored = [np.array_equal(x, image[:, ::-1]) for x in flips]
  assert all(m or np.array_equal(x, image) for x, m in zip(flips, mirrored))
  assert 70 < sum(mirrored) < 130
  turns = [
    [
      np.array_equal(
        geometry.rotate90()(example, _rng(s))['image'], np.rot90(image, k)
      )
      for k in range(4)
    ]
    for s in range(200)
  ]
  assert min(np.sum(turns, 0)) > 30 and np.sum(turns) == 200


def test_downscale_is_of_the_image_alone():
  picture = cv2.GaussianBlur(
    _rng().integers(0, 256, (48, 64, 3), np.uint8), (0, 0), 2
  )
  example = {'name': 'x', 'image': picture, 'target': picture}
  result = geometry.downscale(4)(example, _rng())
  np.testing.assert_array_equal(
    result['image'], resampling.imresize(picture, 0.25)
  )
  assert result['target'] is picture
  odd = {'name': 'x', 'image': picture[:47]}
  with pytest.raises(ValueError, match=r'mod_crop\(4\)'):
    geometry.downscale(4)(odd, _rng())
  whole = geometry.downscale(4)(geometry.mod_crop(4)(odd, _rng()), _rng())
  assert whole['image'].shape == (11, 16, 3)


def _pair(height, width, factor):
  """'image' holds, in one pixel, the place of each block of the others."""
  image = _example(height, width, masks=False)['image']
  target = image.repeat(factor, 0).repeat(factor, 1)
  mask = np.where(target % 3 == 0, np.uint8(255), np.uint8(0))
  return {'name': 'x', 'image': image, 'target': target, 'mask': mask}


@pytest.mark.parametrize('factor', [2, 3, 4, 8])
@pytest.mark.parametrize(
  'op',
  [
    geometry.random_crop(48),
    geometry.center_crop(48),
    geometry.random_crop(240),
    geometry.flip(),
    geometry.rotate90(),
    geometry.mod_crop(24),
  ],
)
def test_geometry_keeps_pairs_of_two_sizes_in_register(op, factor):
  sizes = set()
  for seed in range(8):
    result = op(_pair(25, 27, factor), _rng(seed))
    image = result['image']
    np.testing.assert_array_equal(
      result['target'], image.repeat(factor, 0).repeat(factor, 1)
    )
    np.testing.assert_array_equal(
      result['mask'] == 255, result['target'] % 3 == 0
    )
    assert all(
      value.flags.c_contiguous
      for value in result.values()
      if isinstance(value, np.ndarray)
    )
    sizes.add(result['target'].shape[:2])
  assert sizes <= {
    (48, 48),
    (240, 240),
    (25 * factor, 27 * factor),
    (27 * factor, 25 * factor),
    tuple(side * factor // 24 * 24 for side in (25, 27)),
  }


def test_crops_of_pairs_take_every_window_of_the_smaller():
  corners = {
    tuple(
      geometry.random_crop(16)(_pair(6, 5, 4), _rng(seed))['image'][
        0, 0, :2
      ].tolist()
    )
    for seed in range(100)
  }
  assert corners == {(row, column) for row in range(3) for column in range(2)}


@pytest.mark.parametrize(
  'op, message',
  [
    (geometry.random_crop(18), 'size 18 is no multiple of 4'),
    (geometry.center_crop(6), 'size 6 is no multiple of 4'),
    (geometry.mod_crop(2), 'multiple 2 is no multiple of 4'),
    (geometry.scale(0.5), "'image' is 4 times smaller than 'target'"),
    (geometry.fit(500), "'image' is 4 times smaller than 'target'"),
    (geometry.random_scale_crop(8), 'this op is for pictures of one size'),
  ],
)
def test_what_pairs_of_two_sizes_cannot_do_is_said(op, message):
  with pytest.raises(ValueError, match=message):
    op(_pair(10, 12, 4), _rng())


@pytest.mark.parametrize(
  'key, extent',
  [
    ('image', (10, 11)),
    ('image', (7, 8)),
    ('mask', (10, 12)),
    ('target', (39, 48)),
    ('target', (10, 12)),
    ('image', (80, 96)),
  ],
)
def test_pictures_in_no_register_are_refused(key, extent):
  example = {**_pair(10, 12, 4), key: np.zeros((*extent, 3), np.uint8)}
  with pytest.raises(ValueError, match='geometry comes before'):
    geometry.flip()(example, _rng(1))
    geometry.random_crop(8)(example, _rng())


def test_an_empty_mask_of_a_pair_is_that_of_the_target():
  pair = _pair(10, 12, 4)
  del pair['mask']
  kept = geometry.keep('image', 'target', 'mask')(pair, _rng())
  assert kept['mask'].shape == (40, 48, 3) and not kept['mask'].any()


def test_keep_drops_the_rest_and_fills_in_masks():
  example = _example(masks=False)
  kept = geometry.keep('image', 'mask')(example, _rng())
  assert set(kept) == {'name', 'image', 'mask'}
  assert kept['mask'].shape == (50, 70, 3) and kept['mask'].dtype == np.uint8
  assert not kept['mask'].any()
  with pytest.raises(ValueError, match="no 'target'"):
    geometry.keep('target')({'name': 'x', 'image': example['image']}, _rng())
  with pytest.raises(ValueError, match="no 'depth' among"):
    geometry.copy('depth', 'target')(example, _rng())


@pytest.mark.parametrize(
  'make, message',
  [
    (lambda: geometry.random_crop(0), 'size'),
    (lambda: geometry.random_crop(12.5), 'size'),
    (lambda: geometry.random_scale_crop(8, 2), 'min_scale'),
    (lambda: geometry.scale(1.5), 'factor'),
    (lambda: geometry.downscale(0), 'factor'),
    (lambda: geometry.keep('picture'), 'picture'),
    (lambda: geometry.keep(), 'not among'),
  ],
)
def test_wrong_arguments_are_refused(make, message):
  with pytest.raises(ValueError, match=message):
    make()


def test_thumbnail_is_of_the_picture_before_the_crop():
  example = geometry.random_crop(16)(
    geometry.thumbnail(8)(_example(), _rng()), _rng()
  )
  assert example['image'].shape == (16, 16, 3)
  np.testing.assert_array_equal(
    example['context'], resampling.thumbnail(_example()['image'], 8)
  )
  assert 'context' in geometry.keep('image', 'context')(example, _rng())
  assert 'context' not in geometry.keep('image')(example, _rng())


def test_the_mask_becomes_the_target_and_is_empty_where_nothing_was_drawn():
  example = _example()
  out = geometry.mask_target()(example, _rng())
  assert out['target'] is example['mask'] and out['image'] is example['image']
  del example['mask']
  out = geometry.mask_target()(example, _rng())
  assert out['target'].shape == example['image'].shape
  assert out['target'].dtype == np.uint8 and not out['target'].any()


def test_where_pairs_differ_is_a_mask():
  target = np.full([6, 8, 3], 100, np.uint8)
  image = target.copy()
  image[2:4, 3:5, 1] = 120
  image[0, 0] = 104  # not to be seen
  old = np.zeros([6, 8, 3], np.uint8)
  old[5, :, 1] = 255
  example = {'image': image, 'target': target, 'mask': old, 'name': 'a'}
  mask = geometry.difference_mask('loss')(example, _rng())['mask']
  want = old.copy()
  want[2:4, 3:5, 1] = 255
  np.testing.assert_array_equal(mask, want)
  assert (
    geometry.difference_mask(least=0.0)(example, _rng())['mask'][0, 0, 0] == 255
  )
  for broken, problem in (
    ({'target': target[:3]}, 'differ in size'),
    ({'target': None}, 'no target'),
  ):
    broken = {k: v for k, v in {**example, **broken}.items() if v is not None}
    with pytest.raises(ValueError, match=problem):
      geometry.difference_mask()(broken, _rng())
  with pytest.raises(ValueError, match="no class of damage 'dirt'"):
    geometry.difference_mask('dirt')
  with pytest.raises(ValueError, match='least'):
    geometry.difference_mask(least=8)


def ramp(height=20, width=16):
  y, x = np.mgrid[:height, :width]
  return np.stack([8 * y, 8 * x, y + x], -1).astype(np.uint8)


def test_place_mirrors_as_tiles_do():
  from artjax.inference import tiling

  image = ramp()
  example = {'image': image, 'target': 255 - image, 'name': 'a'}
  out = geometry.place(32)(example, np.random.default_rng(0))
  read = lambda y, x, h, w: image[y : y + h, x : x + w]
  np.testing.assert_array_equal(
    out['image'], tiling.window(read, 20, 16, 0, 0, (32, 32))
  )
  np.testing.assert_array_equal(out['target'], 255 - out['image'])


def test_place_moves_all_pictures_alike_and_slightly():
  image = ramp()
  mask = np.where(image[..., :1] > 80, 255, 0).astype(np.uint8).repeat(3, -1)
  example = {'image': image, 'target': 255 - image, 'mask': mask, 'name': 'a'}
  op = geometry.place(24, turn=5.0, stretch=0.1, shift=2.0)
  one, same, other = (
    op(example, np.random.default_rng(seed)) for seed in (1, 1, 2)
  )
  np.testing.assert_array_equal(one['image'], same['image'])
  assert (one['image'] != other['image']).any()
  difference = np.abs(one['target'].astype(int) + one['image'] - 255)
  assert difference.max() <= 1
  assert set(np.unique(one['mask'])) <= {0, 255}
  still = geometry.place(24)(example, np.random.default_rng(0))
  moved = np.abs(one['image'][:16, :12].astype(int) - still['image'][:16, :12])
  assert 0 < moved.mean() < 8 * 4


def test_place_refuses():
  with pytest.raises(ValueError, match='20 x 24 px is larger than 16'):
    geometry.place(16)({'image': ramp(24, 20)}, np.random.default_rng(0))
  with pytest.raises(ValueError, match='must not be negative'):
    geometry.place(16, turn=-1.0)


def test_kind_is_the_label():
  example = geometry.kind()({'name': 'x', 'label': 7}, _rng())
  assert example['kind'].dtype == np.uint8 and example['kind'] == 7
  assert geometry.keep('kind')(example, _rng())['kind'] == 7
  for without in ({'name': 'x'}, {'name': 'x', 'label': 1000}):
    with pytest.raises(ValueError, match='no label in'):
      geometry.kind()(without, _rng())
