"""Europeana, pictures of many providers: https://pro.europeana.eu/page/apis

The pictures are on the servers of museums and libraries, in any quality. Each
may have rights of its own; those of the object are for pictures without.
"""

from collections.abc import Iterator

from artjax.data.collections import base
from artjax.data.collections import licences

_API = 'https://api.europeana.eu/record/v2'
_PAGE = 100
_KEY = base.Key(
  'api.europeana.eu',
  'wskey',
  'EUROPEANA_API_KEY',
  'https://pro.europeana.eu/page/get-api',
)


def items(web, query: base.Query) -> Iterator[base.Item]:
  """The objects with open pictures that a search finds."""
  cursor: str | None = '*'
  while cursor:
    found = web.json(
      f'{_API}/search.json',
      {
        'reusability': 'open',
        **query.filters,
        'query': query.text,
        'qf': 'TYPE:IMAGE',
        'media': 'true',
        'profile': 'minimal',
        'rows': _PAGE,
        'cursor': cursor,
      },
    )
    if found.get('success') is not True:
      raise base.FetchError(f'{_API}: {found.get("error", "refused")}')
    for entry in found['items']:
      yield base.Item(entry['id'], total=found['totalResults'])
    cursor = found.get('nextCursor') if found['items'] else None


def pictures(web, item: base.Item, query: base.Query) -> Iterator[base.Picture]:
  """The pictures that the provider shows the object by."""
  record = web.json(f'{_API}{item.id}.json')['object']
  aggregation = record['aggregations'][0]
  about = record.get('europeanaAggregation', {})
  resources = {r['about']: r for r in aggregation.get('webResources', ())}
  urls = [aggregation.get('edmIsShownBy'), *aggregation.get('hasView', ())]
  for i, url in enumerate(dict.fromkeys(filter(None, urls))):
    resource = resources.get(url, {})
    own = _texts(resource.get('webResourceEdmRights'))
    kind = resource.get('ebucoreHasMimeType') or 'image/'
    if not kind.startswith('image/'):
      continue
    width, height = (resource.get(f'ebucore{x}') for x in ('Width', 'Height'))
    yield base.Picture(
      id=f'{item.id}-{i}' if i else item.id,
      url=url,
      licence=licences.only(own or _texts(aggregation.get('edmRights'))),
      title=_proxy(record, 'dcTitle'),
      maker=_proxy(record, 'dcCreator'),
      date=_proxy(record, 'dctermsCreated') or _proxy(record, 'dcDate'),
      page=about.get('edmLandingPage')
      or f'https://www.europeana.eu/item{item.id}',
      credit=', '.join(_texts(aggregation.get('edmDataProvider'))[:1]),
      stated=(width, height) if width and height else None,
    )


def _texts(by_language):
  """All texts of {language: [texts]}."""
  return [text for texts in (by_language or {}).values() for text in texts]


def _proxy(record, field):
  """The first text of a field in what providers and Europeana say."""
  for proxy in record.get('proxies', ()):
    for text in _texts(proxy.get(field)):
      if not text.startswith('http'):
        return text
  return ''


PROVIDER = base.Provider(
  'europeana', 'words to search for', items, pictures, key=_KEY
)
