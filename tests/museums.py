"""Answers in the shape of each museum's interface, about invented objects."""

from museum_server import as_json
from museum_server import as_picture


def met(museum, number=3):
  """Objects 1 to `number`, each with one picture."""
  api = r'collectionapi\.metmuseum\.org/public/collection/v1'
  museum.on(
    rf'{api}/search',
    as_json({'total': number, 'objectIDs': [*range(1, number + 1)]}),
  )
  museum.on(
    rf'{api}/objects/(\d+)',
    lambda request, match: as_json(met_object(match[1])),
  )
  museum.on(
    r'images\.metmuseum\.org/original/(\d+)\.jpg',
    lambda request, match: as_picture(int(match[1])),
  )


def met_object(id, **fields):
  return {
    'objectID': int(id),
    'isPublicDomain': True,
    'primaryImage': f'https://images.metmuseum.org/original/{id}.jpg',
    'primaryImageSmall': f'https://images.metmuseum.org/web/{id}.jpg',
    'additionalImages': [],
    'title': f'Pears, {id}',
    'artistDisplayName': 'A. Painter',
    'objectDate': '1650',
    'objectURL': f'https://www.metmuseum.org/art/collection/search/{id}',
    'creditLine': 'Gift of nobody',
    **fields,
  }


def artic(museum, number=3):
  """Works 1 to `number`, two on a page."""
  api = r'api\.artic\.edu/api/v1/artworks'

  def search(request, match):
    page, size = int(request.query['page']), 2
    ids = [*range(1, number + 1)][(page - 1) * size : page * size]
    return as_json(
      {
        'pagination': {
          'total': number,
          'limit': size,
          'total_pages': -(-number // size),
          'current_page': page,
        },
        'data': [{'id': id, 'is_public_domain': True} for id in ids],
      }
    )

  museum.on(rf'{api}/search', search)
  museum.on(
    rf'{api}/(\d+)', lambda request, match: as_json(artic_work(match[1]))
  )
  museum.on(
    r'www\.artic\.edu/iiif/2/uuid-(\d+)/full/(\d+),/0/default\.jpg',
    lambda request, match: as_picture(int(match[1])),
  )


def artic_work(id, **fields):
  return {
    'data': {
      'id': int(id),
      'title': f'Haystack, {id}',
      'artist_display': 'B. Painter\nFrench, 1840-1926',
      'artist_title': 'B. Painter',
      'date_display': '1891',
      'credit_line': 'Fund of nobody',
      'image_id': f'uuid-{id}',
      'is_public_domain': True,
      **fields,
    },
    'config': {'iiif_url': 'https://www.artic.edu/iiif/2'},
  }


def cleveland(museum, number=3):
  """Works 1 to `number`, two in an answer."""
  api = r'openaccess-api\.clevelandart\.org/api/artworks/'

  def search(request, match):
    skip = int(request.query['skip'])
    ids = [*range(1, number + 1)][skip : skip + 2]
    return as_json(
      {
        'info': {'total': number, 'parameters': request.query},
        'data': [{'id': id} for id in ids],
      }
    )

  museum.on(
    rf'{api}(\d+)', lambda request, match: as_json(cleveland_work(match[1]))
  )
  museum.on(api, search)
  museum.on(
    r'openaccess-cdn\.clevelandart\.org/(\d+)_(web|print|full)\.(jpg|tif)',
    lambda request, match: as_picture(int(match[1])),
  )


def cleveland_work(id, **fields):
  image = lambda way, width, height, kind='jpg': {
    'url': f'https://openaccess-cdn.clevelandart.org/{id}_{way}.{kind}',
    'width': str(width),
    'height': str(height),
    'filesize': '1000',
    'filename': f'{id}_{way}.{kind}',
  }
  return {
    'data': {
      'id': int(id),
      'share_license_status': 'CC0',
      'title': f'River, {id}',
      'creators': [{'description': 'C. Painter (American, 1801-1848)'}],
      'creation_date': '1840',
      'url': f'https://clevelandart.org/art/{id}',
      'creditline': 'Bequest of nobody',
      'images': {
        'web': image('web', 893, 640),
        'print': image('print', 3400, 2437),
        'full': image('full', 7000, 5017, 'tif'),
      },
      **fields,
    }
  }


def smithsonian(museum, number=3):
  """Records 1 to `number`, in one answer, with two pictures each."""
  api = r'api\.si\.edu/openaccess/api/v1\.0'
  rows = [{'id': f'edanmdm-{i}'} for i in range(1, number + 1)]
  museum.on(
    rf'{api}/search',
    lambda request, match: as_json(
      {
        'response': {
          'rowCount': number,
          'rows': rows[int(request.query['start']) :],
        }
      }
    ),
  )
  museum.on(
    rf'{api}/content/edanmdm-(\d+)',
    lambda request, match: as_json(smithsonian_record(match[1])),
  )
  museum.on(
    r'ids\.si\.edu/ids/(\w+)/(\d+)-(\d)\.jpg',
    lambda request, match: as_picture(10 * int(match[2]) + int(match[3])),
  )


def smithsonian_record(id, accesses=('CC0', 'CC0')):
  files = lambda i: [
    {
      'label': label,
      'url': f'https://ids.si.edu/ids/{way}/{id}-{i}.jpg',
      'width': side,
      'height': side // 2,
    }
    for label, way, side in (
      ('High-resolution JPEG', 'download', 4000),
      ('Screen JPEG', 'screen', 1000),
    )
  ]
  return {
    'response': {
      'id': f'edanmdm-{id}',
      'title': f'Bird, {id}',
      'content': {
        'descriptiveNonRepeating': {
          'record_link': f'https://n2t.net/{id}',
          'metadata_usage': {'access': 'CC0'},
          'online_media': {
            'mediaCount': len(accesses),
            'media': [
              {
                'type': 'Images',
                'idsId': f'{id}-{i}',
                'usage': {'access': access},
                'content': f'https://ids.si.edu/ids/content/{id}-{i}.jpg',
                'resources': [
                  {'label': 'TIFF', 'url': 'https://ids.si.edu/x.tif'},
                  *files(i),
                ],
              }
              for i, access in enumerate(accesses)
            ],
          },
        },
        'freetext': {
          'name': [{'label': 'Artist', 'content': 'D. Painter'}],
          'date': [{'label': 'Date', 'content': '1900'}],
          'creditLine': [{'label': 'Credit Line', 'content': 'From nobody'}],
        },
      },
    }
  }


def commons(museum, number=3):
  """Files 1 to `number` of any category, two in an answer."""

  def query(request, match):
    first = int(request.query.get('gcmcontinue', '1'))
    pages = [commons_file(i) for i in range(first, min(first + 2, number + 1))]
    more = {'continue': {'gcmcontinue': str(first + 2), 'continue': '-||'}}
    return as_json(
      {**(more if first + 2 <= number else {}), 'query': {'pages': pages}}
    )

  museum.on(r'commons\.wikimedia\.org/w/api\.php', query)
  museum.on(
    r'upload\.wikimedia\.org/wikipedia/commons/(?:thumb/)?(\d+)\.jpg.*',
    lambda request, match: as_picture(int(match[1])),
  )


def commons_file(id, licence=None, mediatype='BITMAP'):
  text = lambda value: {'value': value, 'source': 'commons-desc-page'}
  licence = licence or {
    'License': 'cc0',
    'LicenseShortName': 'CC0',
    'LicenseUrl': 'http://creativecommons.org/publicdomain/zero/1.0/deed.en',
    'Copyrighted': 'True',
  }
  url = 'https://upload.wikimedia.org/wikipedia/commons'
  return {
    'pageid': int(id),
    'title': f'File:Street, {id}.jpg',
    'imageinfo': [
      {
        'url': f'{url}/{id}.jpg',
        'thumburl': f'{url}/thumb/{id}.jpg/960px-{id}.jpg',
        'thumbwidth': 960,
        'width': 3000,
        'height': 2000,
        'mime': 'image/jpeg',
        'mediatype': mediatype,
        'sha1': '0' * 40,
        'descriptionurl': f'https://commons.wikimedia.org/wiki/File:{id}.jpg',
        'extmetadata': {
          'Artist': text('<a href="//x">E.&nbsp;Painter</a>'),
          'Credit': text('<span>Own <i>work</i></span>'),
          'DateTimeOriginal': text('1880'),
          **{name: text(value) for name, value in licence.items()},
        },
      }
    ],
  }


def europeana(museum, number=3):
  """Objects 1 to `number`, two in an answer."""
  api = r'api\.europeana\.eu/record/v2'

  def search(request, match):
    cursor = request.query['cursor']
    first = 1 if cursor == '*' else int(cursor)
    ids = range(first, min(first + 2, number + 1))
    return as_json(
      {
        'success': True,
        'totalResults': number,
        'items': [{'id': f'/90/obj_{i}'} for i in ids],
        **({'nextCursor': str(first + 2)} if first + 2 <= number else {}),
      }
    )

  museum.on(rf'{api}/search\.json', search)
  museum.on(
    rf'{api}/90/obj_(\d+)\.json',
    lambda request, match: as_json(europeana_record(match[1])),
  )
  museum.on(
    r'library\.example\.org/(\d+)\.jpg',
    lambda request, match: as_picture(int(match[1])),
  )


def europeana_record(
  id, own=None, rights='http://creativecommons.org/publicdomain/mark/1.0/'
):
  url = f'http://library.example.org/{id}.jpg'
  resource = {
    'about': url,
    'ebucoreWidth': 1200,
    'ebucoreHeight': 800,
    'ebucoreHasMimeType': 'image/jpeg',
    'ebucoreFileByteSize': 1000,
  }
  if own is not None:
    resource['webResourceEdmRights'] = {'def': own}
  return {
    'success': True,
    'object': {
      'about': f'/90/obj_{id}',
      'aggregations': [
        {
          'edmIsShownBy': url,
          'edmRights': {'def': [rights]},
          'edmDataProvider': {'def': ['A Library']},
          'webResources': [resource],
        }
      ],
      'europeanaAggregation': {
        'edmLandingPage': f'https://www.europeana.eu/item/90/obj_{id}'
      },
      'proxies': [
        {'dcCreator': {'def': ['http://viaf.org/1']}},
        {
          'dcTitle': {'de': [f'Karte {id}']},
          'dcCreator': {'def': ['F. Maler']},
          'dctermsCreated': {'def': ['1700']},
        },
      ],
    },
  }
