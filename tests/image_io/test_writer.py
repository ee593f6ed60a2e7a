"""Files of results: whole or not at all, and why not in plain words."""

import os
import resource

import numpy as np
import pytest
import pyvips

from artjax.image_io import formats
from artjax.image_io import reader
from artjax.image_io import vips
from artjax.image_io import writer

SUFFIXES = ['.png', '.jpg', '.tif', '.webp', '.avif']


@pytest.fixture(name='noise', scope='module')
def noise_fixture():
  values = np.random.default_rng(0).integers(0, 256, [80, 90, 3], np.uint8)
  return vips.image(values).copy(interpretation='srgb')


@pytest.fixture(name='small_disk')
def small_disk_fixture():
  """No file may be longer than a KiB."""
  before = resource.getrlimit(resource.RLIMIT_FSIZE)
  resource.setrlimit(resource.RLIMIT_FSIZE, (1024, before[1]))
  yield
  resource.setrlimit(resource.RLIMIT_FSIZE, before)


@pytest.mark.parametrize('suffix', SUFFIXES)
def test_what_cannot_be_written_says_why(tmp_path, noise, small_disk, suffix):
  path = tmp_path / f'a{suffix}'
  path.write_bytes(b'before')
  with pytest.raises(vips.BadPicture) as error:
    writer.save(noise, str(path))
  assert str(error.value) == f'{path}: cannot be written: File too large'
  assert os.listdir(tmp_path) == [path.name]
  assert path.read_bytes() == b'before'


@pytest.mark.parametrize('suffix', SUFFIXES)
def test_a_full_disk_is_told_from_other_reasons(
  tmp_path, noise, small_disk, monkeypatch, suffix
):
  monkeypatch.setattr(vips, '_FULL_TEXTS', ['File too large'])
  with pytest.raises(vips.DiskFull, match='cannot be written: the disk is'):
    writer.save(noise, str(tmp_path / f'a{suffix}'))


def test_rows_that_find_no_room(tmp_path, monkeypatch, noise, small_disk):
  monkeypatch.setattr(writer, '_IN_MEMORY', 0)
  noise.crop(0, 0, 9, 9).pngsave(str(tmp_path / 'a.png'))
  with reader.open_picture(tmp_path / 'a.png') as picture:
    with pytest.raises(vips.BadPicture, match='b.png: cannot be written: '):
      with picture.writer(tmp_path / 'b.png', scale=9) as rows:
        for _ in range(9):
          rows.write(np.zeros([9, 81, 3], np.uint8))
  assert os.listdir(tmp_path) == ['a.png']


def test_a_folder_that_is_a_file(tmp_path, noise):
  (tmp_path / 'a').touch()
  with pytest.raises(vips.BadPicture, match='b.png: cannot be written: '):
    writer.save(noise, str(tmp_path / 'a' / 'b.png'))


@pytest.mark.parametrize('suffix', SUFFIXES)
def test_names_of_any_bytes_and_of_full_length(tmp_path, noise, suffix):
  name = os.fsdecode(b'\xff' + b'n' * (254 - len(suffix))) + suffix
  noise.write_to_file(str(tmp_path / f'in{suffix}'))
  source = tmp_path / name
  os.rename(tmp_path / f'in{suffix}', source)
  (tmp_path / 'out').mkdir()
  with reader.open_picture(source) as picture:
    rows = np.zeros([80, 90, 3], np.uint8)
    with picture.writer(tmp_path / 'out' / name) as result:
      result.write(rows)
  assert os.listdir(tmp_path / 'out') == [name]
  with reader.open_picture(tmp_path / 'out' / name) as picture:
    assert (picture.width, picture.height) == (90, 80)


@pytest.mark.parametrize('how', ['replaced', 'written to', 'removed'])
def test_a_source_that_changes_gives_no_result(tmp_path, noise, how):
  source = tmp_path / 'a.png'
  noise.pngsave(str(source))
  with reader.open_picture(source) as picture:
    with pytest.raises(
      vips.BadPicture, match='a.png: (it was changed|No such)'
    ):
      with picture.writer(tmp_path / 'b.png') as result:
        result.write(np.zeros([80, 90, 3], np.uint8))
        if how == 'replaced':
          (noise ^ 255).pngsave(str(tmp_path / 'c.png'))
          os.replace(tmp_path / 'c.png', source)
        elif how == 'written to':
          with open(source, 'ab') as file:
            file.write(b'x')
        else:
          os.remove(source)
  assert {*os.listdir(tmp_path)} <= {'a.png'}


@pytest.mark.parametrize(
  'name, side', [('a.webp', 16383), ('a.jfif', 65500), ('a.avif', 16384)]
)
def test_sides_that_a_format_has_not_are_known_before(tmp_path, name, side):
  formats.check_size(name, 1, side)
  formats.check_size('a.png', 1, 1_000_000)
  with pytest.raises(formats.BadPicture, match=f'at most {side} px a side'):
    formats.check_size(name, side + 1, 1)
  # It is what libvips says, after all the work.
  kind, options = formats.saver(name)
  save = lambda side: getattr(pyvips.Image.black(side, 1), kind)(
    str(tmp_path / name), **options
  )
  save(side)
  with pytest.raises(pyvips.Error):
    save(side + 1)
