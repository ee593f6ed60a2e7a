"""Records of the Europeana Data Model, harvested over OAI-PMH.

https://www.openarchives.org/OAI/openarchivesprotocol.html
https://pro.europeana.eu/page/edm-documentation
"""

from collections.abc import Iterator
from typing import Any
from xml.etree import ElementTree

from artjax.data.collections import base
from artjax.data.collections import licences

_OAI = '{http://www.openarchives.org/OAI/2.0/}'
_EDM = '{http://www.europeana.eu/schemas/edm/}'
_ORE = '{http://www.openarchives.org/ore/terms/}'
_DC = '{http://purl.org/dc/elements/1.1/}'
_TERMS = '{http://purl.org/dc/terms/}'
_RDF = '{http://www.w3.org/1999/02/22-rdf-syntax-ns#}'


def records(web, url: str, part: str) -> Iterator[base.Item]:
  """The records of a set, or of all sets.

  Args:
    web: fetches.
    url: of the OAI-PMH service.
    part: the name of the set, '' for all.
  """
  params = {'verb': 'ListRecords', 'metadataPrefix': 'edm'}
  if part:
    params['set'] = part
  while True:
    answer = web.xml(url, params)
    error = answer.find(f'{_OAI}error')
    if error is not None:
      if error.get('code') == 'noRecordsMatch':
        return
      raise base.FetchError(f'{url}: {error.get("code")} {error.text or ""}')
    token = answer.find(f'.//{_OAI}resumptionToken')
    total = None if token is None else token.get('completeListSize')
    for record in answer.iter(f'{_OAI}record'):
      head = record.find(f'{_OAI}header')
      if head is None or head.get('status') == 'deleted':
        continue
      id = head.findtext(f'{_OAI}identifier', '')
      yield base.Item(
        id.rstrip('/').rpartition('/')[2], record, int(total) if total else None
      )
    if token is None or not token.text:
      return
    params = {'verb': 'ListRecords', 'resumptionToken': token.text}


def picture(id: str, record: ElementTree.Element) -> dict[str, Any] | None:
  """The fields of the picture that a record is shown by, None without one.

  The rights of the picture count, where it has its own; else those of all.
  """
  group = record.find(f'.//{_ORE}Aggregation')
  url = '' if group is None else _target(group.find(f'{_EDM}isShownBy'))
  if group is None or not url:
    return None
  own = [
    _target(rights)
    for resource in record.iter(f'{_EDM}WebResource')
    if resource.get(f'{_RDF}about') == url
    for rights in resource.findall(f'{_EDM}rights')
  ]
  rights = [_target(rights) for rights in group.findall(f'{_EDM}rights')]
  return {
    'id': id,
    'url': url,
    'licence': licences.only(own or rights),
    'title': _text(record, f'{_DC}title'),
    'maker': _maker(record),
    'date': _text(record, f'{_TERMS}created'),
    'page': _target(group.find(f'{_EDM}isShownAt')),
    'credit': _text(record, f'{_EDM}dataProvider'),
    'asked': 'max',
  }


def _target(element):
  """What a property points at, by reference or with the thing inside it."""
  if element is None:
    return ''
  reference = element.get(f'{_RDF}resource')
  if reference is None and len(element):
    reference = element[0].get(f'{_RDF}about')
  return reference or (element.text or '').strip()


def _text(record, tag):
  """The first text of a property, '' where it has none."""
  for element in record.iter(tag):
    text = ' '.join(''.join(element.itertext()).split())
    if text:
      return text
  return ''


def _maker(record):
  """The name, also where the creator is a reference to an agent."""
  name = _text(record, f'{_DC}creator')
  creator = record.find(f'.//{_DC}creator')
  if name or creator is None:
    return name
  for agent in record.iter(f'{_EDM}Agent'):
    if agent.get(f'{_RDF}about') == _target(creator):
      return ' '.join(''.join(agent[0].itertext()).split())
  return ''
