"""Any IIIF manifest or collection, of Presentation 2 and 3: https://iiif.io

The licence is the one nearest to the picture: of the picture itself, of its
canvas, or of the manifest. A collection's says nothing.
"""

from collections.abc import Iterator
from typing import Any

from artjax.data.collections import base
from artjax.data.collections import licences
from artjax.data.collections.providers import iiif_image

_MAKERS = ('artist', 'creator', 'maker', 'author')
_DATES = ('date', 'created', 'date created')


def items(web, query: base.Query) -> Iterator[base.Item]:
  """The manifests of a collection and of those within, each once."""
  yield from _walk(web, query.text, set())


def _walk(web, url, seen):
  seen.add(url)
  found = web.json(url)
  if 'collection' not in _type(found):
    yield base.Item(url, found, 1)
    return
  while found:
    for member in _members(found):
      id = _id(member)
      if id in seen:
        continue
      if 'collection' in _type(member):
        yield from _walk(web, id, seen)
      else:
        seen.add(id)
        yield base.Item(id)
    following = found.get('first') or found.get('next')
    following = following if isinstance(following, str) else _id(following)
    if following in seen or not following:
      return
    seen.add(following)
    found = web.json(following)


def _members(found):
  """Entries of a collection, in the version 3 or 2."""
  names = 'items', 'members', 'manifests', 'collections'
  for name in names:
    for member in found.get(name, ()):
      kind = 'sc:Collection' if name == 'collections' else 'sc:Manifest'
      yield {'@type': kind, **member} if name in names[2:] else member


def pictures(web, item: base.Item, query: base.Query) -> Iterator[base.Picture]:
  """The pictures of a manifest, in order of canvases."""
  manifest = item.record or web.json(item.id)
  described = {
    'title': _text(manifest.get('label')),
    'maker': _metadata(manifest, _MAKERS),
    'date': _metadata(manifest, _DATES),
    'page': _page(manifest) or item.id,
    'credit': _text(
      manifest.get('requiredStatement', {}).get('value')
      or manifest.get('attribution')
    ),
  }
  for i, (canvas, body) in enumerate(_bodies(manifest)):
    rights = next(filter(None, map(_rights, (body, canvas, manifest))), [])
    licence = licences.only(rights)
    if not licences.name(licence):  # without asking the image server
      file = iiif_image.File('', '', None)
    else:
      file = iiif_image.file(web, body, query.size)
    yield base.Picture(
      id=f'{item.id}-{i}',
      url=file.url,
      licence=licence,
      asked=file.asked,
      stated=file.stated,
      **described,
    )


def _bodies(manifest) -> Iterator[tuple[dict, dict]]:
  """(canvas, resource) of each picture that is painted on a canvas."""
  for canvas in manifest.get('items', ()):  # version 3
    for page in canvas.get('items', ()):
      for note in page.get('items', ()):
        for body in _list(note.get('body')):
          if body.get('type') == 'Choice':  # the first is the default
            body = body['items'][0]
          if body.get('type') == 'Image':
            yield canvas, body
  for sequence in manifest.get('sequences', ())[:1]:  # version 2
    for canvas in sequence.get('canvases', ()):
      for note in canvas.get('images', ()):
        body = note['resource']
        yield canvas, body.get('default') or body


def _rights(thing) -> list[str]:
  return [r for r in _list(thing.get('rights') or thing.get('license')) if r]


def _metadata(manifest, labels):
  for entry in manifest.get('metadata', ()):
    if _text(entry.get('label')).lower().strip(': ') in labels:
      return _text(entry.get('value'))
  return ''


def _page(manifest):
  for page in _list(manifest.get('homepage') or manifest.get('related')):
    return page if isinstance(page, str) else _id(page)
  return ''


def _text(value: Any) -> str:
  """The text of a label or value: in English, or the first that there is."""
  if isinstance(value, dict):
    if '@value' in value:
      return str(value['@value'])
    texts = value.get('en') or next(iter(value.values()), '')
    return _text(texts)
  if isinstance(value, list):
    english = [v for v in value if isinstance(v, dict)]
    english = [v for v in english if v.get('@language') == 'en']
    return _text((english or value)[0]) if value else ''
  return '' if value is None else str(value)


def _list(value) -> list:
  if value is None:
    return []
  return value if isinstance(value, list) else [value]


def _id(thing) -> str:
  return (thing or {}).get('id') or (thing or {}).get('@id', '')


def _type(thing) -> str:
  return str(thing.get('type') or thing.get('@type', '')).lower()


PROVIDER = base.Provider(
  'iiif', 'the address of a manifest or collection', items, pictures
)
