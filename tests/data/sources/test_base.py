"""Collections: what is found, what is left out and why, how they divide."""

import os
import pathlib
import shutil
import warnings

from absl import logging as absl_logging
from conftest import drawn_digits
from conftest import shared
import cv2
import numpy as np
import pytest

from artjax.data.sources import base
from artjax.data.sources import decode


def write(path, seed=0, height=40, width=56):
  """Writes a picture of noise; returns its pixels, RGB."""
  path.parent.mkdir(parents=True, exist_ok=True)
  picture = np.random.default_rng(seed).integers(
    0, 256, (height, width, 3), np.uint8
  )
  path.write_bytes(cv2.imencode(path.suffix, picture[..., ::-1])[1].tobytes())
  return picture


def names(source):
  return [entry.name for entry in source.entries]


@pytest.fixture
def warned(monkeypatch):
  """Warnings logged, as lines."""
  lines = []
  monkeypatch.setattr(
    absl_logging, 'warning', lambda text, *args: lines.append(text % args)
  )
  return lines


def test_folder_is_recursive_and_sorted(tmp_path):
  pixels = write(tmp_path / 'b' / 'ä 一 ö.png', 1)
  for i, name in enumerate(['a.jpg', 'b/c/d.TIFF', 'b/e.webp', 'no_suffix']):
    write(
      (tmp_path / name).with_suffix(pathlib.Path(name).suffix or '.jpeg'), i + 2
    )
  os.rename(tmp_path / 'no_suffix.jpeg', tmp_path / 'no_suffix')
  write(tmp_path / '.hidden' / 'x.png', 7)
  os.symlink(tmp_path, tmp_path / 'b' / 'loop')
  source = base.load(f'folder:{tmp_path}')
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


