"""Museums with an interface of their own: list, record, picture, licence."""

import json

from museum_server import as_json
from museum_server import Reply
import museums
import pytest

CC0 = 'https://creativecommons.org/publicdomain/zero/1.0/'


def entries(folder):
  lines = (folder / 'pictures.jsonl').read_text().splitlines()
  return {entry['id']: entry for entry in map(json.loads, lines)}


def fields(entry):
  names = 'title', 'maker', 'date', 'credit', 'size_asked', 'size_stated'
  return [entry[name] for name in names]


def test_met(museum, fetch, tmp_path):
  museums.met(museum, 2)
  more = ['https://images.metmuseum.org/original/7.jpg']
  museum.on(
    r'.*/objects/2', as_json(museums.met_object(2, additionalImages=more))
  )
  assert fetch('met', 'x')['pictures'] == 3
  assert sorted(entries(tmp_path)) == ['1', '2', '2-1']
  museum.on(r'.*/search', as_json({'total': 0, 'objectIDs': None}))
  assert fetch('met', 'nothing of it')['stopped'] == ''


def test_artic(museum, fetch, tmp_path):
  museums.artic(museum)
  assert fetch('artic', 'hay')['pictures'] == 3
  entry = entries(tmp_path)['3']
  assert fields(entry) == [
    'Haystack, 3',
    'B. Painter',
    '1891',
    'Fund of nobody',
    '1686,',
    None,
  ]
  assert entry['licence'] == CC0
  assert entry['url'].endswith('/iiif/2/uuid-3/full/1686,/0/default.jpg')
  search = museum.asked('search')[0]
  assert search.query['query[term][is_public_domain]'] == 'true'
  assert 'someone@example.org' in search.headers['AIC-User-Agent']


def test_artic_in_the_size_that_is_kept(museum, fetch, tmp_path):
  museums.artic(museum, 1)
  fetch('artic', 'hay', size=800)
  assert entries(tmp_path)['1']['size_asked'] == '843,'


def test_cleveland(museum, fetch, tmp_path):
  museums.cleveland(museum)
  assert fetch('cleveland', 'river', size=2000)['pictures'] == 3
  assert fields(entries(tmp_path)['1']) == [
    'River, 1',
    'C. Painter (American, 1801-1848)',
    '1840',
    'Bequest of nobody',
    'print',
    [7000, 5017],
  ]
  assert museum.asked('api/artworks/')[0].query['cc0'] == '1'


def test_cleveland_at_its_largest(museum, fetch, tmp_path):
  museums.cleveland(museum, 1)
  fetch('cleveland', 'river')
  assert entries(tmp_path)['1']['size_asked'] == 'full'


def test_smithsonian(museum, fetch, tmp_path):
  museums.smithsonian(museum, 2)
  assert fetch('smithsonian', 'bird', key='secret')['pictures'] == 4
  assert fields(entries(tmp_path)['edanmdm-2-1']) == [
    'Bird, 2',
    'D. Painter',
    '1900',
    'From nobody',
    'High-resolution JPEG',
    [4000, 2000],
  ]
  # The key goes to its interface alone, and nowhere else.
  for request in museum.requests:
    wanted = 'secret' if request.host == 'api.si.edu' else None
    assert request.query.get('api_key') == wanted
  for path in tmp_path.rglob('*'):
    assert path.is_dir() or b'secret' not in path.read_bytes()


def test_smithsonian_has_a_licence_for_each_picture(museum, fetch, tmp_path):
  museums.smithsonian(museum, 1)
  record = museums.smithsonian_record(1, ('Usage conditions apply', 'CC0', ''))
  museum.on(r'.*/content/edanmdm-1', as_json(record))
  assert fetch('smithsonian', '', size=900)['pictures'] == 1
  assert [*entries(tmp_path)] == ['edanmdm-1-1']
  assert entries(tmp_path)['edanmdm-1-1']['size_asked'] == 'Screen JPEG'
  assert [r.path for r in museum.asked('ids.si.edu')] == ['/ids/screen/1-1.jpg']


def test_commons(museum, fetch, tmp_path):
  museums.commons(museum)
  assert fetch('commons', 'Category:Streets')['pictures'] == 3
  entry = entries(tmp_path)['3']
  assert fields(entry) == [
    'Street, 3.jpg',
    'E. Painter',
    '1880',
    'Own work',
    '960,',
    [3000, 2000],
  ]
  queries = [r.query for r in museum.asked('api.php')]
  assert {q['gcmtitle'] for q in queries} == {'Category:Streets'}
  assert [q.get('continue') for q in queries] == [None, '-||']


