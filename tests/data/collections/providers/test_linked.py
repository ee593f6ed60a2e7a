"""Rijksmuseum, IIIF and addresses of one's own."""

import json

import linked_museums
from museum_server import as_json
from museum_server import as_picture
from museum_server import Reply
import pytest

from artjax.data.collections.providers import iiif_image

PDM = linked_museums.PDM
BY = 'https://creativecommons.org/licenses/by/4.0/'


def entries(folder):
  lines = (folder / 'pictures.jsonl').read_text().splitlines()
  return {entry['id']: entry for entry in map(json.loads, lines)}


def fields(entry):
  names = 'title', 'maker', 'date', 'credit', 'size_asked', 'licence'
  return [entry[name] for name in names]


def test_rijksmuseum_in_bulk(museum, fetch, tmp_path):
  linked_museums.rijksmuseum(museum)
  assert fetch('rijksmuseum', 'oai:26')['pictures'] == 3
  entry = entries(tmp_path)['200003']
  assert fields(entry) == [
    'Tulips',
    'H. Painter',
    '1640',
    'A Museum',
    'max',
    PDM,
  ]
  assert entry['page'] == 'https://www.rijksmuseum.nl/200003'
  first, second = [r.query for r in museum.asked('oai')]
  assert first == {'verb': 'ListRecords', 'metadataPrefix': 'edm', 'set': '26'}
  assert second == {'verb': 'ListRecords', 'resumptionToken': '2'}


def test_rijksmuseum_rights_of_the_picture_count(museum, fetch, tmp_path):
  linked_museums.rijksmuseum(museum)
  records = [
    linked_museums.oai_record(200001, rights=BY),
    linked_museums.oai_record(200002, rights=PDM, own=BY),
    linked_museums.oai_record(200003, rights=BY, own=PDM),
    linked_museums.oai_record(200004, status='status="deleted"'),
  ]
  museum.on(r'data\.rijksmuseum\.nl/oai', linked_museums.oai_answer(records))
  assert fetch('rijksmuseum', 'oai:')['refused'] == 2
  assert [*entries(tmp_path)] == ['200003']


@pytest.mark.parametrize('text', ['200002', 'https://id.rijksmuseum.nl/200002'])
def test_one_of_the_rijksmuseum(museum, fetch, tmp_path, text):
  linked_museums.rijksmuseum(museum)
  assert fetch('rijksmuseum', text, size=900)['pictures'] == 1
  entry = entries(tmp_path)['200002']
  assert fields(entry) == [
    'Windmill',
    'G. Painter',
    '1660',
    '',
    '!900,900',
    PDM,
  ]
  assert entry['url'].endswith('/full/!900,900/0/default.jpg')
  assert museum.requests[0].headers['Accept'] == 'application/ld+json'


def test_rijksmuseum_search(museum, fetch, tmp_path):
  linked_museums.rijksmuseum(museum)
  result = fetch('rijksmuseum', '', filters={'type': 'painting'})
  assert result['pictures'] == 3
  assert museum.requests[0].query == {
    'type': 'painting',
    'imageAvailable': 'true',
  }


@pytest.mark.parametrize('licences', [(), (BY,), (PDM, BY)])
def test_rijksmuseum_unclear_rights(museum, fetch, licences):
  linked_museums.rijksmuseum(museum)
  museum.on(
    r'id\.rijksmuseum\.nl/3.*',
    as_json(linked_museums.visual_item('00002', licences)),
  )
  assert fetch('rijksmuseum', '200002')['refused'] == 1


def test_rijksmuseum_objects_without_pictures(museum, fetch):
  linked_museums.rijksmuseum(museum)
  museum.on(r'id\.rijksmuseum\.nl/2.*', as_json({'type': 'HumanMadeObject'}))
  result = fetch('rijksmuseum', '200002')
  assert (result['refused'], result['failed']) == (1, 0)


@pytest.mark.parametrize(
  'answer, message',
  [
    (b'<OAI-PMH', 'answers no XML'),
    (b'<!DOCTYPE x [<!ENTITY a "b">]><x/>', 'XML with entities'),
    (
      b'<OAI-PMH xmlns="http://www.openarchives.org/OAI/2.0/">'
      b'<error code="badArgument">no such set</error></OAI-PMH>',
      'badArgument no such set',
    ),
  ],
)
def test_what_is_no_list_of_records(museum, fetch, answer, message):
  museum.on(r'data\.rijksmuseum\.nl/oai', Reply(answer, 'text/xml'))
  assert message in fetch('rijksmuseum', 'oai:26')['stopped']


MANIFEST = 'https://library.example.org/{}/manifest'


@pytest.mark.parametrize('version', [2, 3])
def test_a_manifest(museum, fetch, tmp_path, version):
  make = getattr(linked_museums, f'manifest{version}')
  linked_museums.info(museum, version)
  museum.on(
    r'library\.example\.org/a/manifest', as_json(make('a', canvases=[{}, {}]))
  )
  assert fetch('iiif', MANIFEST.format('a'))['pictures'] == 2
  entry = entries(tmp_path)[MANIFEST.format('a') + '-1']
  assert fields(entry) == (
    ['Ein Buch', 'J. Painter', '1555', 'A Library', 'full', PDM]
    if version == 2
    else ['A book', '', '', 'A Library', 'max', PDM]
  )
  assert entry['page'] == 'https://library.example.org/a'
  assert entry['size_stated'] == [3000, 2000] and entry['size'] == [56, 40]


