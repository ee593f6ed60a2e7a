"""Fetches one large file, in pieces, onto the disk."""

from collections.abc import Callable
import hashlib
import os

import httpx2

import artjax
from artjax.data.collections import transport as transport_lib
from artjax.data.collections.base import FetchError

_REDIRECTS = 5


def download(
  url: str,
  path: str | os.PathLike[str],
  limit: int,
  on_bytes: Callable[[int, int], None] = lambda done, total: None,
) -> str:
  """Writes what `url` answers to `path`; without success no file is left.

  Each redirect is checked as the first address is, see transport.py.

  Args:
    url: https.
    path: of the new file, in an existing folder.
    limit: bytes it may have at most.
    on_bytes: called with the bytes so far and in all (0 = unknown).

  Returns:
    The sha256 of the file, in hexadecimal digits.

  Raises:
    FetchError: it cannot be had whole, or is larger.
    OSError: it cannot be written.
  """
  headers = {
    'User-Agent': f'artjax/{artjax.__version__} httpx2/{httpx2.__version__}',
    'Accept-Encoding': 'identity',  # the file as it is
  }
  whole = False
  try:
    with (
      httpx2.Client(
        transport=transport_lib.Transport(0.0),
        timeout=30.0,
        trust_env=False,
        follow_redirects=True,
        max_redirects=_REDIRECTS,
      ) as client,
      client.stream('GET', url, headers=headers) as response,
      open(path, 'wb') as file,
    ):
      digest = _copy(response, url, file, limit, on_bytes)
    whole = True
    return digest
  except httpx2.HTTPError as error:
    raise FetchError(f'{url} fails: {error or type(error).__name__}') from error
  except httpx2.InvalidURL as error:
    raise FetchError(f'{url} redirects to no address') from error
  finally:
    if not whole and os.path.exists(path):
      os.remove(path)


def _copy(response, url, file, limit, on_bytes):
  """Writes the body of a response; returns its sha256."""
  if response.status_code != 200:
    raise FetchError(f'{url} answers {response.status_code}')
  large = f'{url} is larger than {limit:,} bytes'
  length = response.headers.get('Content-Length', '')
  total = int(length) if length.isdigit() else 0
  if total > limit:
    raise FetchError(large)
  digest, done = hashlib.sha256(), 0
  for piece in response.iter_raw():
    done += len(piece)
    if done > limit:
      raise FetchError(large)
    file.write(piece)
    digest.update(piece)
    on_bytes(done, total)
  return digest.hexdigest()
