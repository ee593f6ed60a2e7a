"""Answers in the shape of Linked Art, OAI-PMH and IIIF, of invented objects."""

from museum_server import as_json
from museum_server import as_picture
from museum_server import Reply

PDM = 'https://creativecommons.org/publicdomain/mark/1.0/'
_ID = 'https://id.rijksmuseum.nl/'


def rijksmuseum(museum, number=3):
  """Objects 200001 to 20000`number`, over search, Linked Art and OAI-PMH."""
  ids = [200000 + i for i in range(1, number + 1)]

  def search(request, match):
    first = int(request.query.get('pageToken', '0'))
    more = (
      f'https://data.rijksmuseum.nl/search/collection?pageToken={first + 2}'
    )
    return as_json(
      {
        'type': 'OrderedCollectionPage',
        'partOf': {'type': 'OrderedCollection', 'totalItems': number},
        'orderedItems': [
          {'id': f'{_ID}{id}', 'type': 'HumanMadeObject'}
          for id in ids[first : first + 2]
        ],
        **({'next': {'id': more}} if first + 2 < number else {}),
      }
    )

  def oai(request, match):
    token = request.query.get('resumptionToken')
    first = int(token) if token else 0
    return oai_answer(
      [oai_record(id) for id in ids[first : first + 2]],
      str(first + 2) if first + 2 < number else '',
      number,
    )

  museum.on(r'data\.rijksmuseum\.nl/search/collection', search)
  museum.on(r'data\.rijksmuseum\.nl/oai', oai)
  museum.on(
    r'id\.rijksmuseum\.nl/2(\d+)',
    lambda request, match: as_json(
      {
        'type': 'HumanMadeObject',
        'identified_by': [
          {'type': 'Identifier', 'content': 'SK-A-1'},
          {'type': 'Name', 'content': 'Windmill'},
        ],
        'produced_by': {
          'referred_to_by': [{'content': 'G. Painter'}],
          'timespan': {'identified_by': [{'type': 'Name', 'content': '1660'}]},
        },
        'shows': [{'id': f'{_ID}3{match[1]}', 'type': 'VisualItem'}],
      }
    ),
  )
  museum.on(
    r'id\.rijksmuseum\.nl/3(\d+)',
    lambda request, match: as_json(visual_item(match[1])),
  )
  museum.on(
    r'id\.rijksmuseum\.nl/5(\d+)',
    lambda request, match: as_json(
      {
        'type': 'DigitalObject',
        'access_point': [
          {'id': f'https://iiif.micr.io/m{match[1]}/full/max/0/default.jpg'}
        ],
      }
    ),
  )
  museum.on(
    r'iiif\.micr\.io/m(\d+)/full/[^/]+/0/default\.jpg',
    lambda request, match: as_picture(int(match[1])),
  )


def visual_item(rest, licences=(PDM,)):
  return {
    'type': 'VisualItem',
    'subject_to': [
      {'type': 'Right', 'classified_as': [{'id': licence}]}
      for licence in licences
    ],
    'digitally_shown_by': [{'id': f'{_ID}5{rest}', 'type': 'DigitalObject'}],
  }


def oai_answer(records, token='', total=0):
  return Reply(
    (
      '<OAI-PMH xmlns="http://www.openarchives.org/OAI/2.0/"><ListRecords>'
      f'{"".join(records)}'
      f'<resumptionToken completeListSize="{total}">{token}</resumptionToken>'
      '</ListRecords></OAI-PMH>'
    ).encode(),
    'text/xml',
  )


