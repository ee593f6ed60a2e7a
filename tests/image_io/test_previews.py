"""Tiles and overlays of a view are the picture and the map."""

import os

import numpy as np
import pytest
import pyvips

from artjax.image_io import previews
from artjax.image_io import reader
from artjax.image_io import vips
from artjax.image_io import writer


def tile(folder, level, name='0_0'):
  image = pyvips.Image.new_from_file(f'{folder}/{level}/{name}.png')
  return image.numpy().reshape(image.height, image.width, -1)


def noise(height, width, bands, dtype=np.uint8):
  rng = np.random.default_rng(0)
  return rng.integers(
    0, np.iinfo(dtype).max, [height, width, bands], dtype, endpoint=True
  )


def save(path, values, interpretation):
  vips.image(values).copy(interpretation=interpretation).write_to_file(path)


@pytest.mark.parametrize('bands', [3, 4])
def test_8_bits_are_shown_to_the_bit(tmp_path, bands):
  values = noise(600, 30, bands)
  save(f'{tmp_path}/a.png', values, 'srgb')
  with reader.open_picture(f'{tmp_path}/a.png') as picture:
    previews.save_tiles(picture, f'{tmp_path}/tiles')
  shown = np.concatenate(
    [tile(f'{tmp_path}/tiles', 1, f'0_{i}') for i in range(2)]
  )
  np.testing.assert_array_equal(shown, values)
  assert tile(f'{tmp_path}/tiles', 0).shape == (300, 15, bands)
  assert sorted(os.listdir(tmp_path)) == ['a.png', 'tiles']
  assert sorted(os.listdir(tmp_path / 'tiles')) == ['0', '1']


def test_16_bits_and_grey(tmp_path):
  values = noise(20, 30, 2, np.uint16)
  save(f'{tmp_path}/a.png', values, 'grey16')  # with transparency
  with reader.open_picture(f'{tmp_path}/a.png') as picture:
    previews.save_tiles(picture, f'{tmp_path}/tiles')
  shown = tile(f'{tmp_path}/tiles', 0)
  expected = np.rint(values / 257)[..., [0, 0, 0, 1]]
  np.testing.assert_array_equal(shown, expected)


def test_damaged_files_leave_nothing(tmp_path):
  save(f'{tmp_path}/a.png', noise(600, 600, 3), 'srgb')
  data = (tmp_path / 'a.png').read_bytes()
  (tmp_path / 'a.png').write_bytes(data[:-9000])
  with reader.open_picture(f'{tmp_path}/a.png') as picture:
    with pytest.raises(reader.BadPicture, match='a.png: damaged'):
      previews.save_tiles(picture, f'{tmp_path}/tiles')
  assert os.listdir(tmp_path) == ['a.png']


def test_overlays_show_more_as_lighter_and_denser(tmp_path):
  levels = np.arange(256, dtype=np.uint8)[None]
  writer.save_grey(levels, f'{tmp_path}/map.png')
  previews.save_overlay(f'{tmp_path}/map.png', f'{tmp_path}/tiles')
  shown = tile(f'{tmp_path}/tiles', 0)[0].astype(int)
  np.testing.assert_array_equal(shown, previews.colours())
  assert shown[0, 3] == 0 and (np.diff(shown[:, 3]) >= 0).all()
  assert (np.diff(shown[:, :3] @ [0.2126, 0.7152, 0.0722]) > -1).all()
