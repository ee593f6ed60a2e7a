"""Atomic files."""

import os

import cv2
import numpy as np
import pytest

from artjax import atomic_files


def test_picture_round_trip_in_new_folder(tmp_path):
  picture = np.random.default_rng(0).integers(0, 256, [9, 7, 3], dtype=np.uint8)
  path = tmp_path / 'new' / 'p.png'
  atomic_files.write_picture(str(path), picture)
  np.testing.assert_array_equal(
    cv2.imread(str(path), cv2.IMREAD_COLOR)[..., ::-1], picture
  )
  assert [p.name for p in path.parent.iterdir()] == ['p.png']


def test_a_failed_write_leaves_the_old_file(tmp_path):
  path = tmp_path / 'a.txt'
  atomic_files.write_text(str(path), 'old')
  with pytest.raises(AttributeError):
    atomic_files.write_text(str(path), 3)
  assert path.read_text() == 'old'


def test_a_format_that_cannot_be_written_is_named():
  with pytest.raises(ValueError, match='cannot write a .nothing picture'):
    atomic_files.encode(np.zeros([2, 2, 3], np.uint8), '.nothing')


def test_the_file_in_between_has_a_name_that_is_possible():
  assert atomic_files.part_of('out/a.png') == 'out/a.png.part'
  longest = 'ü' * 125 + '.json'
  part = atomic_files.part_of(f'out/{longest}', '.raw')
  folder, name = os.path.split(part)
  assert folder == 'out' and len(os.fsencode(name)) < 100
  assert part != atomic_files.part_of(f'out/{longest}')
  assert part == atomic_files.part_of(f'out/{longest}', '.raw')
