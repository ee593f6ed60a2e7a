"""Collecting: what is in the folder afterwards, and what a second run does."""

import hashlib
import json
import os

import cv2
from museum_server import as_json
from museum_server import as_picture
from museum_server import Reply
import museums
import pytest

from artjax.data import sources

API = r'collectionapi\.metmuseum\.org/public/collection/v1'


def entries(folder):
  lines = (folder / 'pictures.jsonl').read_text().splitlines()
  return {entry['id']: entry for entry in map(json.loads, lines)}


def pictures(folder):
  return sorted(p.name for p in folder.glob('met_*') if p.suffix != '.jsonl')


def test_pictures_come_with_their_provenance(museum, fetch, tmp_path):
  museums.met(museum)
  result = fetch('met', 'pears', filters={'departmentId': '11'})
  assert result == {
    'pictures': 3,
    'new': 3,
    'refused': 0,
    'failed': 0,
    'duplicates': 0,
    'stopped': '',
  }
  assert pictures(tmp_path) == ['met_1.jpg', 'met_2.jpg', 'met_3.jpg']
  data = (tmp_path / 'met_2.jpg').read_bytes()
  entry = entries(tmp_path)['2']
  assert entry.pop('retrieved').endswith('+00:00')
  assert len(entry.pop('dhash')) == 16
  assert entry == {
    'provider': 'met',
    'id': '2',
    'file': 'met_2.jpg',
    'title': 'Pears, 2',
    'maker': 'A. Painter',
    'date': '1650',
    'page': 'https://www.metmuseum.org/art/collection/search/2',
    'url': 'https://images.metmuseum.org/original/2.jpg',
    'licence': 'https://creativecommons.org/publicdomain/zero/1.0/',
    'credit': 'Gift of nobody',
    'bytes': len(data),
    'sha256': hashlib.sha256(data).hexdigest(),
    'size_stated': None,
    'size_asked': 'full',
    'size': [56, 40],
  }
  search = museum.asked('search')[0]
  assert search.query == {
    'q': 'pears',
    'hasImages': 'true',
    'departmentId': '11',
  }
  for request in museum.requests:
    assert 'someone@example.org' in request.headers['User-Agent']
  assert not [p for p in os.listdir(tmp_path) if p.endswith('.part')]


def test_a_second_run_asks_only_for_the_list(museum, fetch, tmp_path):
  museums.met(museum)
  fetch('met', 'pears')
  before = len(museum.requests)
  again = fetch('met', 'pears')
  assert again['new'] == 0 and again['pictures'] == 3
  assert len(museum.requests) == before + 1
  # What was deleted comes back.
  (tmp_path / 'met_2.jpg').unlink()
  assert fetch('met', 'pears')['new'] == 1
  assert pictures(tmp_path) == ['met_1.jpg', 'met_2.jpg', 'met_3.jpg']


def test_the_limit_counts_what_is_there(museum, fetch, tmp_path):
  museums.met(museum, 5)
  assert fetch('met', 'pears', limit=2)['new'] == 2
  before = len(museum.requests)
  assert fetch('met', 'pears', limit=2)['new'] == 0
  assert len(museum.requests) == before
  assert fetch('met', 'pears', limit=4)['new'] == 2


def test_failures_are_kept_and_tried_again(museum, fetch, tmp_path, capsys):
  museums.met(museum)
  museum.on(r'images\.metmuseum\.org/original/2\.jpg', as_json({}, status=404))
  result = fetch('met', 'pears')
  assert (result['new'], result['failed']) == (2, 1)
  assert '2: https://images.metmuseum.org/original/2.jpg answers 404' in (
    capsys.readouterr().err
  )
  lines = (tmp_path / '.collect' / 'items.jsonl').read_text().splitlines()
  [failed] = [e for e in map(json.loads, lines) if e['status'] == 'failed']
  assert failed['item'] == '2' and failed['tries'] == 1
  museum.on(r'images\.metmuseum\.org/original/2\.jpg', as_picture(2))
  result = fetch('met', 'pears')
  assert (result['new'], result['failed'], result['pictures']) == (1, 0, 3)


