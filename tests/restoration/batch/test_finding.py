"""What is a picture to restore, and what is left alone."""

import io
import json
import os
import sys

import pytest

from artjax.image_io import formats
from artjax.restoration.batch import bringing
from artjax.restoration.batch import finding
from artjax.restoration.batch import journal as journal_lib
from artjax.restoration.batch import streams


def find(*names, output='', **more):
  recursive = more.pop('recursive', True)
  if output:
    more['results'] = journal_lib.results(str(output))
  return finding.find(
    [str(name) for name in names],
    recursive,
    formats.SUFFIXES,
    str(output),
    **more,
  )


def below(items):
  return [item.below for item in items]


@pytest.fixture(name='folder')
def folder_fixture(tmp_path):
  for name in ('a.png', 'b.jpg', 'x.png/c.tif', 'notes.txt', 'a.mask.png'):
    path = tmp_path / 'in' / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch()
  return tmp_path / 'in'


def journal(folder, *files):
  folder.mkdir(exist_ok=True)
  for name in files:
    (folder / name).touch()
  entry = {'status': 'done', 'key': 'k', 'files': files}
  (folder / 'restore.jsonl').write_text(json.dumps(entry) + '\n')


def test_what_is_left_alone_is_named(folder):
  items, left_alone = find(folder)
  assert below(items) == ['a.png', 'b.jpg', 'x.png/c.tif']
  assert [(os.path.basename(path), why) for path, why in left_alone] == [
    ('a.mask.png', 'named as a map or a mask of a result'),
    ('notes.txt', 'not named as a picture'),
  ]


def test_a_folder_may_be_called_as_a_picture(folder):
  assert below(find(folder, recursive=False)[0]) == ['a.png', 'b.jpg']
  assert below(find(folder / 'x.png')[0]) == ['c.tif']
  assert below(find(folder / '*.png')[0]) == ['a.png']


def test_results_within_the_folder_are_not_pictures(folder):
  journal(folder / 'out', 'a.png')
  (folder / 'out' / 'd.png').touch()
  pictures = ['a.png', 'b.jpg', 'x.png/c.tif']
  items, left_alone = find(folder, output=folder / 'out')
  assert below(items) == pictures
  assert (str(folder / 'out'), 'the folder of the results') in left_alone
  # Nor those of another run: what it has not made is a picture.
  items, _ = find(folder, output=folder / 'more')
  assert below(items) == ['a.png', 'b.jpg', 'out/d.png', 'x.png/c.tif']
  # A folder that is named is meant, also if a run has made it.
  assert below(find(folder / 'out', output=folder / 'o')[0]) == [
    'a.png',
    'd.png',
  ]


def test_results_beside_their_sources_are_not_pictures(folder):
  journal(folder, 'a_unet.png')
  for name in (folder, folder / '*.png'):
    items, left_alone = find(name, output=folder)
    assert 'a_unet.png' not in below(items) and 'a.png' in below(items)
    assert 'the result of an earlier run' in [why for _, why in left_alone]
  assert below(find(folder / 'a_unet.png', output=folder)[0]) == ['a_unet.png']


def test_a_pipe_in_a_folder_is_no_picture(folder):
  os.mkfifo(folder / 'pipe.png')
  items, left_alone = find(folder)
  assert 'pipe.png' not in below(items)
  assert (str(folder / 'pipe.png'), 'no regular file') in left_alone
  (item,), _ = find('/dev/null')
  assert 'no regular file' in item.problem


def test_stdin_and_pipes_are_read_once(tmp_path, monkeypatch):
  monkeypatch.setattr(sys, 'stdin', io.TextIOWrapper(io.BytesIO(b'picture')))
  with streams.Spool() as spool:
    (item,), _ = find('-', '-', spool=spool)
    assert (item.name, item.below) == ('-', 'stdin')
    with open(item.source, 'rb') as file:
      assert file.read() == b'picture'
    assert spool.file('-') == item.source
  assert not os.path.exists(item.source)


# ---- masks ------------------------------------------------------------------


def test_masks_may_lie_beside_their_pictures(folder):
  for name in ('b-mask.png', 'x.png/c_mask.tif', 'd_mask.png'):
    (folder / name).touch()
  items, _ = find(folder)
  items, left_alone = bringing.bring(items, {'mask': str(folder)})
  assert {
    item.below: os.path.relpath(item.brought['mask'], folder)
    for item in items
    if not item.problem
  } == {
    'a.png': 'a.mask.png',
    'b.jpg': 'b-mask.png',
    'x.png/c.tif': 'x.png/c_mask.tif',
  }
  assert below(item for item in items if item.problem) == ['d_mask.png']
  assert [os.path.basename(one.path) for one in left_alone] == [
    'b-mask.png',
    'c_mask.tif',
  ]
  # One that is named is meant, and has none.
  items, _ = bringing.bring(
    find(folder / 'b-mask.png', folder)[0], {'mask': str(folder)}
  )
  assert 'b-mask.png' in below(items)


def test_a_picture_of_the_run_is_not_the_mask_of_another(folder):
  (folder / 'a.jpg').touch()
  os.remove(folder / 'a.mask.png')
  items, _ = bringing.bring(
    find(folder / 'a.jpg', folder / 'a.png')[0], {'mask': str(folder)}
  )
  assert all('holds no mask' in item.problem for item in items)


def test_a_mask_may_come_through_a_pipe(monkeypatch):
  monkeypatch.setattr(sys, 'stdin', io.TextIOWrapper(io.BytesIO(b'mask')))
  with streams.Spool() as spool:
    where = bringing.places('-', '', spool)
    with open(where['mask'], 'rb') as file:
      assert file.read() == b'mask'
