"""Collections: what is left out and why, how they divide."""

import os
import shutil

from drawn_pictures import write
import numpy as np
import pytest

from artjax.data import sources
from artjax.data.sources import decode


def names(source):
  return [entry.name for entry in source.entries]


def test_bad_files_are_listed_with_the_reason(tmp_path, warned):
  write(tmp_path / 'good.png')
  write(tmp_path / 'small.png', height=31)
  write(tmp_path / 'cut.jpg')
  data = (tmp_path / 'cut.jpg').read_bytes()
  (tmp_path / 'cut.jpg').write_bytes(data[: len(data) // 2])
  (tmp_path / 'text.jpg').write_text('no picture at all, only some words')
  (tmp_path / 'empty.png').touch()
  (tmp_path / 'gone.png').symlink_to(tmp_path / 'nowhere.png')
  source = sources.load(f'folder:{tmp_path}', min_size=32)
  assert names(source) == ['good.png']
  assert dict(source.rejected) == {
    'small.png': 'too small: 56 x 31 px, the least is 32',
    'cut.jpg': 'truncated JPEG: no end-of-image marker',
    'text.jpg': decode.NOT_A_PICTURE,
    'empty.png': 'empty file',
    'gone.png': 'No such file or directory',
  }
  assert 'left out 5 of 6 files' in warned[0] and len(warned) == 6
  for name, reason in source.rejected:
    assert any(name in line and reason in line for line in warned[1:])
  assert 'text.jpg' in warned[-1]  # damage first
  sources.load(f'folder:{tmp_path}', min_size=32)
  assert len(warned) == 6  # said once
  # Another minimal size is not answered from memory.
  assert len(sources.load(f'folder:{tmp_path}', min_size=8)) == 2


def test_a_long_list_of_bad_files_is_cut_short(tmp_path, warned):
  write(tmp_path / 'good.png')
  for i in range(50):
    (tmp_path / f'{i}.txt').write_text('caption')
  assert len(sources.load(f'folder:{tmp_path}').rejected) == 50
  assert len(warned) == 22 and '30 more' in warned[-1]


def test_files_that_changed_are_checked_again(tmp_path):
  write(tmp_path / 'a.png', 1)
  pixels = write(tmp_path / 'b.png', 2)
  first = sources.load(f'folder:{tmp_path}')
  shutil.copyfile(tmp_path / 'b.png', tmp_path / 'a.png')
  os.utime(tmp_path / 'a.png', ns=(1, 1))
  second = sources.load(f'folder:{tmp_path}')
  assert first.entries[0].digest != second.entries[0].digest
  assert second.entries[0].digest == second.entries[1].digest
  np.testing.assert_array_equal(second[0]['image'], pixels)


def test_nothing_usable_says_what_was_sought_and_where(tmp_path, warned):
  with pytest.raises(ValueError) as error:
    sources.load(f'folder:{tmp_path}', min_size=48)
  for part in ('JPEG, PNG, TIFF or WebP', '48 px', str(tmp_path), '0 files'):
    assert part in str(error.value)
  write(tmp_path / 'small.png', height=20)
  with pytest.raises(ValueError, match='small.png: too small'):
    sources.load(f'folder:{tmp_path}')
  assert '\n' not in str(error.value)
  with pytest.raises(FileNotFoundError, match='missing does not exist'):
    sources.load(f'folder:{tmp_path / "missing"}')
  with pytest.raises(FileNotFoundError, match='is not a folder'):
    sources.load(f'folder:{tmp_path / "small.png"}')


@pytest.mark.parametrize(
  'spec', ['smaple', 'folder', 'folder:', 'sample:x', 'zip:x']
)
def test_unknown_kinds_are_refused(spec):
  with pytest.raises(ValueError, match='not one of folder:PATH, pairs:'):
    sources.load(spec)


def test_a_folder_without_its_kind_is_guessed(tmp_path):
  with pytest.raises(ValueError, match=f'did you mean folder:{tmp_path}'):
    sources.parse(str(tmp_path))


def test_split_follows_the_content_alone(tmp_path):
  for i in range(60):
    write(tmp_path / f'{i:03d}.png', i, 32, 32)

  def parts():
    source = sources.load(f'folder:{tmp_path}')
    return [
      {entry.digest for entry in sources.split(source, part, 0.3).entries}
      for part in ('train', 'validation')
    ]

  train, validation = parts()
  assert not train & validation and len(train | validation) == 60
  assert 8 <= len(validation) <= 28
  for i in range(60, 90):  # new ones, before and after the others
    write(tmp_path / f'{i % 2}{i}.png', i, 32, 32)
  os.rename(tmp_path / '000.png', tmp_path / 'renamed.png')
  for i in range(1, 20):  # and duplicates of some
    shutil.copyfile(tmp_path / f'{i:03d}.png', tmp_path / f'copy{i}.png')
  more_train, more_validation = parts()
  assert train <= more_train and validation <= more_validation
  assert not more_train & more_validation


def test_empty_parts_are_errors_with_advice(tmp_path):
  write(tmp_path / 'a.png')
  source = sources.load(f'folder:{tmp_path}')
  assert len(sources.split(source, 'train', 0.0)) == 1
  assert sources.split(source, 'all', 0.5) is source
  with pytest.raises(ValueError, match='validation part.*=0.0; raise it'):
    sources.split(source, 'validation', 0.0)
  with pytest.raises(ValueError, match='train part.*=1.0; lower it'):
    sources.split(source, 'train', 1.0)
  with pytest.raises(ValueError, match='not one of train, validation, all'):
    sources.split(source, 'test', 0.2)
  with pytest.raises(ValueError, match='in \\[0, 1\\], got 20'):
    sources.split(source, 'train', 20)


def test_decoded_pictures_are_kept_within_the_budget(tmp_path, monkeypatch):
  pictures = [write(tmp_path / f'{i}.png', i, 512, 512) for i in range(3)]
  decoded = []
  real = decode.decode
  monkeypatch.setattr(
    decode, 'decode', lambda data: decoded.append(1) or real(data)
  )
  source = sources.load(f'folder:{tmp_path}', cache_mb=2, workers=1)
  assert len(decoded) == 3  # checked, and two of them kept
  part = source.subset([1])
  assert part[0]['image'] is source[1]['image']
  for i in (0, 1, 1, 0):
    np.testing.assert_array_equal(source[i]['image'], pictures[i])
  assert len(decoded) == 3
  for i, count in ((2, 4), (0, 4), (1, 5)):  # 2 drops 1, used least recently
    source[i]
    assert len(decoded) == count


def test_a_vanished_file_is_unreadable(tmp_path):
  write(tmp_path / 'a.png')
  source = sources.load(f'folder:{tmp_path}')
  (tmp_path / 'a.png').unlink()
  with pytest.raises(sources.Unreadable, match='a.png: No such file'):
    source[0]


def test_no_source_says_what_to_give():
  with pytest.raises(ValueError, match='no data.source.*folder:PATH') as error:
    sources.load('')
  assert '\n' not in str(error.value) and 'sample' in str(error.value)
