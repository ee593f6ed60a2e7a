"""idx files: read as they are, and a clear line for each way to be wrong."""

import gzip
import os

from conftest import drawn_digits
from conftest import shared
from conftest import write_idx
import numpy as np
import pytest

from artjax.data import sources
from artjax.data.sources import mnist

NAMES = [
  f'{part}-{kind}-ubyte.gz'
  for part in ('train', 't10k')
  for kind in ('images-idx3', 'labels-idx1')
]


@pytest.fixture
def folder(tmp_path):
  return drawn_digits(tmp_path / 'digits', train=12, test=10)


def fails(folder, says, part='train'):
  with pytest.raises(ValueError, match=says) as error:
    mnist.load(str(folder), part)
  assert '\n' not in str(error.value)


def swap(folder, one, other):
  os.rename(folder / one, folder / 'x')
  os.rename(folder / other, folder / one)
  os.rename(folder / 'x', folder / other)


def test_pictures_and_labels_come_back(tmp_path):
  folder = drawn_digits(tmp_path)
  pictures = np.arange(3 * 4 * 5, dtype=np.uint8).reshape(3, 4, 5)
  write_idx(folder / NAMES[2], pictures)
  write_idx(folder / NAMES[3], np.uint8([7, 1, 9]))
  found, labels = mnist.load(str(folder), 'test')
  np.testing.assert_array_equal(found, pictures)
  np.testing.assert_array_equal(labels, [7, 1, 9])
  assert mnist.load(str(folder), 'train')[0].shape == (60, 28, 28)


def test_mnist():
  folder = str(shared('mnist'))
  pictures, labels = mnist.load(folder, 'train')
  assert pictures.shape == (60_000, 28, 28)
  assert labels[:5].tolist() == [5, 0, 4, 1, 9]
  assert abs(pictures.mean() / 255 - 0.1307) < 1e-4  # as published
  assert mnist.load(folder, 'test')[1].shape == (10_000,)


@pytest.mark.parametrize('name', NAMES)
def test_all_four_are_wanted(folder, name):
  (folder / name).unlink()
  with pytest.raises(FileNotFoundError, match=f'{name}: no such file'):
    mnist.load(str(folder), 'train')


@pytest.mark.parametrize('share', [0.01, 0.5, 0.99])
def test_truncated_gzip(folder, share):
  data = (folder / NAMES[0]).read_bytes()
  (folder / NAMES[0]).write_bytes(data[: int(len(data) * share)])
  fails(folder, f'{NAMES[0]}: truncated or damaged|{NAMES[0]}: not an idx')


def test_truncated_before_compression(folder):
  data = gzip.decompress((folder / NAMES[0]).read_bytes())
  for length, says in (
    (2, 'not an idx file'),
    (7, 'truncated in its header'),
    (-1, 'truncated: its header says'),
  ):
    (folder / NAMES[0]).write_bytes(gzip.compress(data[:length]))
    fails(folder, f'{NAMES[0]}: {says}')
  (folder / NAMES[0]).write_bytes(gzip.compress(data + b'x'))
  fails(folder, 'too long')


def test_damaged_bytes(folder):
  data = bytearray((folder / NAMES[0]).read_bytes())
  data[len(data) // 2] ^= 255
  (folder / NAMES[0]).write_bytes(bytes(data))
  fails(folder, f'{NAMES[0]}: (truncated or damaged|too long|not a gzip)')
  (folder / NAMES[0]).write_bytes(b'no gzip at all')
  fails(folder, f'{NAMES[0]}: not a gzip file')


def test_pictures_for_labels(folder):
  swap(folder, NAMES[0], NAMES[1])
  fails(folder, f'{NAMES[0]}: holds labels, not images: are files swapped')


def test_one_of_train_for_one_of_test(folder):
  swap(folder, NAMES[1], NAMES[3])
  fails(folder, '12 pictures, but .*10 labels: are files of train and t10k')


def test_train_for_test(folder):
  swap(folder, NAMES[0], NAMES[2])
  swap(folder, NAMES[1], NAMES[3])
  fails(folder, 'more digits in t10k than in train', 'test')


def test_a_header_that_claims_too_much_costs_no_memory(folder):
  for kind, name in (((2**32 - 1, 28, 28), NAMES[0]), ((2**32 - 1,), NAMES[1])):
    head = bytes([0, 0, 8, len(kind)]) + np.array(kind, '>u4').tobytes()
    (folder / name).write_bytes(gzip.compress(head + b'12345678'))
  fails(folder, 'truncated: its header says')


def test_other_types_and_axes(folder):
  write_idx(folder / NAMES[0], np.zeros([2, 2], np.uint8))
  fails(folder, 'holds 2 axes, images have 3')
  (folder / NAMES[0]).write_bytes(gzip.compress(bytes([0, 0, 13, 3])))
  fails(folder, 'not an idx file of bytes')
  write_idx(folder / NAMES[0], np.zeros([0, 28, 28], np.uint8))
  fails(folder, 'empty')


def test_digits_are_grey_pictures_with_labels(tmp_path):
  folder = drawn_digits(tmp_path / 'a:b', train=12, test=10)
  train = sources.load(f'idx:{folder}', min_size=28)
  test = sources.load(f'idx:{folder}:test', min_size=28)
  assert (len(train), len(test)) == (12, 10)
  assert len(sources.split(train, 'train', 0.0)) == 12
  example = train[3]
  assert example['image'].shape == (28, 28, 3)
  assert not example['image'].flags.writeable
  assert np.ptp(example['image'], axis=-1).max() == 0
  assert example['label'] == 3 and example['name'] == 'train/0000003'
  with pytest.raises(ValueError, match='28 x 28 px, the least is 32'):
    sources.load(f'idx:{folder}')
  with pytest.raises(FileNotFoundError, match='needs all four'):
    sources.load(f'idx:{tmp_path}')
