"""Masks that users bring."""

import cv2
import numpy as np
import pytest

from artjax.restoration import mask_file


def save(path, mask):
  cv2.imwrite(str(path), mask)
  return str(path)


@pytest.fixture(name='hole')
def hole_fixture():
  hole = np.zeros([40, 60], bool)
  hole[10:20, 5:30] = True
  return hole


def test_white_is_what_is_filled(tmp_path, hole):
  path = save(tmp_path / 'm.png', np.uint8(hole) * 255)
  have, notices = mask_file.load(path, 40, 60)
  np.testing.assert_array_equal(have, hole)
  assert not notices


def test_colours_and_transparency(tmp_path, hole):
  red = np.zeros([40, 60, 3], np.uint8)
  red[hole] = (0, 0, 255)
  have, _ = mask_file.load(save(tmp_path / 'red.png', red), 40, 60)
  np.testing.assert_array_equal(have, hole)
  strokes = np.full([40, 60, 4], 255, np.uint8)
  strokes[..., 3] = np.uint8(hole) * 255
  have, _ = mask_file.load(save(tmp_path / 'a.png', strokes), 40, 60)
  np.testing.assert_array_equal(have, hole)


def test_another_size_is_resized_and_said(tmp_path, hole):
  path = save(tmp_path / 'm.png', np.uint8(hole) * 255)
  have, notices = mask_file.load(path, 80, 120)
  np.testing.assert_array_equal(have[10:-10:2, 10:-10:2].shape, (30, 50))
  assert abs(have.mean() - hole.mean()) < 0.02
  assert len(notices) == 1 and '60 x 40 px: resized' in notices[0]


def test_another_shape_is_another_picture(tmp_path, hole):
  path = save(tmp_path / 'm.png', np.uint8(hole) * 255)
  with pytest.raises(mask_file.BadMask, match='m.png: .* not the same picture'):
    mask_file.load(path, 60, 40)


def test_soft_masks_are_cut_and_said(tmp_path):
  ramp = np.tile(np.linspace(0, 255, 64).astype(np.uint8), [32, 1])
  path = save(tmp_path / 'm.png', ramp)
  for threshold in (0.25, 0.75):
    have, notices = mask_file.load(path, 32, 64, threshold)
    np.testing.assert_array_equal(have, ramp > 255 * threshold)
    assert f'cut at {threshold:g}' in notices[0]


def test_masks_of_everything_or_nothing(tmp_path):
  blank = np.zeros([20, 20], np.uint8)
  have, notices = mask_file.load(save(tmp_path / 'none.png', blank), 20, 20)
  assert not have.any() and 'none.png is empty' in notices[0]
  with pytest.raises(mask_file.BadMask, match='covers the whole picture'):
    mask_file.load(save(tmp_path / 'all.png', blank + 255), 20, 20)
  blank[:17] = 255
  _, notices = mask_file.load(save(tmp_path / 'most.png', blank), 20, 20)
  assert 'covers 85%; is it inverted?' in notices[0]


def test_what_is_no_mask_is_named(tmp_path):
  (tmp_path / 'm.png').write_text('text')
  with pytest.raises(mask_file.BadMask, match='m.png: not a picture'):
    mask_file.load(str(tmp_path / 'm.png'), 20, 20)
  with pytest.raises(mask_file.BadMask, match='gone.png: no such mask'):
    mask_file.find(str(tmp_path / 'gone.png'), 'a.jpg')


def test_a_folder_of_masks(tmp_path):
  for name in ('a.png', 'b-mask.tif', 'c.png', 'c_mask.png', 'd.txt'):
    (tmp_path / name).touch()
  find = lambda name: mask_file.find(str(tmp_path), f'scans/{name}')
  assert find('a.jpg') == str(tmp_path / 'a.png')
  assert find('b.jpg') == str(tmp_path / 'b-mask.tif')
  with pytest.raises(mask_file.BadMask, match='several files.*c.png, c_mask'):
    find('c.jpg')
  with pytest.raises(
    mask_file.BadMask, match='scans/d.jpg: .* no mask of the '
  ):
    find('d.jpg')
