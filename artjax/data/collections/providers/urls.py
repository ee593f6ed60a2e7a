"""Pictures whose addresses, with their licences, are in a file.

Lines of it are JSON objects with 'url' and 'licence', and any of 'title',
'maker', 'date', 'page' and 'credit'; or 'URL LICENCE', divided by white space.
robots.txt of each host is obeyed.
"""

from collections.abc import Iterator
import json

from artjax.data.collections import base


def items(web, query: base.Query) -> Iterator[base.Item]:
  """The lines of the file that `query.text` names."""
  with open(query.text, encoding='utf-8') as file:
    lines = [line.strip() for line in file]
  entries = {}
  for number, line in enumerate(lines, 1):
    if line and not line.startswith('#'):
      entry = _entry(line, f'{query.text}, line {number}')
      entries[entry['url']] = entry
  for url, entry in entries.items():
    yield base.Item(url, entry, len(entries))


def pictures(web, item: base.Item, query: base.Query) -> Iterator[base.Picture]:
  """The picture of a line."""
  text = lambda name: str(item.record.get(name, ''))
  yield base.Picture(
    id=item.id,
    url=item.id,
    licence=item.record.get('licence', ''),
    title=text('title'),
    maker=text('maker'),
    date=text('date'),
    page=text('page'),
    credit=text('credit'),
  )


def _entry(line, where):
  if not line.startswith('{'):
    url, _, licence = line.partition(' ')
    return {'url': url, 'licence': licence.strip()}
  try:
    entry = json.loads(line)
    if isinstance(entry.get('url'), str):
      return entry
  except ValueError:
    pass
  raise base.FetchError(f'{where} is no JSON object with a url')


PROVIDER = base.Provider(
  'urls', 'a file of addresses', items, pictures, robots=True
)
