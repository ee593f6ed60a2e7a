"""Holes: of the share asked for, repeatable, and nothing else is changed."""

import cv2
import numpy as np
import pytest

from artjax import registry
from artjax.data.degradations import inpainting_masks


def _example(height=96, width=128):
  image = (
    np.random.default_rng(0)
    .integers(0, 256, (height, width, 3))
    .astype(np.uint8)
  )
  image.setflags(write=False)
  return {'name': 'x', 'image': image, 'target': image}


def _share(example):
  return (example['mask'] > 0).any(-1).mean()


@pytest.mark.parametrize('kind', inpainting_masks.KINDS)
@pytest.mark.parametrize('shape', [(96, 128), (40, 33), (16, 200)])
def test_the_share_is_within_the_band(kind, shape):
  for area in ((0.1, 0.3), (0.01, 0.5)):
    op = inpainting_masks.missing(area, kind)
    shares = [
      _share(op(_example(*shape), np.random.default_rng(seed)))
      for seed in range(6)
    ]
    assert area[0] <= min(shares) and max(shares) <= area[1], shares
    assert np.ptp(shares) > 0


@pytest.mark.parametrize('kind', inpainting_masks.KINDS)
def test_same_generator_same_mask(kind):
  op = inpainting_masks.missing((0.05, 0.3), kind)
  one, two, other = (
    op(_example(), np.random.default_rng(seed))['mask'] for seed in (0, 0, 1)
  )
  np.testing.assert_array_equal(one, two)
  assert (one != other).any()


def test_only_the_mask_is_written():
  example = _example()
  old = np.full_like(example['image'], 255)
  made = inpainting_masks.missing((0.1, 0.3))(
    {**example, 'mask': old}, np.random.default_rng(0)
  )
  assert made['image'] is example['image']
  assert made['target'] is example['target']
  mask = made['mask']
  assert mask.dtype == np.uint8 and mask.shape == example['image'].shape
  assert set(np.unique(mask)) == {0, 255}
  assert (mask == mask[..., :1]).all()
  assert _share(made) < 0.31  # the old one is gone


def test_kinds_differ_in_how_far_in_their_middle_is():
  def depth(kind):
    masks = [
      inpainting_masks.draw(
        (192, 192), np.random.default_rng(seed), (0.2, 0.3), kind
      )
      for seed in range(5)
    ]
    return np.mean(
      [
        cv2.distanceTransform(np.uint8(mask), cv2.DIST_L2, 5).max()
        for mask in masks
      ]
    )

  assert depth('cracks') < depth('thick')
  assert depth('thin') < depth('medium') < depth('thick')


def test_a_chain_draws_all_kinds():
  op = registry.chain(
    'missing(area=(0.1, 0.3))|keep("image", "target", "mask")'
  )
  shares = [
    _share(op(_example(), np.random.default_rng(seed))) for seed in range(20)
  ]
  assert 0.1 <= min(shares) and max(shares) <= 0.3


@pytest.mark.parametrize(
  'area', [(0.3, 0.1), (0.2, 0.2), (0.0, 0.1), (0.1, 1.2), 0.3, ('a', 'b')]
)
def test_no_such_area(area):
  with pytest.raises(ValueError, match='area must be'):
    inpainting_masks.missing(area)


def test_unknown_kind_names_the_known_ones():
  with pytest.raises(ValueError, match="'fat'.*thick"):
    inpainting_masks.missing(kinds=('thin', 'fat'))


def test_what_cannot_be_had_is_said():
  with pytest.raises(ValueError, match='boxes that cover 0.41 to 0.42'):
    inpainting_masks.draw(
      (2, 2), np.random.default_rng(0), (0.41, 0.42), 'boxes'
    )


# Masks of a folder.


@pytest.fixture
def folder(tmp_path):
  for name, rows in (('a/small.png', 10), ('b/large.png', 60)):
    mask = np.zeros([100, 100], np.uint8)
    mask[:rows] = 200
    (tmp_path / name).parent.mkdir()
    cv2.imwrite(str(tmp_path / name), mask)
  return tmp_path


def test_masks_of_a_folder_are_turned(folder):
  op = inpainting_masks.missing_from(str(folder))
  example = _example(100, 100)
  made = [op(example, np.random.default_rng(seed)) for seed in range(30)]
  assert {round(_share(m), 2) for m in made} == {0.1, 0.6}
  # Each side of the picture is the one that is missing, some time.
  rims = {
    tuple(m['mask'][[0, 99, 50, 50], [50, 50, 0, 99], 0])
    for m in made
    if _share(m) < 0.2
  }
  assert len(rims) == 4


def test_masks_of_a_folder_are_cut_and_enlarged(folder):
  op = inpainting_masks.missing_from(str(folder))
  for shape in ((30, 50), (250, 180), (99, 101)):
    made = op(_example(*shape), np.random.default_rng(0))
    assert made['mask'].shape == (*shape, 3)
    assert set(np.unique(made['mask'])) <= {0, 255}


def test_masks_of_a_folder_can_be_chosen_by_area(folder):
  op = inpainting_masks.missing_from(str(folder), (0.5, 0.7))
  for seed in range(5):
    assert 0.5 <= _share(op(_example(100, 100), np.random.default_rng(seed)))
  op = inpainting_masks.missing_from(str(folder), (0.8, 0.9))
  with pytest.raises(ValueError, match='covers 0.8 to 0.9'):
    op(_example(100, 100), np.random.default_rng(0))


def test_folders_and_files_that_are_none(tmp_path):
  with pytest.raises(ValueError, match='no such folder, or no masks'):
    inpainting_masks.missing_from(str(tmp_path / 'missing'))
  (tmp_path / 'bad.png').write_bytes(b'no picture')
  with pytest.raises(ValueError, match='bad.png: no picture'):
    inpainting_masks.missing_from(str(tmp_path))(
      _example(), np.random.default_rng(0)
    )
