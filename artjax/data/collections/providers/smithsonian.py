"""The Smithsonian Institution: https://edan.si.edu/openaccess/apidocs/

A record has any number of pictures, each with a licence of its own.
"""

from collections.abc import Iterator

from artjax.data.collections import base

_API = 'https://api.si.edu/openaccess/api/v1.0'
_PAGE = 100
_KEY = base.Key(
  'api.si.edu', 'api_key', 'SMITHSONIAN_API_KEY', 'https://api.data.gov/signup/'
)


def items(web, query: base.Query) -> Iterator[base.Item]:
  """The records with CC0 pictures that a search finds."""
  words = f'({query.text}) AND ' if query.text else ''
  start, total = 0, 1
  while start < total:
    found = web.json(
      f'{_API}/search',
      {
        **query.filters,
        'q': f'{words}online_media_type:Images AND media_usage:CC0',
        'rows': _PAGE,
        'start': start,
      },
    )['response']
    total = found['rowCount']
    if not found['rows']:
      return
    for row in found['rows']:
      yield base.Item(row['id'], total=total)
    start += len(found['rows'])


def pictures(web, item: base.Item, query: base.Query) -> Iterator[base.Picture]:
  """The pictures of a record."""
  record = web.json(f'{_API}/content/{item.id}')['response']
  content = record['content']
  described = content['descriptiveNonRepeating']
  free = content.get('freetext', {})
  media = described.get('online_media', {}).get('media', [])
  for i, one in enumerate(m for m in media if m.get('type') == 'Images'):
    asked, url, stated = _file(one, query.size)
    yield base.Picture(
      id=f'{item.id}-{i}' if i else item.id,
      url=url,
      licence=one.get('usage', {}).get('access', ''),
      title=record['title'],
      maker=_first(free, 'name'),
      date=_first(free, 'date'),
      page=described.get('record_link', ''),
      credit=_first(free, 'creditLine'),
      asked=asked,
      stated=stated,
    )


def _file(media, size):
  """(label, URL, size of the original) of the JPEG file to fetch."""
  files = [
    (max(int(r['width']), int(r['height'])), r)
    for r in media.get('resources', ())
    if r.get('width') and 'JPEG' in r.get('label', '')
  ]
  if not files:
    return 'full', media['content'], None
  files.sort(key=lambda file: file[0])
  enough = [r for side, r in files if side >= size > 0]
  chosen, largest = (enough or [files[-1][1]])[0], files[-1][1]
  return (
    chosen['label'],
    chosen['url'],
    (int(largest['width']), int(largest['height'])),
  )


def _first(free, field):
  """The first text of a field, '' without one."""
  return next((entry['content'] for entry in free.get(field, ())), '')


PROVIDER = base.Provider(
  'smithsonian', 'words to search for', items, pictures, key=_KEY
)
