"""Pairs: how they are matched, and by how much they may differ in size."""

import os

from conftest import shared
from drawn_pictures import write
import numpy as np
import pytest

from artjax.data import sources


def names(source):
  return [entry.name for entry in source.entries]


def test_pairs_are_matched_by_stem(tmp_path, warned):
  clean, worn = tmp_path / 'clean', tmp_path / 'worn'
  target = write(clean / 'x' / 'a.png', 1)
  image = write(worn / 'x' / 'a.tif', 2)
  write(clean / 'sizes.png', 3)
  write(worn / 'sizes.png', 4, width=60)
  write(clean / 'alone.png', 5)
  write(worn / 'other.png', 6)
  write(clean / 'twice.png', 7)
  write(clean / 'twice.tif', 8)
  write(worn / 'twice.png', 9)
  source = sources.load(f'pairs:{clean},{worn}')
  assert names(source) == ['twice', 'x/a'] and len(warned) == 5
  example = source[1]
  np.testing.assert_array_equal(example['image'], image)
  np.testing.assert_array_equal(example['target'], target)
  assert dict(source.rejected) == {
    str(worn / 'sizes.png'): '60 x 40 px, but its target has 56 x 40',
    str(clean / 'alone.png'): f'no usable partner in {worn}',
    str(worn / 'other.png'): f'no usable partner in {clean}',
    str(clean / 'twice.tif'): 'same stem as twice.png',
  }
  # Which side a pair falls on is its target's matter.
  assert (
    source.entries[1].digest
    == sources.load(f'folder:{clean}').entries[-1].digest
  )
  with pytest.raises(ValueError, match='pairs:TARGETS,INPUTS'):
    sources.load(f'pairs:{clean}')


def test_pairs_for_super_resolution(tmp_path, warned):
  high, low = tmp_path / 'high', tmp_path / 'low'
  targets = [write(high / 'sub' / f'{i}.png', i, 160 + i, 203) for i in (0, 3)]
  images = [write(low / 'sub' / f'{i}.png', 9 + i, 40, 50) for i in (0, 3)]
  write(high / 'equal.png', 20)
  write(low / 'equal.png', 21)
  write(high / 'over.png', 22, 164, 200)  # 4 more than 4 times 40
  write(low / 'over.png', 23, 40, 50)
  source = sources.load(f'pairs:{high},{low}')
  assert names(source) == ['sub/0', 'sub/3']
  for i, (target, image) in enumerate(zip(targets, images)):
    np.testing.assert_array_equal(source[i]['target'], target[:160, :200])
    np.testing.assert_array_equal(source[i]['image'], image)
    assert not source[i]['target'].flags.writeable
  assert dict(source.rejected) == {
    str(
      low / 'equal.png'
    ): '56 x 40 px, but its target has 56 x 40, not 4 times as much',
    str(
      low / 'over.png'
    ): '50 x 40 px, but its target has 200 x 164, not 4 times as much',
  }
  cuts = [line for line in warned if 'no multiple of 4' in line]
  assert len(cuts) == 1 and '2 of 2 targets' in cuts[0]
  sources.load(f'pairs:{high},{low}')
  assert len(warned) == 4  # all said once
  write(low / 'sub' / '0.png', 1, 50, 50)
  with pytest.raises(sources.Unreadable, match='changed in size'):
    source[0]


@pytest.mark.parametrize('factor', [2, 3, 4, 8])
def test_the_factors_of_pairs(tmp_path, factor):
  write(tmp_path / 'high' / 'a.png', 1, 33 * factor, 35 * factor)
  write(tmp_path / 'low' / 'a.png', 2, 33, 35)
  example = sources.load(f'pairs:{tmp_path}/high,{tmp_path}/low')[0]
  assert example['target'].shape == (33 * factor, 35 * factor, 3)


def test_pairs_by_patterns(tmp_path, monkeypatch):
  for i, key in enumerate(['img_1', 'img_2', 'sub/img_1']):
    write(tmp_path / f'{key}_HR.png', i, 120, 120)
    write(tmp_path / f'{key}_LR.png', 9 + i, 40, 40)
    write(tmp_path / 'low' / f'{key}x3.png', 9 + i, 40, 40)
  write(tmp_path / '_HR.png', 30)  # nothing for the asterisk to stand for
  for inputs in '*_LR.png', 'low/*x3.png':
    source = sources.load(f'pairs:{tmp_path}/*_HR.png,{tmp_path}/{inputs}')
    assert names(source) == ['img_1', 'img_2', 'sub/img_1']
    assert not source.rejected
    for i in range(3):
      np.testing.assert_array_equal(
        source[i]['image'],
        np.random.default_rng(9 + i).integers(0, 256, (40, 40, 3), np.uint8),
      )
  source = sources.load(
    f'pairs:{tmp_path}/img_*_HR.png,{tmp_path}/img_*_LR.png'
  )
  assert names(source) == ['1', '2', 'sub/1']
  monkeypatch.chdir(tmp_path)
  assert len(sources.load('pairs:*_HR.png,*_LR.png')) == 3
  # A folder on one side, whose names are the keys, and a pattern on the other.
  (tmp_path / 'high').mkdir()
  os.rename(tmp_path / 'img_1_HR.png', tmp_path / 'high' / 'img_1.png')
  assert names(sources.load('pairs:high,low/*x3.png')) == ['img_1']


def test_wrong_patterns_of_pairs_are_one_clear_line(tmp_path):
  write(tmp_path / 'a_HR.png')
  for pattern in '*_*.png', '*/a.png':
    with pytest.raises(ValueError, match='one asterisk, after the last slash'):
      sources.load(f'pairs:{tmp_path}/{pattern},{tmp_path}')
  with pytest.raises(ValueError, match='no usable picture') as error:
    sources.load(f'pairs:{tmp_path}/*_HR.png,{tmp_path}/*_LR.png')
  assert f'no usable partner in {tmp_path}/*_LR.png' in str(error.value)
  with pytest.raises(FileNotFoundError, match='nowhere does not exist'):
    sources.load(f'pairs:{tmp_path}/nowhere/*_HR.png,{tmp_path}')


def test_a_published_benchmark_is_found_by_its_names():
  for name, count in ('Set5', 5), ('Set14', 14):
    folder = shared(f'benchmarks/{name}')
    source = sources.load(f'pairs:{folder}/*_HR.png,{folder}/*_LR.png')
    assert len(source) == count and not source.rejected
    for i in range(count):
      height, width = source[i]['image'].shape[:2]
      assert source[i]['target'].shape == (4 * height, 4 * width, 3)


def test_commas_in_names_of_pairs(tmp_path):
  write(tmp_path / 'oil, canvas' / 'a.png', 1)
  write(tmp_path / 'worn' / 'a.png', 2)
  source = sources.load(f'pairs:{tmp_path}/oil, canvas,{tmp_path}/worn')
  assert len(source) == 1
  source = sources.load(f'pairs:{tmp_path}/worn,{tmp_path}/oil, canvas/*.png')
  assert names(source) == ['a']
  with pytest.raises(ValueError, match='not of the form pairs:TARGETS,INPUTS'):
    sources.load(f'pairs:{tmp_path}/worn,{tmp_path}/nowhere,{tmp_path}/b')
