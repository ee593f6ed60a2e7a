"""Local damage: it stays inside its mask, and masks add up."""

import functools

from conftest import shared
import cv2
import numpy as np
import pytest

from artjax import damage_classes
from artjax import registry
from artjax.data.degradations import decorators
from artjax.data.degradations.local import from_masks
from artjax.data.degradations.local import lines
from artjax.data.degradations.local import losses
from artjax.data.degradations.local import stains

FACTORIES = registry.ops('artjax.data.degradations.local')
del FACTORIES['masks_from']
PARTS = {
  'crack': {'scratches', 'craquelure', 'hair', 'folds'},
  'loss': {
    'paint_losses',
    'tears',
    'holes',
    'wide_strokes',
    'labels',
    'text_over',
    'fillings',
    'filled_holes',
  },
  'stain': {
    'water_stains',
    'foxing',
    'mould',
    'dust',
    'tape',
    'grime',
    'film_dirt',
  },
}


def picture(height=96, width=112):
  y, x = np.mgrid[:height, :width] / max(height, width)
  image = np.stack(
    [
      0.5 + 0.4 * np.sin(6 * x + phase + 5 * y * phase)
      for phase in (0.3, 1.4, 2.2)
    ],
    -1,
  )
  return np.rint(255 * image).astype(np.uint8)


def damaged(factory, image, severity=0.8, seed=0, **example):
  return factory(severity)(
    {'image': image, **example}, np.random.default_rng(seed)
  )


def write_masks(folder):
  """Two small masks: a disc and a bar."""
  folder.mkdir()
  disc = np.zeros((50, 70), np.uint8)
  cv2.circle(disc, (35, 25), 15, 255, -1)
  bar = np.zeros((64, 40), np.uint8)
  bar[:, 10:16] = 255
  cv2.imwrite(str(folder / 'disc.png'), disc)
  cv2.imwrite(str(folder / 'bar.png'), bar)
  return folder


@pytest.fixture(name='factories', scope='module')
def all_factories(tmp_path_factory):
  folder = write_masks(tmp_path_factory.mktemp('masks') / 'shapes')
  return {
    **FACTORIES,
    'masks_from': functools.partial(from_masks.masks_from, str(folder)),
  }


NAMES = [*FACTORIES, 'masks_from']


def test_all_of_the_list_are_there():
  assert set(FACTORIES) == set().union(*PARTS.values())


@pytest.mark.parametrize('name', NAMES)
def test_severity_zero_is_the_identity(factories, name):
  example = {'image': picture(), 'mask': np.zeros((96, 112, 3), np.uint8)}
  out = factories[name](severity=0)(example, np.random.default_rng(0))
  assert out['image'] is example['image'] and out['mask'] is example['mask']


@pytest.mark.parametrize('name', NAMES)
@pytest.mark.parametrize('shape', [(97, 131), (33, 40)])
def test_shape_range_and_input_are_kept(factories, name, shape):
  image = decorators.as_float(picture(*shape))
  kept = image.copy()
  for seed in range(12):
    for severity in (0.05, 1.0):
      out = damaged(
        lambda s: factories[name](severity=s), image, severity, seed
      )
      assert out['image'].shape == image.shape
      assert out['image'].dtype == np.float32
      assert np.isfinite(out['image']).all()
      assert 0 <= out['image'].min() and out['image'].max() <= 1
      assert out['mask'].shape == image.shape
      assert out['mask'].dtype == np.uint8
      assert set(np.unique(out['mask'])) <= {0, 255}
  np.testing.assert_array_equal(image, kept)


@pytest.mark.parametrize('name', NAMES)
def test_the_mask_covers_what_changed(factories, name):
  image = picture()
  for seed in range(20):
    out = damaged(lambda s: factories[name](severity=s), image, 0.7, seed)
    changed = np.abs(out['image'] - image / np.float32(255)).max(-1)
    inside = out['mask'].max(-1) > 0
    assert changed[~inside].max(initial=0) <= decorators.VISIBLE + 1e-6
    # And not the whole picture instead.
    assert inside.mean() < 0.95


