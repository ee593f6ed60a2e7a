"""Masks and hints that users bring."""

import json
import pathlib

import cv2
import numpy as np
import pytest

from artjax.restoration.masks import user_inputs


def save(path, image):
  assert cv2.imwrite(str(path), image)
  return str(path)


@pytest.fixture(name='hole')
def hole_fixture():
  hole = np.zeros([40, 60], bool)
  hole[10:20, 5:30] = True
  return hole


def test_white_is_what_is_filled(tmp_path, hole):
  path = save(tmp_path / 'm.png', np.uint8(hole) * 255)
  have, notices = user_inputs.load_mask(path, 40, 60)
  np.testing.assert_array_equal(have, hole)
  assert not notices


def test_colours_and_transparency(tmp_path, hole):
  red = np.zeros([40, 60, 3], np.uint8)
  red[hole] = (0, 0, 255)
  have, _ = user_inputs.load_mask(save(tmp_path / 'red.png', red), 40, 60)
  np.testing.assert_array_equal(have, hole)
  strokes = np.full([40, 60, 4], 255, np.uint8)
  strokes[..., 3] = np.uint8(hole) * 255
  have, _ = user_inputs.load_mask(save(tmp_path / 'a.png', strokes), 40, 60)
  np.testing.assert_array_equal(have, hole)


@pytest.mark.parametrize('sheet', ['copy', 'black', 'white'])
def test_a_hole_may_be_what_is_transparent(tmp_path, hole, sheet):
  image = np.random.default_rng(0).integers(0, 256, [40, 60, 4], np.uint8)
  if sheet != 'copy':
    image[..., :3] = 255 * (sheet == 'white')
  image[..., 3] = 255 * np.uint8(~hole)
  path = save(tmp_path / 'm.png', image)
  have, notices = user_inputs.load_mask(path, 40, 60)
  np.testing.assert_array_equal(have, hole)
  assert 'what is transparent is taken as the hole' in notices[0]
  # A large one too, where colours tell.
  if sheet != 'white':
    image[:30, :, 3] = 0
    path = save(tmp_path / 'm.png', image)
    have, _ = user_inputs.load_mask(path, 40, 60)
    np.testing.assert_array_equal(have, image[..., 3] == 0)


def test_another_size_is_resized_and_said(tmp_path, hole):
  path = save(tmp_path / 'm.png', np.uint8(hole) * 255)
  have, notices = user_inputs.load_mask(path, 80, 120)
  np.testing.assert_array_equal(have[10:-10:2, 10:-10:2].shape, (30, 50))
  assert abs(have.mean() - hole.mean()) < 0.02
  assert len(notices) == 1 and '60 x 40 px: resized' in notices[0]


def test_another_shape_is_another_picture(tmp_path, hole):
  path = save(tmp_path / 'm.png', np.uint8(hole) * 255)
  with pytest.raises(
    user_inputs.BadInput, match='m.png: .* not the same picture'
  ):
    user_inputs.load_mask(path, 60, 40)


def test_soft_masks_are_cut_and_said(tmp_path):
  ramp = np.tile(np.linspace(0, 255, 64).astype(np.uint8), [32, 1])
  path = save(tmp_path / 'm.png', ramp)
  for threshold in (0.25, 0.75):
    have, notices = user_inputs.load_mask(path, 32, 64, threshold)
    np.testing.assert_array_equal(have, ramp > 255 * threshold)
    assert f'cut at {threshold:g}' in notices[0]


def test_masks_of_everything_or_nothing(tmp_path):
  blank = np.zeros([20, 20], np.uint8)
  have, notices = user_inputs.load_mask(
    save(tmp_path / 'none.png', blank), 20, 20
  )
  assert not have.any() and 'none.png is empty' in notices[0]
  with pytest.raises(user_inputs.BadInput, match='covers the whole picture'):
    user_inputs.load_mask(save(tmp_path / 'all.png', blank + 255), 20, 20)
  blank[:17] = 255
  _, notices = user_inputs.load_mask(save(tmp_path / 'most.png', blank), 20, 20)
  assert 'covers 85%; is it inverted?' in notices[0]


def test_what_is_no_mask_is_named(tmp_path):
  (tmp_path / 'm.png').write_text('text')
  with pytest.raises(user_inputs.BadInput, match='m.png: not a picture'):
    user_inputs.load_mask(str(tmp_path / 'm.png'), 20, 20)
  with pytest.raises(user_inputs.BadInput, match='gone.png: no such mask'):
    user_inputs.find(str(tmp_path / 'gone.png'), 'a.jpg')


def test_a_folder_of_masks(tmp_path):
  for name in ('a.png', 'b-mask.tif', 'c.png', 'c.tif', 'd.txt'):
    (tmp_path / name).touch()
  find = lambda name: user_inputs.find(str(tmp_path), f'scans/{name}')
  assert find('a.jpg') == str(tmp_path / 'a.png')
  assert find('b.jpg') == str(tmp_path / 'b-mask.tif')
  with pytest.raises(user_inputs.BadInput, match='several files.*c.png, c.tif'):
    find('c.jpg')
  with pytest.raises(
    user_inputs.BadInput, match='scans/d.jpg: .* no mask of the '
  ):
    find('d.jpg')