@pytest.mark.parametrize(
  'licence, welcome',
  [
    ({'License': 'pd', 'Copyrighted': 'False'}, True),
    ({'License': 'pd'}, False),
    ({'License': 'pd', 'Copyrighted': 'True'}, False),
    ({'LicenseUrl': 'https://creativecommons.org/licenses/by/4.0'}, False),
    ({'LicenseShortName': 'CC0'}, False),
    ({'LicenseUrl': 'http://artlibre.org/licence/lal/en'}, False),
  ],
)
def test_commons_licences(museum, fetch, tmp_path, licence, welcome):
  museums.commons(museum, 1)
  file = museums.commons_file(1, licence)
  museum.on(r'.*/w/api\.php', as_json({'query': {'pages': [file]}}))
  assert fetch('commons', 'Streets')['pictures'] == welcome


def test_commons_waits_while_servers_are_behind(museum, fetch, tmp_path):
  museums.commons(museum, 1)
  behind = as_json({'error': {'code': 'maxlag', 'info': 'Waiting'}})
  page = as_json({'query': {'pages': [museums.commons_file(1)]}})
  museum.on(r'.*/w/api\.php', [behind, behind, page])
  assert fetch('commons', 'Streets')['pictures'] == 1
  museum.on(r'.*/w/api\.php', as_json({'error': {'info': 'No such title'}}))
  assert 'No such title' in fetch('commons', 'Streets')['stopped']


def test_commons_leaves_out_what_is_no_bitmap(museum, fetch):
  museums.commons(museum, 1)
  file = museums.commons_file(1, mediatype='DRAWING')
  museum.on(r'.*/w/api\.php', as_json({'query': {'pages': [file]}}))
  assert fetch('commons', 'Streets')['refused'] == 1


def test_europeana(museum, fetch, tmp_path):
  museums.europeana(museum)
  assert fetch('europeana', 'maps', key='secret')['pictures'] == 3
  entry = entries(tmp_path)['/90/obj_3']
  assert fields(entry) == [
    'Karte 3',
    'F. Maler',
    '1700',
    'A Library',
    'full',
    [1200, 800],
  ]
  assert entry['file'].startswith('europeana_90_obj_3-')
  for request in museum.requests:
    wanted = 'secret' if request.host == 'api.europeana.eu' else None
    assert request.query.get('wskey') == wanted


@pytest.mark.parametrize(
  'own, welcome',
  [
    (['http://creativecommons.org/publicdomain/zero/1.0/'], True),
    (['http://rightsstatements.org/vocab/InC/1.0/'], False),
    (
      [
        'http://creativecommons.org/publicdomain/zero/1.0/',
        'http://rightsstatements.org/vocab/InC/1.0/',
      ],
      False,
    ),
    ([], True),
  ],
)
def test_europeana_rights_of_the_picture_count(museum, fetch, own, welcome):
  museums.europeana(museum, 1)
  museum.on(r'.*/obj_1\.json', as_json(museums.europeana_record(1, own)))
  assert fetch('europeana', 'maps')['pictures'] == welcome


def test_europeana_says_why_not(museum, fetch):
  museum.on(
    r'api\.europeana\.eu/.*',
    as_json({'success': False, 'error': 'Invalid API key'}),
  )
  assert 'Invalid API key' in fetch('europeana', 'maps')['stopped']


@pytest.mark.parametrize(
  'name, path, changed',
  [
    ('met', r'.*/objects/1', museums.met_object(1, isPublicDomain=False)),
    ('artic', r'.*/artworks/1', museums.artic_work(1, is_public_domain=False)),
    (
      'cleveland',
      r'.*/artworks/1',
      museums.cleveland_work(1, share_license_status='Copyrighted'),
    ),
    (
      'smithsonian',
      r'.*/content/edanmdm-1',
      museums.smithsonian_record(1, ['Usage conditions apply']),
    ),
    (
      'europeana',
      r'.*/obj_1\.json',
      museums.europeana_record(
        1, rights='http://rightsstatements.org/vocab/InC/1.0/'
      ),
    ),
  ],
)
def test_the_record_counts_and_not_the_list(museum, fetch, name, path, changed):
  getattr(museums, name)(museum, 1)
  museum.on(path, as_json(changed))
  result = fetch(name, 'x')
  assert (result['pictures'], result['refused']) == (0, 1)
  # Once its record has changed back, it is still left alone: what was refused
  # is only asked for again when another licence is accepted.
  asked = len(museum.requests)
  fetch(name, 'x')
  assert len(museum.requests) == asked + 1


def test_another_shape_is_a_failure_and_no_crash(museum, fetch, capsys):
  museums.artic(museum, 2)
  museum.on(r'.*/artworks/1', as_json({'data': ['of another shape']}))
  result = fetch('artic', 'x')
  assert (result['pictures'], result['failed']) == (1, 1)
  assert '1: unexpected record: TypeError' in capsys.readouterr().err
  museum.on(r'.*/search', as_json([]))
  assert 'unexpected answer' in fetch('artic', 'y')['stopped']


def test_a_page_of_html_is_no_list(museum, fetch):
  museum.on(r'.*', Reply(b'<html>Sorry', 'text/html'))
  assert 'answers no JSON' in fetch('met', 'x')['stopped']
