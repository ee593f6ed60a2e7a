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
