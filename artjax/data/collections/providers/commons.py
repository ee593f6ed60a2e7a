"""Wikimedia Commons, by category: https://commons.wikimedia.org/w/api.php

The list gives the whole record of each file. Subcategories are not entered.
"""

from collections.abc import Iterator
import html
import re

from artjax.data.collections import base
from artjax.data.collections import licences

_API = 'https://commons.wikimedia.org/w/api.php'
_PAGE = 50
_TRIES = 10
_BEHIND = 10.0  # s to wait while the servers are behind
# Widths that Commons keeps; others would have to be made.
_WIDTHS = (250, 330, 500, 960, 1280, 1920, 3840)


def items(web, query: base.Query) -> Iterator[base.Item]:
  """The files of a category."""
  width = next((w for w in _WIDTHS if w >= query.size > 0), 0)
  params = {
    **query.filters,
    'action': 'query',
    'format': 'json',
    'formatversion': 2,
    'maxlag': 5,
    'generator': 'categorymembers',
    'gcmtitle': f'Category:{query.text.removeprefix("Category:")}',
    'gcmtype': 'file',
    'gcmlimit': _PAGE,
    'prop': 'imageinfo',
    'iiprop': 'url|size|mime|sha1|mediatype|extmetadata',
    **({'iiurlwidth': width} if width else {}),
  }
  more: dict = {}
  while True:
    found = _answer(web, {**params, **more})
    for file in found.get('query', {}).get('pages', ()):
      yield base.Item(str(file['pageid']), file)
    if 'continue' not in found:
      return
    more = found['continue']


def _answer(web, params):
  """An answer without an error; waits while the servers are behind."""
  for _ in range(_TRIES):
    found = web.json(_API, params)
    if found.get('error', {}).get('code') != 'maxlag':
      break
    web.rest(_API, _BEHIND)
  if 'error' in found:
    raise base.FetchError(f'{_API}: {found["error"].get("info", "refused")}')
  return found


def pictures(web, item: base.Item, query: base.Query) -> Iterator[base.Picture]:
  """The picture of a file, if it is one."""
  info = item.record['imageinfo'][0]
  if info['mediatype'] != 'BITMAP':
    return
  meta = {k: v.get('value', '') for k, v in info['extmetadata'].items()}
  asked, url = 'full', info['url']
  if info.get('thumburl') and info.get('thumbwidth', 0) < info['width']:
    asked, url = f'{info["thumbwidth"]},', info['thumburl']
  yield base.Picture(
    id=item.id,
    url=url,
    licence=_licence(meta),
    title=item.record['title'].removeprefix('File:'),
    maker=_plain(meta.get('Artist', '')),
    date=_plain(meta.get('DateTimeOriginal', '')),
    page=info['descriptionurl'],
    credit=_plain(meta.get('Credit', '')),
    asked=asked,
    stated=(info['width'], info['height']),
  )


def _licence(meta):
  """The URL; files in the public domain need not have one."""
  if meta.get('LicenseUrl'):
    return meta['LicenseUrl']
  public = meta.get('License') == 'pd' and meta.get('Copyrighted') == 'False'
  return licences.PDM if public else ''


def _plain(text):
  """The text of a piece of HTML."""
  return ' '.join(html.unescape(re.sub(r'<[^>]*>', ' ', str(text))).split())


PROVIDER = base.Provider('commons', 'a category', items, pictures)