def test_the_mask_is_found_among_other_files_of_the_name(tmp_path):
  names = ['a.png', 'a.change.png', 'a.png.json']
  find = lambda name, below='': pathlib.Path(
    user_inputs.find(str(tmp_path), str(tmp_path / name), below=below)
  ).relative_to(tmp_path)
  for name in names:
    (tmp_path / name).touch()
  # Beside a picture lies its mask; it is none itself.
  with pytest.raises(user_inputs.BadInput, match='holds no mask'):
    find('a.png')
  # Nor is a result, wherever it lies.
  entry = {'status': 'done', 'key': 'k', 'files': ['a.png']}
  (tmp_path / 'restore.jsonl').write_text(json.dumps(entry) + '\n')
  with pytest.raises(user_inputs.BadInput, match='holds no mask'):
    find('scans/a.png')
  # What was found there, what was filled, and what is of this very file.
  for name in (
    'a.damage.png',
    'a.png.damage.png',
    'a.mask.png',
    'a.png.mask.png',
  ):
    (tmp_path / name).touch()
    assert str(find('a.png')) == name
  assert str(find('a.jpg')) == 'a.mask.png'
  # Folders below are those of the pictures.
  (tmp_path / 'b').mkdir()
  assert str(find('b/a.jpg', 'c/a.jpg')) == 'a.mask.png'
  with pytest.raises(user_inputs.BadInput, match='holds no mask'):
    find('b/a.jpg', 'b/a.jpg')
  (tmp_path / 'b' / 'a-mask.tif').touch()
  assert str(find('b/a.jpg', 'b/a.jpg')) == 'b/a-mask.tif'


# ---- hints ------------------------------------------------------------------


def strokes(height=20, width=30):
  image = np.zeros([height, width, 4], np.uint8)
  image[5:9, 3:8] = 10, 120, 250, 255  # blue, green, red
  image[0, 0] = 9, 9, 9, 100  # hardly there
  return image


@pytest.mark.parametrize('dtype', [np.uint8, np.uint16])
def test_strokes_are_read(tmp_path, dtype):
  image = strokes().astype(dtype) * (np.iinfo(dtype).max // 255)
  hints, notices = user_inputs.load_hints(
    save(tmp_path / 'a.png', image), 20, 30
  )
  assert hints.dtype == np.uint8 and hints.shape == (20, 30, 4)
  assert (hints[5:9, 3:8] == (250, 120, 10, 255)).all()
  assert hints.any(-1).sum() == 20
  assert not notices


def test_another_size_is_said(tmp_path):
  path = save(tmp_path / 'a.png', strokes())
  hints, notices = user_inputs.load_hints(path, 61, 90)
  assert hints.shape == (20, 30, 4)
  assert notices == [f'the hints {path} are 30 x 20 px: resized']


def test_a_thin_stroke_on_a_large_sheet_stays(tmp_path):
  image = np.zeros([2100, 2400, 4], np.uint8)
  image[1001, 200:2200] = 0, 0, 200, 255
  image[500:520, 100:300] = 40, 80, 120, 255
  hints, _ = user_inputs.load_hints(save(tmp_path / 'a.png', image), 2100, 2400)
  assert hints.shape == (1050, 1200, 4)
  assert (hints[500, 100:1100] == (200, 0, 0, 255)).all()
  assert (hints[250:260, 50:150] == (120, 80, 40, 255)).all()
  assert (hints[..., 3] > 0).sum() == 1000 + 10 * 100


@pytest.mark.parametrize(
  'image, message',
  [
    (
      strokes(20, 20),
      'hints of 20 x 20 px for a picture of 30 x 20 px: not the same picture',
    ),
    (strokes()[..., :3], 'no transparency; hints are transparent but for'),
    (0 * strokes(), 'entirely transparent: it holds no colour'),
  ],
)
def test_what_is_of_no_use_is_named(tmp_path, image, message):
  path = save(tmp_path / 'a.png', image)
  with pytest.raises(user_inputs.BadInput) as error:
    user_inputs.load_hints(path, 20, 30)
  assert str(error.value).startswith(f'{path}: {message}')


def test_what_is_no_picture_is_named(tmp_path):
  for content, message in ((b'', 'is empty'), (b'text', 'not a picture')):
    (tmp_path / 'a.png').write_bytes(content)
    with pytest.raises(user_inputs.BadInput, match=f'a.png: .*{message}'):
      user_inputs.load_hints(str(tmp_path / 'a.png'), 20, 30)
  with pytest.raises(user_inputs.BadInput, match='b.png: No such file'):
    user_inputs.load_hints(str(tmp_path / 'b.png'), 20, 30)


def test_a_folder_of_hints(tmp_path):
  for name in ('a.png', 'b-hints.png', 'c-hints.png', 'c_hints.png'):
    (tmp_path / name).touch()
  find = lambda name: user_inputs.find(str(tmp_path), f'scans/{name}', 'hints')
  assert find('a.jpg') == str(tmp_path / 'a.png')
  assert find('b.tif') == str(tmp_path / 'b-hints.png')
  with pytest.raises(user_inputs.BadInput, match='several files.*c_hints'):
    find('c.jpg')
  with pytest.raises(user_inputs.BadInput, match='d.jpg: .* no hints of the '):
    find('d.jpg')
  with pytest.raises(user_inputs.BadInput, match='gone: no such hints'):
    user_inputs.find(str(tmp_path / 'gone'), 'a.jpg', 'hints')