def test_bad_files_are_listed_with_the_reason(tmp_path, warned):
  write(tmp_path / 'good.png')
  write(tmp_path / 'small.png', height=31)
  write(tmp_path / 'cut.jpg')
  data = (tmp_path / 'cut.jpg').read_bytes()
  (tmp_path / 'cut.jpg').write_bytes(data[: len(data) // 2])
  (tmp_path / 'text.jpg').write_text('no picture at all, only some words')
  (tmp_path / 'empty.png').touch()
  (tmp_path / 'gone.png').symlink_to(tmp_path / 'nowhere.png')
  source = base.load(f'folder:{tmp_path}', min_size=32)
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
  base.load(f'folder:{tmp_path}', min_size=32)
  assert len(warned) == 6  # said once
  # Another minimal size is not answered from memory.
  assert len(base.load(f'folder:{tmp_path}', min_size=8)) == 2


def test_a_long_list_of_bad_files_is_cut_short(tmp_path, warned):
  write(tmp_path / 'good.png')
  for i in range(50):
    (tmp_path / f'{i}.txt').write_text('caption')
  assert len(base.load(f'folder:{tmp_path}').rejected) == 50
  assert len(warned) == 22 and '30 more' in warned[-1]


def test_files_that_changed_are_checked_again(tmp_path):
  write(tmp_path / 'a.png', 1)
  pixels = write(tmp_path / 'b.png', 2)
  first = base.load(f'folder:{tmp_path}')
  shutil.copyfile(tmp_path / 'b.png', tmp_path / 'a.png')
  os.utime(tmp_path / 'a.png', ns=(1, 1))
  second = base.load(f'folder:{tmp_path}')
  assert first.entries[0].digest != second.entries[0].digest
  assert second.entries[0].digest == second.entries[1].digest
  np.testing.assert_array_equal(second[0]['image'], pixels)


def test_nothing_usable_says_what_was_sought_and_where(tmp_path, warned):
  with pytest.raises(ValueError) as error:
    base.load(f'folder:{tmp_path}', min_size=48)
  for part in ('JPEG, PNG, TIFF or WebP', '48 px', str(tmp_path), '0 files'):
    assert part in str(error.value)
  write(tmp_path / 'small.png', height=20)
  with pytest.raises(ValueError, match='small.png: too small'):
    base.load(f'folder:{tmp_path}')
  assert '\n' not in str(error.value)
  with pytest.raises(FileNotFoundError, match='missing does not exist'):
    base.load(f'folder:{tmp_path / "missing"}')
  with pytest.raises(FileNotFoundError, match='is not a folder'):
    base.load(f'folder:{tmp_path / "small.png"}')


@pytest.mark.parametrize(
  'spec', ['', 'smaple', 'folder', 'folder:', 'sample:x', 'zip:x']
)
def test_unknown_kinds_are_refused(spec):
  with pytest.raises(ValueError, match='none of sample, folder:PATH'):
    base.load(spec)


def test_sample_holds_out_the_pictures_the_docstring_names():
  source = base.load('sample')
  assert len(source) == len(base.SAMPLE) and not source.rejected
  train = names(base.split(source, 'train', 0.2))
  held_out = names(base.split(source, 'validation', 0.2))
  assert held_out == ['chelsea', 'coffee']
  assert sorted(train + held_out) == sorted(names(source))
  docstring = ' '.join(base.__doc__.split())
  assert f'{" and ".join(held_out)} are held out' in docstring
  assert f'{", ".join(train[:-1])} and {train[-1]} are trained' in docstring
  for share in (0.08, 0.31):
    assert names(base.split(source, 'validation', share)) == held_out
  for i in range(len(source)):
    image = source[i]['image']
    assert image.dtype == np.uint8 and image.shape[2] == 3
    assert np.ptp(image.astype(int), axis=2).mean() > 3  # in colour


def test_split_follows_the_content_alone(tmp_path):
  for i in range(60):
    write(tmp_path / f'{i:03d}.png', i, 32, 32)

  def parts():
    source = base.load(f'folder:{tmp_path}')
    return [
      {entry.digest for entry in base.split(source, part, 0.3).entries}
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
  source = base.load(f'folder:{tmp_path}')
  assert len(base.split(source, 'train', 0.0)) == 1
  assert base.split(source, 'all', 0.5) is source
  with pytest.raises(ValueError, match='validation part.*=0.0; raise it'):
    base.split(source, 'validation', 0.0)
  with pytest.raises(ValueError, match='train part.*=1.0; lower it'):
    base.split(source, 'train', 1.0)
  with pytest.raises(ValueError, match='none of train, validation, all'):
    base.split(source, 'test', 0.2)
  with pytest.raises(ValueError, match='in \\[0, 1\\], got 20'):
    base.split(source, 'train', 20)


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
  source = base.load(f'pairs:{clean},{worn}')
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
    source.entries[1].digest == base.load(f'folder:{clean}').entries[-1].digest
  )
  with pytest.raises(ValueError, match='pairs:TARGETS,INPUTS'):
    base.load(f'pairs:{clean}')


def test_pairs_for_super_resolution(tmp_path, warned):
  high, low = tmp_path / 'high', tmp_path / 'low'
  targets = [write(high / 'sub' / f'{i}.png', i, 160 + i, 203) for i in (0, 3)]
  images = [write(low / 'sub' / f'{i}.png', 9 + i, 40, 50) for i in (0, 3)]
  write(high / 'equal.png', 20)
  write(low / 'equal.png', 21)
  write(high / 'over.png', 22, 164, 200)  # 4 more than 4 times 40
  write(low / 'over.png', 23, 40, 50)
  source = base.load(f'pairs:{high},{low}')
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
  base.load(f'pairs:{high},{low}')
  assert len(warned) == 4  # all said once
  write(low / 'sub' / '0.png', 1, 50, 50)
  with pytest.raises(base.Unreadable, match='changed in size'):
    source[0]


@pytest.mark.parametrize('factor', [2, 3, 4, 8])
def test_the_factors_of_pairs(tmp_path, factor):
  write(tmp_path / 'high' / 'a.png', 1, 33 * factor, 35 * factor)
  write(tmp_path / 'low' / 'a.png', 2, 33, 35)
  example = base.load(f'pairs:{tmp_path}/high,{tmp_path}/low')[0]
  assert example['target'].shape == (33 * factor, 35 * factor, 3)


def test_pairs_by_patterns(tmp_path, monkeypatch):
  for i, key in enumerate(['img_1', 'img_2', 'sub/img_1']):
    write(tmp_path / f'{key}_HR.png', i, 120, 120)
    write(tmp_path / f'{key}_LR.png', 9 + i, 40, 40)
    write(tmp_path / 'low' / f'{key}x3.png', 9 + i, 40, 40)
  write(tmp_path / '_HR.png', 30)  # nothing for the asterisk to stand for
  for inputs in '*_LR.png', 'low/*x3.png':
    source = base.load(f'pairs:{tmp_path}/*_HR.png,{tmp_path}/{inputs}')
    assert names(source) == ['img_1', 'img_2', 'sub/img_1']
    assert not source.rejected
    for i in range(3):
      np.testing.assert_array_equal(
        source[i]['image'],
        np.random.default_rng(9 + i).integers(0, 256, (40, 40, 3), np.uint8),
      )
  source = base.load(f'pairs:{tmp_path}/img_*_HR.png,{tmp_path}/img_*_LR.png')
  assert names(source) == ['1', '2', 'sub/1']
  monkeypatch.chdir(tmp_path)
  assert len(base.load('pairs:*_HR.png,*_LR.png')) == 3
  # A folder on one side, whose names are the keys, and a pattern on the other.
  (tmp_path / 'high').mkdir()
  os.rename(tmp_path / 'img_1_HR.png', tmp_path / 'high' / 'img_1.png')
  assert names(base.load('pairs:high,low/*x3.png')) == ['img_1']


def test_wrong_patterns_of_pairs_are_one_clear_line(tmp_path):
  write(tmp_path / 'a_HR.png')
  for pattern in '*_*.png', '*/a.png':
    with pytest.raises(ValueError, match='one asterisk, after the last slash'):
      base.load(f'pairs:{tmp_path}/{pattern},{tmp_path}')
  with pytest.raises(ValueError, match='no usable picture') as error:
    base.load(f'pairs:{tmp_path}/*_HR.png,{tmp_path}/*_LR.png')
  assert f'no usable partner in {tmp_path}/*_LR.png' in str(error.value)
  with pytest.raises(FileNotFoundError, match='nowhere does not exist'):
    base.load(f'pairs:{tmp_path}/nowhere/*_HR.png,{tmp_path}')


def test_a_published_benchmark_is_found_by_its_names():
  for name, count in ('Set5', 5), ('Set14', 14):
    folder = shared(f'benchmarks/{name}')
    source = base.load(f'pairs:{folder}/*_HR.png,{folder}/*_LR.png')
    assert len(source) == count and not source.rejected
    for i in range(count):
      height, width = source[i]['image'].shape[:2]
      assert source[i]['target'].shape == (4 * height, 4 * width, 3)


def test_decoded_pictures_are_kept_within_the_budget(tmp_path, monkeypatch):
  pictures = [write(tmp_path / f'{i}.png', i, 512, 512) for i in range(3)]
  decoded = []
  real = decode.decode
  monkeypatch.setattr(
    decode, 'decode', lambda data: decoded.append(1) or real(data)
  )
  source = base.load(f'folder:{tmp_path}', cache_mb=2, workers=1)
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
  source = base.load(f'folder:{tmp_path}')
  (tmp_path / 'a.png').unlink()
  with pytest.raises(base.Unreadable, match='a.png: No such file'):
    source[0]


@pytest.fixture(scope='module')
def prepared(tmp_path_factory):
  """A folder with datasets `artjax_tiny` (array_record), `artjax_records`."""
  root = tmp_path_factory.mktemp('tfds')
  with warnings.catch_warnings():
    warnings.simplefilter('ignore')  # TensorFlow's and TFDS' own
    tfds = pytest.importorskip('tensorflow_datasets')

    class ArtjaxTiny(tfds.core.GeneratorBasedBuilder):
      VERSION = tfds.core.Version('1.0.0')

      def _info(self):
        return tfds.core.DatasetInfo(
          builder=self,
          features=tfds.features.FeaturesDict(
            {
              'image': tfds.features.Image(),
              'label': tfds.features.ClassLabel(names=['old', 'new']),
            }
          ),
        )

      def _split_generators(self, manager):
        del manager
        return {
          'train': self._generate_examples(0, 9),
          'test': self._generate_examples(9, 12),
        }

      def _generate_examples(self, start, stop):
        for i in range(start, stop):
          path = root / f'{i}.png'
          write(path, i, 40 + i, 50)
          yield i, {'image': str(path), 'label': i % 2}

    class ArtjaxRecords(ArtjaxTiny):
      pass

    ArtjaxTiny(data_dir=root, file_format='array_record').download_and_prepare()
    ArtjaxRecords(data_dir=root, file_format='tfrecord').download_and_prepare()
  return root


@pytest.mark.filterwarnings('ignore')
def test_tfds_is_read_by_index(prepared):
  source = base.load(f'tfds:artjax_tiny@{prepared}')
  assert len(source) == 9 and len(set(names(source))) == 9
  images = {source[i]['image'].shape[0]: source[i]['image'] for i in range(9)}
  assert sorted(images) == list(range(40, 49))
  for height, image in images.items():
    np.testing.assert_array_equal(
      image,
      np.random.default_rng(height - 40).integers(
        0, 256, image.shape, np.uint8
      ),
    )
  # The same bytes fall on the same side wherever they are read from.
  assert {entry.digest for entry in source.entries} < {
    entry.digest for entry in base.load(f'folder:{prepared}').entries
  }
  for part, size in (('test', 3), ('train[:4]', 4), ('train+test', 12)):
    spec = f'tfds:artjax_tiny:1.0.0@{prepared}:{part}'
    assert len(base.load(spec)) == size


@pytest.mark.filterwarnings('ignore')
@pytest.mark.parametrize(
  'spec, message',
  [
    ('artjax_tiny@{}:valid', "Unknown split 'valid'"),
    ('artjax_records@{}', 'without random access; prepare it with: tfds build'),
    ('artjax_nothing@{}', "no dataset 'artjax_nothing' in"),
    ('mnist@{}', 'not prepared in .*file_format=array_record'),
    ('?', 'not of the form tfds:NAME'),
  ],
)
def test_tfds_errors_are_one_clear_line(prepared, spec, message):
  with pytest.raises(ValueError, match=message) as error:
    base.load('tfds:' + spec.format(prepared))
  assert '\n' not in str(error.value)


def test_digits_are_grey_pictures_with_labels(tmp_path):
  folder = drawn_digits(tmp_path / 'a:b', train=12, test=10)
  train = base.load(f'idx:{folder}', min_size=28)
  test = base.load(f'idx:{folder}:test', min_size=28)
  assert (len(train), len(test)) == (12, 10)
  assert len(base.split(train, 'train', 0.0)) == 12
  example = train[3]
  assert example['image'].shape == (28, 28, 3)
  assert not example['image'].flags.writeable
  assert np.ptp(example['image'], axis=-1).max() == 0
  assert example['label'] == 3 and example['name'] == 'train/0000003'
  with pytest.raises(ValueError, match='28 x 28 px, the least is 32'):
    base.load(f'idx:{folder}')
  with pytest.raises(FileNotFoundError, match='wants all four'):
    base.load(f'idx:{tmp_path}')
