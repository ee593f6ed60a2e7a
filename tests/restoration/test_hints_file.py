"""Hints that users bring."""

import cv2
import numpy as np
import pytest

from artjax.restoration import hints_file


def save(path, image):
  assert cv2.imwrite(str(path), image)
  return str(path)


def strokes(height=20, width=30):
  image = np.zeros([height, width, 4], np.uint8)
  image[5:9, 3:8] = 10, 120, 250, 255  # blue, green, red
  image[0, 0] = 9, 9, 9, 100  # hardly there
  return image


@pytest.mark.parametrize('dtype', [np.uint8, np.uint16])
def test_strokes_are_read(tmp_path, dtype):
  image = strokes().astype(dtype) * (np.iinfo(dtype).max // 255)
  hints, notices = hints_file.load(save(tmp_path / 'a.png', image), 20, 30)
  assert hints.dtype == np.uint8 and hints.shape == (20, 30, 4)
  assert (hints[5:9, 3:8] == (250, 120, 10, 255)).all()
  assert hints.any(-1).sum() == 20
  assert not notices


def test_another_size_is_said(tmp_path):
  path = save(tmp_path / 'a.png', strokes())
  hints, notices = hints_file.load(path, 61, 90)
  assert hints.shape == (20, 30, 4)
  assert notices == [f'the hints {path} are 30 x 20 px: resized']


def test_a_thin_stroke_on_a_large_sheet_stays(tmp_path):
  image = np.zeros([2100, 2400, 4], np.uint8)
  image[1001, 200:2200] = 0, 0, 200, 255
  image[500:520, 100:300] = 40, 80, 120, 255
  hints, _ = hints_file.load(save(tmp_path / 'a.png', image), 2100, 2400)
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
    (0 * strokes(), 'all transparent, so it tells no colour'),
  ],
)
def test_what_is_of_no_use_is_named(tmp_path, image, message):
  path = save(tmp_path / 'a.png', image)
  with pytest.raises(hints_file.BadHints) as error:
    hints_file.load(path, 20, 30)
  assert str(error.value).startswith(f'{path}: {message}')


def test_what_is_no_picture_is_named(tmp_path):
  for content, message in ((b'', 'is empty'), (b'text', 'not a picture')):
    (tmp_path / 'a.png').write_bytes(content)
    with pytest.raises(hints_file.BadHints, match=f'a.png: .*{message}'):
      hints_file.load(str(tmp_path / 'a.png'), 20, 30)
  with pytest.raises(hints_file.BadHints, match='b.png: No such file'):
    hints_file.load(str(tmp_path / 'b.png'), 20, 30)


def test_a_folder_of_hints(tmp_path):
  for name in ('a.png', 'b-hints.png', 'c.png', 'c_hints.png'):
    (tmp_path / name).touch()
  find = lambda name: hints_file.find(str(tmp_path), f'scans/{name}')
  assert find('a.jpg') == str(tmp_path / 'a.png')
  assert find('b.tif') == str(tmp_path / 'b-hints.png')
  with pytest.raises(hints_file.BadHints, match='several files.*c_hints'):
    find('c.jpg')
  with pytest.raises(hints_file.BadHints, match='d.jpg: .* no hints of the '):
    find('d.jpg')
  with pytest.raises(hints_file.BadHints, match='gone: no such hints'):
    hints_file.find(str(tmp_path / 'gone'), 'a.jpg')