def oai_record(id, rights=PDM, own='', status=''):
  url = f'https://iiif.micr.io/m{id % 100000:05}/full/max/0/default.jpg'
  own = f'<edm:rights rdf:resource="{own}"/>' if own else ''
  return f"""
<record><header {status}><identifier>{_ID}{id}</identifier></header><metadata>
<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"
  xmlns:ore="http://www.openarchives.org/ore/terms/"
  xmlns:edm="http://www.europeana.eu/schemas/edm/"
  xmlns:dc="http://purl.org/dc/elements/1.1/"
  xmlns:skos="http://www.w3.org/2004/02/skos/core#"
  xmlns:dcterms="http://purl.org/dc/terms/">
<edm:ProvidedCHO rdf:about="{_ID}{id}"><dc:title>Tulips</dc:title>
  <dc:creator rdf:resource="{_ID}9"/><dcterms:created>1640</dcterms:created>
</edm:ProvidedCHO>
<edm:Agent rdf:about="{_ID}9"><skos:prefLabel>H. Painter</skos:prefLabel>
</edm:Agent>
<ore:Aggregation><edm:aggregatedCHO rdf:resource="{_ID}{id}"/>
  <edm:dataProvider>A Museum</edm:dataProvider>
  <edm:isShownAt rdf:resource="https://www.rijksmuseum.nl/{id}"/>
  <edm:isShownBy><edm:WebResource rdf:about="{url}">{own}</edm:WebResource>
  </edm:isShownBy>
  <edm:rights rdf:resource="{rights}"/></ore:Aggregation>
</rdf:RDF></metadata></record>"""


def info(museum, version, width=3000, height=2000, **fields):
  """An image service at images.example.org/iiif/`version`/ID."""
  path = rf'images\.example\.org/iiif/{version}/(\w+)'
  address = f'images.example.org/iiif/{version}'
  name = '@id' if version == 2 else 'id'
  museum.on(
    rf'{path}/info\.json',
    lambda request, match: as_json(
      {
        '@context': f'http://iiif.io/api/image/{version}/context.json',
        name: f'https://{address}/{match[1]}',
        'width': width,
        'height': height,
        'profile': [f'http://iiif.io/api/image/{version}/level2.json'],
        **fields,
      }
    ),
  )
  museum.on(
    rf'{path}/full/[^/]+/0/default\.jpg',
    lambda request, match: as_picture(sum(map(ord, match[1]))),
  )


def manifest2(id, license=PDM, canvases=None):
  """A manifest of Presentation 2; `canvases` are fields of each canvas."""
  return {
    '@context': 'http://iiif.io/api/presentation/2/context.json',
    '@id': f'https://library.example.org/{id}/manifest',
    '@type': 'sc:Manifest',
    'label': [{'@value': 'Ein Buch', '@language': 'de'}],
    'metadata': [
      {'label': 'Artist', 'value': 'J. Painter'},
      {'label': 'Date', 'value': ['1555']},
    ],
    'attribution': 'A Library',
    'license': license,
    'related': {'@id': f'https://library.example.org/{id}'},
    'sequences': [
      {
        'canvases': [
          {
            '@type': 'sc:Canvas',
            'images': [
              {
                'motivation': 'sc:painting',
                'resource': {
                  '@id': f'https://images.example.org/iiif/2/{id}{i}/full/full/'
                  '0/default.jpg',
                  '@type': 'dctypes:Image',
                  'service': {
                    '@context': 'http://iiif.io/api/image/2/context.json',
                    '@id': f'https://images.example.org/iiif/2/{id}{i}',
                    'profile': 'http://iiif.io/api/image/2/level2.json',
                  },
                },
              }
            ],
            **fields,
          }
          for i, fields in enumerate(canvases or [{}])
        ]
      }
    ],
  }


def manifest3(id, rights=PDM, canvases=None):
  """A manifest of Presentation 3; `canvases` are fields of each canvas."""
  return {
    '@context': 'http://iiif.io/api/presentation/3/context.json',
    'id': f'https://library.example.org/{id}/manifest',
    'type': 'Manifest',
    'label': {'fr': ['Un livre'], 'en': ['A book']},
    'rights': rights,
    'requiredStatement': {
      'label': {'en': ['Attribution']},
      'value': {'en': ['A Library']},
    },
    'homepage': [{'id': f'https://library.example.org/{id}', 'type': 'Text'}],
    'items': [
      {
        'type': 'Canvas',
        'items': [
          {
            'type': 'AnnotationPage',
            'items': [
              {
                'type': 'Annotation',
                'motivation': 'painting',
                'body': {
                  'type': 'Image',
                  'id': f'https://images.example.org/iiif/3/{id}{i}/full/max/0/'
                  'default.jpg',
                  'service': [
                    {
                      'id': f'https://images.example.org/iiif/3/{id}{i}',
                      'type': 'ImageService3',
                      'profile': 'level2',
                    }
                  ],
                },
              }
            ],
          }
        ],
        **fields,
      }
      for i, fields in enumerate(canvases or [{}])
    ],
  }
