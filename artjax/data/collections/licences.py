"""Licences of pictures: their URLs and texts have one short name each."""

from collections.abc import Sequence
import re

CC0 = 'https://creativecommons.org/publicdomain/zero/1.0/'
PDM = 'https://creativecommons.org/publicdomain/mark/1.0/'
# Creative Commons and the two statements of rightsstatements.org that let
# anyone use a picture, with conditions.
NAMES = (
  'cc0',
  'pdm',
  'by',
  'by-sa',
  'by-nc',
  'by-nd',
  'by-nc-sa',
  'by-nc-nd',
  'noc-us',
  'noc-oklr',
)
_URLS = (
  (r'creativecommons\.org/publicdomain/zero/1\.0(/.*)?', 'cc0'),
  (r'creativecommons\.org/publicdomain/mark/1\.0(/.*)?', 'pdm'),
  (
    r'creativecommons\.org/licenses/(by(?:-nc)?(?:-sa|-nd)?)/\d\.\d(/.*)?',
    None,
  ),
  (r'rightsstatements\.org/(?:vocab|page)/(noc-us|noc-oklr)/1\.0(/.*)?', None),
)


def name(licence: object) -> str:
  """The short name of a licence, '' if it is none of `NAMES`.

  Args:
    licence: a URL of creativecommons.org or rightsstatements.org, or 'CC0'.
      Whatever else it is, it is unclear.
  """
  if not isinstance(licence, str):
    return ''
  text = licence.strip().lower()
  if text == 'cc0':
    return 'cc0'
  text = re.sub(r'^https?://(www\.)?', '', text)
  for pattern, short in _URLS:
    match = re.fullmatch(pattern, text)
    if match:
      return short or match[1]
  return ''


def url(licence: str) -> str:
  """The address of a licence that `name` knows."""
  return CC0 if licence.strip().lower() == 'cc0' else licence.strip()


def parse(text: str) -> tuple[str, ...]:
  """'cc0,pdm' -> ('cc0', 'pdm').

  Raises:
    ValueError: none, or one that is not among `NAMES`.
  """
  found = tuple(filter(None, text.lower().replace(' ', '').split(',')))
  unknown = [one for one in found if one not in NAMES]
  if unknown or not found:
    raise ValueError(
      f'--licence={text}: give some of {", ".join(NAMES)}, with commas'
    )
  return found


def only(found: Sequence[str]) -> str:
  """The licence, where all that a record names are one and the same."""
  return found[0] if len({name(one) for one in found}) == 1 else ''