@pytest.mark.parametrize('name', sorted(FACTORIES))
def test_masks_are_in_their_channel_and_not_idle(name):
  (part,) = (part for part, names in PARTS.items() if name in names)
  covered = []
  for seed in range(12):
    mask = damaged(FACTORIES[name], picture(), 0.8, seed)['mask']
    share = (mask > 0).mean((0, 1))
    channel = damage_classes.index(part)
    assert np.delete(share, channel).max() == 0
    covered.append(share[channel])
  assert np.mean(covered) > 0.002


@pytest.mark.parametrize('name', NAMES)
def test_same_generator_same_damage(factories, name):
  image = picture()
  op = factories[name](severity=(0.3, 0.9))
  one, two, other = (
    op({'image': image}, np.random.default_rng(seed)) for seed in (1, 1, 5)
  )
  np.testing.assert_array_equal(one['image'], two['image'])
  np.testing.assert_array_equal(one['mask'], two['mask'])
  assert np.abs(one['image'] - other['image']).max() > 0


@pytest.mark.parametrize('name', NAMES)
def test_change_grows_with_severity(factories, name):
  image = picture()
  reference = image / np.float32(255)
  means = [
    np.mean(
      [
        np.abs(
          damaged(lambda s: factories[name](severity=s), image, severity, seed)[
            'image'
          ]
          - reference
        ).mean()
        for seed in range(50)
      ]
    )
    for severity in (0.02, 0.2, 0.5, 1.0)
  ]
  # A mask of a folder is fully there from 0.5 on.
  grows = zip(means[:-1], means[1:]) if name != 'masks_from' else [means[:2]]
  assert all(a < b for a, b in grows), means
  assert means[0] < 0.01, means


def test_masks_or_together():
  image = picture()
  old = np.zeros(image.shape, np.uint8)
  old[:20, :, 0], old[:, :9, 2] = 255, 255
  kept = old.copy()
  alone = damaged(lines.scratches, image)['mask']
  both = damaged(lines.scratches, image, mask=old)['mask']
  np.testing.assert_array_equal(both, old | alone)
  np.testing.assert_array_equal(old, kept)
  again = damaged(losses.paint_losses, image, mask=both, seed=4)['mask']
  assert ((again & both) == both).all() and (again > both).any()


@pytest.mark.parametrize(
  'pattern', ['mesh', 'brick', 'walks', 'parallel', 'rings']
)
def test_every_pattern_of_craquelure_is_thin(pattern):
  for seed in range(6):
    op = lines.craquelure(1.0, pattern=pattern, cell=20)
    out = op({'image': picture(128, 128)}, np.random.default_rng(seed))
    crack = out['mask'][..., 0]
    assert 0.002 < (crack > 0).mean() < 0.6
    # Nowhere does a line become a patch.
    assert cv2.erode(crack, np.ones((9, 9))).max() == 0


def test_water_stains_are_darkest_at_the_rim():
  """On white, that is: but for the few that are bleached."""
  image = np.full((96, 96, 3), 255, np.uint8)
  darker = []
  for seed in range(30):
    out = damaged(stains.water_stains, image, 0.8, seed)
    inside = cv2.copyMakeBorder(
      out['mask'][..., 2], 1, 1, 1, 1, cv2.BORDER_REPLICATE
    )
    depth = cv2.distanceTransform(inside, cv2.DIST_L2, 3)[1:-1, 1:-1]
    rim, middle = (depth > 1) & (depth < 4), depth > 10
    if rim.sum() > 50 and middle.sum() > 50:
      grey = out['image'].mean(-1)
      darker.append(grey[rim].mean() < grey[middle].mean())
  assert len(darker) > 8 and np.mean(darker) > 0.7


