"""Names of files and folders in object stores: `s3://bucket/scans/a.tif`.

A URL is a path wherever it is only joined or split.
"""

import os
import re

# Where each kind of store is reached, and the package that does it.
PACKAGES = {'s3': 's3fs', 'gs': 'gcsfs', 'memory': 'fsspec'}
_SCHEME = re.compile(r'([a-zA-Z][a-zA-Z0-9+.-]*)://')


def is_url(name: str | os.PathLike[str]) -> bool:
  """Whether a name is a URL, and no path of this machine."""
  return '://' in os.fspath(name) and bool(_SCHEME.match(os.fspath(name)))


def scheme(url: str) -> str:
  """The kind of store, of `PACKAGES`."""
  return url.partition('://')[0]


def normal(url: str) -> str:
  """A URL in the form in which it is compared and joined.

  Raises:
    ValueError: it is none of a store that is known; one line, without what may
      be a password.
  """
  kind, _, rest = url.partition('://')
  kind = kind.lower()
  if kind not in PACKAGES:
    known = ', '.join(f'{name}://' for name in PACKAGES)
    raise ValueError(f'{kind}:// is no store that is known; known are {known}')
  if '@' in rest.partition('/')[0]:
    raise ValueError(
      f'{kind}://...@...: a URL holds no credentials; they belong into the '
      'environment or the files of the machine, see docs/scale.md'
    )
  if kind == 'memory':
    rest = rest.lstrip('/')
  rest = rest.rstrip('/')
  if not rest:
    raise ValueError(f'{kind}://: no bucket is named')
  return f'{kind}://{rest}'


def is_within(url: str, folder: str) -> bool:
  """Whether a URL is that of a folder, or of something in it."""
  return f'{url}/'.startswith(f'{folder}/')