@pytest.mark.parametrize('version', [2, 3])
def test_the_nearest_licence_counts(museum, fetch, tmp_path, version):
  make = getattr(linked_museums, f'manifest{version}')
  name = 'license' if version == 2 else 'rights'
  linked_museums.info(museum, version)
  canvases = [{}, {name: PDM}, {name: 'https://library.example.org/terms'}]
  museum.on(
    r'library\.example\.org/a/manifest', as_json(make('a', BY, canvases))
  )
  assert fetch('iiif', MANIFEST.format('a'))['pictures'] == 1
  assert [*entries(tmp_path)] == [MANIFEST.format('a') + '-1']
  # By another run also those of the manifest.
  result = fetch('iiif', MANIFEST.format('a'), licences=('pdm', 'by'))
  assert (result['pictures'], result['new']) == (2, 1)


def test_a_collection_of_version_3(museum, fetch, tmp_path):
  linked_museums.info(museum, 3)
  root = 'https://library.example.org/top'
  member = lambda name, kind: {
    'id': f'https://library.example.org/{name}',
    'type': kind,
  }
  museum.on(
    r'library\.example\.org/top',
    as_json(
      {
        'id': root,
        'type': 'Collection',
        'items': [
          member('a/manifest', 'Manifest'),
          member('sub', 'Collection'),
          member('top', 'Collection'),  # itself
        ],
      }
    ),
  )
  museum.on(
    r'library\.example\.org/sub',
    as_json(
      {
        'type': 'Collection',
        'items': [
          member('a/manifest', 'Manifest'),
          member('b/manifest', 'Manifest'),
        ],
      }
    ),
  )
  for id in 'ab':
    museum.on(
      rf'library\.example\.org/{id}/manifest',
      as_json(linked_museums.manifest3(id)),
    )
  assert fetch('iiif', root)['pictures'] == 2
  # A manifest that is done is not even asked for again.
  before = len(museum.requests)
  fetch('iiif', root)
  assert len(museum.requests) == before + 2


def test_a_collection_of_version_2_in_pages(museum, fetch):
  linked_museums.info(museum, 2)
  root = 'https://library.example.org/top'
  museum.on(
    r'library\.example\.org/top',
    as_json({'@id': root, '@type': 'sc:Collection', 'first': f'{root}1'}),
  )
  for page, id, more in ((1, 'a', {'next': f'{root}2'}), (2, 'b', {})):
    museum.on(
      rf'library\.example\.org/top{page}',
      as_json(
        {
          '@type': 'sc:Collection',
          'manifests': [{'@id': MANIFEST.format(id)}],
          **more,
        }
      ),
    )
    museum.on(
      rf'library\.example\.org/{id}/manifest',
      as_json(linked_museums.manifest2(id)),
    )
  assert fetch('iiif', root)['pictures'] == 2


@pytest.mark.parametrize(
  'version, longest, fields, size',
  [
    (2, 0, {}, 'full'),
    (3, 0, {}, 'max'),
    (2, 1500, {}, '1500,'),
    (3, 1500, {}, '1500,1000'),
    (3, 3000, {}, 'max'),
    (3, 9000, {}, 'max'),
    (2, 0, {'profile': ['x', {'maxWidth': 1000}]}, 'max'),
    (2, 1500, {'profile': ['x', {'maxWidth': 1000}]}, 'max'),
    (2, 900, {'profile': ['x', {'maxWidth': 1000}]}, '900,'),
    (3, 1500, {'maxArea': 600_000}, 'max'),
    (3, 900, {'maxArea': 600_000}, '900,600'),
    (3, 900, {'maxWidth': 1000, 'maxHeight': 500}, 'max'),
    (3, 900, {'profile': 'level0', 'sizes': []}, 'max'),
    (
      3,
      900,
      {
        'profile': 'level0',
        'sizes': [
          {'width': 600, 'height': 400},
          {'width': 1200, 'height': 800},
          {'width': 1500, 'height': 1000},
        ],
      },
      '1200,800',
    ),
  ],
)
def test_sizes(version, longest, fields, size):
  info = {'width': 3000, 'height': 2000, **fields}
  assert iiif_image.size(info, version, longest) == size


def test_a_picture_without_a_service(museum, fetch, tmp_path):
  manifest = linked_museums.manifest3('a')
  body = manifest['items'][0]['items'][0]['items'][0]['body']
  del body['service']
  body.update(id='https://library.example.org/a.jpg', width=90, height=60)
  museum.on(r'library\.example\.org/a/manifest', as_json(manifest))
  museum.on(r'library\.example\.org/a\.jpg', as_picture(1))
  fetch('iiif', MANIFEST.format('a'))
  [entry] = entries(tmp_path).values()
  assert entry['size_stated'] == [90, 60] and entry['size_asked'] == 'full'


def test_a_file_of_addresses(museum, fetch, tmp_path):
  museum.on(r'www\.example\.org/(\d)\.jpg', lambda r, m: as_picture(int(m[1])))
  file = tmp_path / 'list.txt'
  file.write_text(
    '# mine\n'
    f'https://www.example.org/1.jpg {PDM}\n'
    'https://www.example.org/2.jpg\n\n'
    '{"url": "https://www.example.org/3.jpg", "licence": "CC0", "title": "T"}\n'
    f'https://www.example.org/1.jpg {PDM}\n'
  )
  result = fetch('urls', str(file))
  assert (result['pictures'], result['refused']) == (2, 1)
  entry = entries(tmp_path)['https://www.example.org/3.jpg']
  assert entry['title'] == 'T'
  assert len(museum.asked('robots.txt')) == 1


@pytest.mark.parametrize('line', ['{"licence": "CC0"}', '{"url": 3}', '{'])
def test_a_bad_line_is_named(museum, fetch, tmp_path, line):
  (tmp_path / 'list.txt').write_text(f'# x\n{line}\n')
  result = fetch('urls', str(tmp_path / 'list.txt'))
  assert 'list.txt, line 2 is no JSON object' in result['stopped']
