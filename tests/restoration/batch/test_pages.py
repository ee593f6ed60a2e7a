"""Every page of a file is a picture, where that is wanted."""

import json

import numpy as np
from PIL import Image
import pytest
from restore_command import listed
from restore_command import run
import tifffile

from artjax.image_io import reader
from artjax.restoration.batch import finding
from artjax.restoration.batch import pages


def picture(seed, dtype=np.uint8):
  rng = np.random.default_rng(seed)
  return rng.integers(0, np.iinfo(dtype).max, (20, 30, 3), dtype)


@pytest.fixture
def book(tmp_path):
  """A thumbnail and three pages, of which one has another depth."""
  path = tmp_path / 'book.tif'
  with tifffile.TiffWriter(path, byteorder='>', bigtiff=True) as file:
    file.write(picture(9)[::4, ::4], photometric='rgb', subfiletype=1)
    for i, dtype in enumerate((np.uint8, np.uint16, np.uint8)):
      name = [(285, 2, 0, f'Folio {i + 1}', True)]
      file.write(picture(i, dtype), photometric='rgb', extratags=name)
  return path


def test_all_pages_are_restored(tmp_path, book, small_weights, capsys):
  out = tmp_path / 'out'
  args = (book, '-o', out, f'--weights={small_weights}', '--strength=0')
  status, result, err = run(capsys, *args, '--pages=all', '--report')
  assert status == 0 and result['done'] == 3
  assert 'only the first' not in err
  names = [f'book.page{i}.tif' for i in (1, 2, 3)]
  assert listed(out) == sorted(
    [*names, *(f'{name}.json' for name in names), 'restore.jsonl']
  )
  for i, name in enumerate(names):
    with tifffile.TiffFile(out / name) as file:
      dtype = np.uint16 if i == 1 else np.uint8
      np.testing.assert_array_equal(file.asarray(), picture(i, dtype))
      assert file.pages[0].tags[285].value == f'Folio {i + 1}'
    record = json.loads((out / f'{name}.json').read_text())
    assert record['page'] == i + 1 and record['source'] == str(book)
  _, result, _ = run(capsys, *args, '--pages=all', '--report', '--resume')
  assert result['skipped'] == 3
  _, result, err = run(capsys, *args)
  assert result['done'] == 1
  assert 'only the first of 3 pages (--pages=all restores each)' in err


def test_a_bad_page_is_named(tmp_path, book, small_weights, capsys):
  with tifffile.TiffWriter(book) as file:
    file.write(picture(0), photometric='rgb')
    file.write(picture(1).astype(np.float32), photometric='rgb')
    file.write(picture(2).astype(np.float32), photometric='rgb')
  status, result, err = run(
    capsys,
    book,
    '-o',
    tmp_path / 'out',
    f'--weights={small_weights}',
    '--pages=all',
  )
  assert status == 1 and (result['done'], result['failed']) == (1, 2)
  for page in (2, 3):
    assert f'{book}, page {page}: float values are not supported' in err


def test_masks_are_those_of_the_page(tmp_path, book):
  items, _ = finding.find([str(book)], False, ())
  split = pages.split(items)
  assert [item.path for item in split] == [
    str(tmp_path / f'book.page{i}.tif') for i in (1, 2, 3)
  ]
  assert [item.source for item in split] == [str(book)] * 3


@pytest.mark.parametrize('suffix, count', [('.webp', 3), ('.gif', 3)])
def test_frames_are_pages(tmp_path, suffix, count):
  path = tmp_path / f'a{suffix}'
  first, *others = [Image.fromarray(picture(i)) for i in range(count)]
  options = {'lossless': True} if suffix == '.webp' else {}
  first.save(path, save_all=True, append_images=others, **options)
  items, _ = finding.find([str(path)], False, ())
  assert [item.page for item in pages.split(items)] == [*range(count)]
  with Image.open(path) as image:
    for i in range(count):
      image.seek(i)
      wanted = np.asarray(image.convert('RGB'))
      with reader.open_picture(path, page=i) as found:
        assert found.notices == []
        rgb = np.rint(found.read(0, 0, 20, 30) * 255)
      np.testing.assert_array_equal(rgb, wanted)


def test_what_cannot_be_read_is_one_picture(tmp_path):
  (tmp_path / 'a.tif').write_bytes(b'II*\0')
  (tmp_path / 'b.png').write_bytes(b'no picture')
  names = [str(tmp_path / name) for name in ('a.tif', 'b.png', 'none.tif')]
  items, _ = finding.find(names, False, ())
  assert [item.page for item in pages.split(items)] == [None] * 3
