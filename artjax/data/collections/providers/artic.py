"""The Art Institute of Chicago: https://api.artic.edu/docs/

A search lists at most 10,000 works. Pictures of works in the public domain are
CC0, and come over IIIF; the widths 843 and 1686 are in the museum's cache.
"""

from collections.abc import Iterator

from artjax.data.collections import base
from artjax.data.collections import licences

_API = 'https://api.artic.edu/api/v1/artworks'
_PAGE = 100
_WIDTHS = (843, 1686)
_FIELDS = (
  'id,title,artist_display,artist_title,date_display,credit_line,image_id,'
  'is_public_domain'
)


def items(web, query: base.Query) -> Iterator[base.Item]:
  """The works in the public domain that a search finds."""
  page = pages = 1
  while page <= pages:
    found = web.json(
      f'{_API}/search',
      {
        **query.filters,
        'q': query.text,
        'query[term][is_public_domain]': 'true',
        'fields': 'id,is_public_domain',
        'limit': _PAGE,
        'page': page,
      },
    )
    pages = found['pagination']['total_pages']
    for work in found['data']:
      yield base.Item(str(work['id']), total=found['pagination']['total'])
    page += 1


def pictures(web, item: base.Item, query: base.Query) -> Iterator[base.Picture]:
  """The picture of a work."""
  found = web.json(f'{_API}/{item.id}', {'fields': _FIELDS})
  work = found['data']
  if not work['image_id']:
    return
  wide = not 0 < query.size <= _WIDTHS[0]
  asked = f'{_WIDTHS[wide]},'
  yield base.Picture(
    id=item.id,
    url=f'{found["config"]["iiif_url"]}/{work["image_id"]}/full/{asked}/0/'
    'default.jpg',
    licence=licences.CC0 if work['is_public_domain'] is True else '',
    title=work['title'] or '',
    maker=work.get('artist_title') or work.get('artist_display') or '',
    date=work.get('date_display') or '',
    page=f'https://www.artic.edu/artworks/{item.id}',
    credit=work.get('credit_line') or '',
    asked=asked,
  )


PROVIDER = base.Provider(
  'artic',
  'words to search for',
  items,
  pictures,
  headers={'AIC-User-Agent': '{agent}'},
)
