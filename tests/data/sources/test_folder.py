"""Pictures of folders."""

import os
import pathlib

from drawn_pictures import write
import numpy as np
import pytest

from artjax.data import sources


def names(source):
  return [entry.name for entry in source.entries]


def test_folder_is_recursive_and_sorted(tmp_path):
  pixels = write(tmp_path / 'b' / 'ä 一 ö.png', 1)
  for i, name in enumerate(['a.jpg', 'b/c/d.TIFF', 'b/e.webp', 'no_suffix']):
    write(
      (tmp_path / name).with_suffix(pathlib.Path(name).suffix or '.jpeg'), i + 2
    )
  os.rename(tmp_path / 'no_suffix.jpeg', tmp_path / 'no_suffix')
  write(tmp_path / '.hidden' / 'x.png', 7)
  os.symlink(tmp_path, tmp_path / 'b' / 'loop')
  source = sources.load(f'folder:{tmp_path}')
  assert names(source) == [
    'a.jpg',
    'b/c/d.TIFF',
    'b/e.webp',
    'b/ä 一 ö.png',
    'no_suffix',
  ]
  assert len(source) == 5 and not source.rejected
  example = source[3]
  assert example['name'] == 'b/ä 一 ö.png'
  np.testing.assert_array_equal(example['image'], pixels)
  assert not example['image'].flags.writeable


def test_several_folders_are_one_source(tmp_path):
  pixels = [write(tmp_path / f'{f}/x.png', i) for i, f in enumerate('ba')]
  one, two = f'{tmp_path}/b', f'{tmp_path}/a/'
  source = sources.load(f'folder:{one},{two}')
  assert names(source) == [f'{tmp_path}/b/x.png', f'{tmp_path}/a/x.png']
  for i, picture in enumerate(pixels):
    np.testing.assert_array_equal(source[i]['image'], picture)
  with pytest.raises(ValueError, match='no usable.*/b and /.*/a; left out 2'):
    sources.load(f'folder:{one},{two}', min_size=500)


def test_commas_in_names_of_folders(tmp_path):
  write(tmp_path / 'a,b' / 'x.png', 1)
  write(tmp_path / 'c' / 'y.png', 2)
  assert names(sources.load(f'folder:{tmp_path}/a,b')) == ['x.png']
  for text in ('{0}/a,b,{0}/c', '{0}/c,{0}/a,b'):
    source = sources.load('folder:' + text.format(tmp_path))
    assert sorted(name[-5:] for name in names(source)) == ['x.png', 'y.png']
  # The longest text that names a folder is taken.
  write(tmp_path / 'a' / 'z.png', 3)
  assert names(sources.load(f'folder:{tmp_path}/a,b')) == ['x.png']


def test_a_missing_one_of_several_folders_is_named(tmp_path):
  write(tmp_path / 'a' / 'x.png', 1)
  for text in (f'{tmp_path}/a,{tmp_path}/no', f'{tmp_path}/no,{tmp_path}/a'):
    with pytest.raises(FileNotFoundError, match='/no does not exist'):
      sources.load(f'folder:{text}')


def test_folders_must_lie_apart(tmp_path):
  write(tmp_path / 'a' / 'b' / 'x.png', 1)
  with pytest.raises(ValueError, match='a/b lies within .*/a: name only one'):
    sources.load(f'folder:{tmp_path}/a,{tmp_path}/a/b')
  with pytest.raises(ValueError, match='name only one'):
    sources.load(f'folder:{tmp_path}/a,{tmp_path}/a')
