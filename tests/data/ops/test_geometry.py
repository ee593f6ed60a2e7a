"""Geometry acts on all pictures alike, and never writes into its input."""

from drawn_pictures import pair_of_places
from drawn_pictures import places
import numpy as np
import pytest

from artjax import resampling
from artjax.data.ops import fields
from artjax.data.ops import geometry
from artjax.data.ops import resize


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
    resize.mod_crop(8),
  ],
)
def test_geometry_is_the_same_for_all_pictures(op):
  for seed in range(8):
    result = op(places(), _rng(seed))
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
    image = geometry.random_crop(48)(places(50, 49), _rng(seed))['image']
    assert image.shape == (48, 48, 3)
    corners.add(tuple(image[0, 0, :2].tolist()))
    np.testing.assert_array_equal(image[-1, -1, :2] - image[0, 0, :2], [47, 47])
  assert corners == {(row, column) for row in range(3) for column in range(2)}


def test_crops_of_small_pictures_reflect():
  example = places(5, 40)
  image = geometry.center_crop(16)(example, _rng())['image']
  rows = np.pad(np.arange(5), (5, 6), 'reflect')
  np.testing.assert_array_equal(image[:, 0, 0], rows)
  np.testing.assert_array_equal(image[0, :, 1], np.arange(12, 28))


def test_center_crop_is_central():
  image = geometry.center_crop(10)(places(50, 70), _rng())['image']
  assert image[0, 0].tolist() == [20, 30, 7]


def test_random_scale_crop_spans_its_scales():
  example = places(200, 250, masks=False)
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
  example = places(100, 120, masks=False)
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
  image = places()['image']
  example = fields.copy('image', 'target')(
    {'name': 'x', 'image': image}, _rng()
  )
  assert example['target'] is image
  before = image.copy()
  for op in (
    geometry.random_scale_crop(16),
    geometry.rotate90(),
    resize.fit(30),
  ):
    result = op(example, _rng(3))
    assert result['image'] is result['target']
  np.testing.assert_array_equal(image, before)


def test_flip_and_rotate_are_fair():
  example = places(8, 8)
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


@pytest.mark.parametrize('factor', [2, 3, 4, 8])
@pytest.mark.parametrize(
  'op',
  [
    geometry.random_crop(48),
    geometry.center_crop(48),
    geometry.random_crop(240),
    geometry.flip(),
    geometry.rotate90(),
    resize.mod_crop(24),
  ],
)
def test_geometry_keeps_pairs_of_two_sizes_in_register(op, factor):
  sizes = set()
  for seed in range(8):
    result = op(pair_of_places(25, 27, factor), _rng(seed))
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
      geometry.random_crop(16)(pair_of_places(6, 5, 4), _rng(seed))['image'][
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
    (resize.mod_crop(2), 'multiple 2 is no multiple of 4'),
    (resize.scale(0.5), "'image' is 4 times smaller than 'target'"),
    (resize.fit(500), "'image' is 4 times smaller than 'target'"),
    (geometry.random_scale_crop(8), 'this op is for pictures of one size'),
  ],
)
def test_what_pairs_of_two_sizes_cannot_do_is_said(op, message):
  with pytest.raises(ValueError, match=message):
    op(pair_of_places(10, 12, 4), _rng())


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
  example = {**pair_of_places(10, 12, 4), key: np.zeros((*extent, 3), np.uint8)}
  with pytest.raises(ValueError, match='geometry comes before'):
    geometry.flip()(example, _rng(1))
    geometry.random_crop(8)(example, _rng())


@pytest.mark.parametrize(
  'make, message',
  [
    (lambda: geometry.random_crop(0), 'size'),
    (lambda: geometry.random_crop(12.5), 'size'),
    (lambda: geometry.random_scale_crop(8, 2), 'min_scale'),
    (lambda: resize.scale(1.5), 'factor'),
    (lambda: resize.downscale(0), 'factor'),
    (lambda: fields.keep('picture'), 'picture'),
    (lambda: fields.keep(), 'not among'),
  ],
)
def test_wrong_arguments_are_refused(make, message):
  with pytest.raises(ValueError, match=message):
    make()


def test_thumbnail_is_of_the_picture_before_the_crop():
  example = geometry.random_crop(16)(
    fields.thumbnail(8)(places(), _rng()), _rng()
  )
  assert example['image'].shape == (16, 16, 3)
  np.testing.assert_array_equal(
    example['context'], resampling.thumbnail(places()['image'], 8)
  )
  assert 'context' in fields.keep('image', 'context')(example, _rng())
  assert 'context' not in fields.keep('image')(example, _rng())


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
