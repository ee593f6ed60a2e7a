"""The Metropolitan Museum of Art: https://metmuseum.github.io/

The list is complete in one answer. Pictures of objects in the public domain are
CC0; of others the record has no picture.
"""

from collections.abc import Iterator

from artjax.data.collections import base
from artjax.data.collections import licences

_API = 'https://collectionapi.metmuseum.org/public/collection/v1'


def items(web, query: base.Query) -> Iterator[base.Item]:
  """The objects that a search finds."""
  found = web.json(
    f'{_API}/search', {**query.filters, 'hasImages': 'true', 'q': query.text}
  )
  ids = found['objectIDs'] or []
  for id in ids:
    yield base.Item(str(id), total=len(ids))


def pictures(web, item: base.Item, query: base.Query) -> Iterator[base.Picture]:
  """The first picture of an object, then the others."""
  record = web.json(f'{_API}/objects/{item.id}')
  urls = [record['primaryImage'], *record['additionalImages']]
  for i, url in enumerate(filter(None, urls)):
    yield base.Picture(
      id=f'{item.id}-{i}' if i else item.id,
      url=url,
      licence=licences.CC0 if record['isPublicDomain'] is True else '',
      title=record.get('title', ''),
      maker=record.get('artistDisplayName', ''),
      date=record.get('objectDate', ''),
      page=record.get('objectURL', ''),
      credit=record.get('creditLine', ''),
    )


PROVIDER = base.Provider('met', 'words to search for', items, pictures)
