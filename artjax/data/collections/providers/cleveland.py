"""The Cleveland Museum of Art: https://openaccess-api.clevelandart.org/

Of each work there are a small picture ('web'), a large one ('print') and a TIFF
file ('full').
"""

from collections.abc import Iterator

from artjax.data.collections import base

_API = 'https://openaccess-api.clevelandart.org/api/artworks/'
_PAGE = 100


def items(web, query: base.Query) -> Iterator[base.Item]:
  """The CC0 works with pictures that a search finds."""
  skip, total = 0, 1
  while skip < total:
    found = web.json(
      _API,
      {
        **query.filters,
        'q': query.text,
        'cc0': 1,
        'has_image': 1,
        'fields': 'id',
        'limit': _PAGE,
        'skip': skip,
      },
    )
    total = found['info']['total']
    if not found['data']:
      return
    for work in found['data']:
      yield base.Item(str(work['id']), total=total)
    skip += len(found['data'])


def pictures(web, item: base.Item, query: base.Query) -> Iterator[base.Picture]:
  """The smallest picture of a work that is large enough, or the largest."""
  work = web.json(f'{_API}{item.id}')['data']
  sizes = work.get('images') or {}
  ways = [way for way in ('web', 'print', 'full') if sizes.get(way)]
  if not ways:
    return
  enough = [way for way in ways if _longer_side(sizes[way]) >= query.size > 0]
  asked = (enough or ways[-1:])[0]
  stated = sizes[ways[-1]]
  yield base.Picture(
    id=item.id,
    url=sizes[asked]['url'],
    licence=work['share_license_status'],
    title=work['title'] or '',
    maker=', '.join(c['description'] for c in work.get('creators') or ()),
    date=work.get('creation_date') or '',
    page=work.get('url') or '',
    credit=work.get('creditline') or '',
    asked=asked,
    stated=(int(stated['width']), int(stated['height'])),
  )


def _longer_side(size):
  return max(int(size['width']), int(size['height']))


PROVIDER = base.Provider('cleveland', 'words to search for', items, pictures)