def test_holes_are_opaque_and_filled_as_asked():
  image = picture()
  for shape in ('brush', 'polygons', 'boxes'):
    out = losses.holes(1.0, shape=shape, fill='white')(
      {'image': image}, np.random.default_rng(2)
    )
    inside = cv2.erode(out['mask'][..., 1], np.ones((5, 5))) > 0
    # All but the seams where two edges meet.
    assert inside.any() and (out['image'][inside] > 0.999).mean() > 0.98
  flat = losses.holes(1.0, shape='boxes', fill='flat')(
    {'image': image}, np.random.default_rng(2)
  )
  assert np.ptp(flat['image'][flat['mask'][..., 1] > 0], axis=0).max() < 1e-5


def test_lines_cover_the_same_share_of_any_size():
  share = {}
  for side in (128, 512):
    share[side] = np.mean(
      [
        (
          damaged(lines.scratches, picture(side, side), 0.8, seed)['mask'] > 0
        ).mean()
        for seed in range(16)
      ]
    )
  assert share[512] == pytest.approx(share[128], rel=0.5)


def test_unknown_kinds_are_named():
  cases = [
    (lines.craquelure, {'pattern': 'web'}, 'web.*mesh'),
    (losses.paint_losses, {'kind': 'big'}, 'big.*flakes'),
    (losses.holes, {'shape': 'round'}, 'round.*brush'),
    (losses.holes, {'fill': 'pink'}, 'pink.*white'),
  ]
  for factory, parameters, message in cases:
    with pytest.raises(ValueError, match=message):
      factory(1.0, **parameters)({'image': picture()}, np.random.default_rng(0))


def test_masks_from_draws_the_folders_shapes(tmp_path):
  folder = write_masks(tmp_path / 'shapes')
  image = picture(64, 64)
  op = from_masks.masks_from(str(folder), 1.0, part='stain', fill='white')
  for seed in range(8):
    out = op({'image': image}, np.random.default_rng(seed))
    assert out['mask'][..., :2].max() == 0
    core = cv2.erode(out['mask'][..., 2], np.ones((9, 9))) > 0
    assert (out['image'][core] > 0.95).all()
  inverted = from_masks.masks_from(str(folder), 1.0, fill='white', invert=True)
  share = [
    (inverted({'image': image}, np.random.default_rng(seed))['mask'] > 0)
    .any(-1)
    .mean()
    for seed in range(8)
  ]
  assert np.mean(share) > 0.5


def test_masks_from_says_what_is_missing(tmp_path):
  with pytest.raises(FileNotFoundError, match='nowhere'):
    from_masks.masks_from(str(tmp_path / 'nowhere'))
  (tmp_path / 'broken.png').write_bytes(b'no picture')
  op = from_masks.masks_from(str(tmp_path), 1.0)
  with pytest.raises(ValueError, match='broken.png'):
    op({'image': picture()}, np.random.default_rng(0))
  with pytest.raises(ValueError, match="'scar'.*crack"):
    from_masks.masks_from(str(tmp_path), part='scar')


def test_masks_from_film_damage():
  folder = shared('masks/film_damage')
  op = from_masks.masks_from(str(folder), 1.0, part='crack')
  out = op({'image': picture()}, np.random.default_rng(1))
  assert 0 < (out['mask'][..., 0] > 0).mean() < 0.9


@pytest.mark.parametrize('name', sorted(FACTORIES))
def test_the_weight_bounds_what_changed(name):
  image = decorators.as_float(picture())
  for seed in range(16):
    severity = (0.1, 0.4, 0.8, 1.0)[seed % 4]
    changed, weight = FACTORIES[name].__wrapped__(
      image, severity, np.random.default_rng(seed)
    )
    assert weight.shape == image.shape[:2] and weight.dtype == np.float32
    assert weight.min() >= -1e-6 and weight.max() <= 1 + 1e-5
    apart = np.abs(decorators.clip(changed) - image).max(-1)
    assert (apart - weight).max() <= 1e-3
