"""The Rijksmuseum: https://data.rijksmuseum.nl/docs/

QUERY is `oai:SET` (or `oai:` for all) to harvest records in bulk, 100 at a
time, over OAI-PMH; the number of an object, as in https://id.rijksmuseum.nl/N;
or words of titles. Numbers and words lead through Linked Art, four answers an
object.
"""

from collections.abc import Iterator
import re

from artjax.data.collections import base
from artjax.data.collections import licences
from artjax.data.collections.providers import edm

_OAI = 'https://data.rijksmuseum.nl/oai'
_SEARCH = 'https://data.rijksmuseum.nl/search/collection'
_OBJECT = 'https://id.rijksmuseum.nl/'
_FULL = '/full/max/'


def items(web, query: base.Query) -> Iterator[base.Item]:
  """The records of a set, one object, or those that a search finds."""
  text = query.text.removeprefix(_OBJECT)
  if text.startswith('oai:'):
    yield from edm.records(web, _OAI, text.removeprefix('oai:'))
  elif re.fullmatch(r'\d{5,}', text):
    yield base.Item(text, total=1)
  else:
    yield from _search(web, query)


def _search(web, query):
  title = {'title': query.text} if query.text else {}
  found = web.json(
    _SEARCH, {**query.filters, **title, 'imageAvailable': 'true'}
  )
  while True:
    for entry in found['orderedItems']:
      id = entry['id'].removeprefix(_OBJECT)
      yield base.Item(id, total=found['partOf']['totalItems'])
    if 'next' not in found:
      return
    found = web.json(found['next']['id'])


def pictures(web, item: base.Item, query: base.Query) -> Iterator[base.Picture]:
  """The picture of an object, if it has one."""
  if item.record is not None:
    found = edm.picture(item.id, item.record)
  else:
    found = _linked_art(web, item.id)
  if not found:
    return
  if query.size and _FULL in found['url']:
    found['asked'] = f'!{query.size},{query.size}'
    found['url'] = found['url'].replace(_FULL, f'/full/{found["asked"]}/')
  yield base.Picture(**found)


def _linked_art(web, id):
  """Object -> what it shows -> digital object -> file."""
  get = lambda url: web.json(url, accept='application/ld+json')
  thing = get(f'{_OBJECT}{id}')
  if not thing.get('shows'):
    return None
  shown = get(thing['shows'][0]['id'])
  if not shown.get('digitally_shown_by'):
    return None
  digital = get(shown['digitally_shown_by'][0]['id'])
  if not digital.get('access_point'):
    return None
  rights = [
    kind['id']
    for right in (*shown.get('subject_to', ()), *digital.get('subject_to', ()))
    for kind in right.get('classified_as', ())
    if 'creativecommons.org' in kind.get('id', '')
  ]
  made = thing.get('produced_by', {})
  return {
    'id': id,
    'url': digital['access_point'][0]['id'],
    'licence': licences.only(rights),
    'title': _content(thing.get('identified_by'), 'Name'),
    'maker': _content(made.get('referred_to_by')),
    'date': _content(made.get('timespan', {}).get('identified_by'), 'Name'),
    'page': f'{_OBJECT}{id}',
    'asked': 'max',
  }


def _content(parts, kind=''):
  """The first text among Linked Art parts of a type."""
  for part in parts or ():
    if part.get('content') and (not kind or part.get('type') == kind):
      content = part['content']
      return content if isinstance(content, str) else content[0]
  return ''


PROVIDER = base.Provider(
  'rijksmuseum', 'oai:SET, the number of an object, or words', items, pictures
)