@pytest.mark.parametrize('flag', [False, None, 'yes', 'missing'])
def test_an_unclear_licence_means_no(museum, fetch, tmp_path, flag):
  museums.met(museum)
  record = museums.met_object(2, isPublicDomain=flag)
  if flag == 'missing':
    del record['isPublicDomain']
  museum.on(rf'{API}/objects/2', as_json(record))
  result = fetch('met', 'pears')
  assert result['new'] == 2 and result['refused'] + result['failed'] == 1
  assert not museum.asked('original/2')


def test_copies_are_reported(museum, fetch, tmp_path):
  museums.met(museum, 5)
  museum.on(r'images\.metmuseum\.org/original/2\.jpg', as_picture(1))
  # The same view, larger, and so other bytes.
  museum.on(r'images\.metmuseum\.org/original/4\.jpg', as_picture(3, 80, 112))
  assert fetch('met', 'pears')['duplicates'] == 2
  groups = json.loads((tmp_path / '.collect' / 'duplicates.json').read_text())
  assert groups == [
    {'same': 'bytes', 'files': ['met_1.jpg', 'met_2.jpg']},
    {'same': 'look', 'files': ['met_3.jpg', 'met_4.jpg']},
  ]


def test_a_folder_is_a_source(museum, fetch, tmp_path):
  museums.met(museum)
  fetch('met', 'pears')
  source = sources.load(f'folder:{tmp_path}')
  assert [entry.name for entry in source.entries] == pictures(tmp_path)
  assert not source.rejected
  assert source.provenance['met_2.jpg']['title'] == 'Pears, 2'


def test_pictures_are_whole(museum, fetch, tmp_path):
  museums.met(museum)
  fetch('met', 'pears')
  for name in pictures(tmp_path):
    assert cv2.imread(str(tmp_path / name)).shape == (40, 56, 3)


@pytest.mark.parametrize(
  'reply, reason',
  [
    (Reply(b'<html>Log in</html>', 'text/html'), 'is text/html, not a picture'),
    (Reply(b'<html>Log in</html>', 'image/jpeg'), 'not a JPEG, PNG, TIFF or'),
    (Reply(as_picture(1).body[:-400], 'image/jpeg'), 'truncated JPEG'),
    (as_picture(1, 400, 400), 'are more than 0.1 megapixels'),
    (as_picture(1, headers={'Content-Length': '10000000000'}), 'larger than'),
    (Reply(b'\0' * 2000000, 'image/jpeg'), 'larger than 1 MiB'),
  ],
)
def test_what_is_no_picture_is_not_kept(museum, fetch, tmp_path, reply, reason):
  museums.met(museum, 2)
  museum.on(r'images\.metmuseum\.org/original/2\.jpg', reply)
  result = fetch('met', 'x', max_bytes=2**20, max_pixels=1e5)
  assert (result['pictures'], result['failed']) == (1, 1)
  assert pictures(tmp_path) == ['met_1.jpg'] and [*entries(tmp_path)] == ['1']
  items = (tmp_path / '.collect' / 'items.jsonl').read_text()
  assert reason in json.loads(items.splitlines()[-1])['reasons'][0]


def test_a_run_in_which_all_fails_ends(museum, fetch):
  museums.met(museum, 50)
  museum.on(r'images\.metmuseum\.org/.*', Reply(status=403))
  result = fetch('met', 'x')
  assert result['stopped'] == '20 items failed in a row'
  assert len(museum.asked('original')) == 20


def test_only_what_an_object_lacks_is_fetched_again(museum, fetch, tmp_path):
  museums.met(museum, 1)
  more = ['https://images.metmuseum.org/original/7.jpg']
  museum.on(
    rf'{API}/objects/1', as_json(museums.met_object(1, additionalImages=more))
  )
  museum.on(
    r'images\.metmuseum\.org/original/7\.jpg',
    [Reply(status=404), as_picture(7)],
  )
  assert fetch('met', 'x')['pictures'] == 1
  assert fetch('met', 'x')['pictures'] == 2
  assert len(museum.asked('original/1')) == 1
  assert [*entries(tmp_path)] == ['1', '1-1']
