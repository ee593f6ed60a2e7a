"""Fetches answers and pictures: limits, retries, redirects, robots.txt."""

from collections.abc import Mapping
import datetime
import email.utils
import json
import random
import re
import time
from typing import Any
from xml.etree import ElementTree

import httpx2
import protego

import artjax
from artjax.data.collections import base
from artjax.data.collections import transport as transport_lib
from artjax.data.collections.base import FetchError

_RETRIES = 5
_REDIRECTS = 5
_ANSWER = 64 * 2**20  # bytes of an answer that is no picture
_ROBOTS = 500 * 2**10  # bytes, as RFC 9309 has it
_LONGEST = 600.0  # s in which an answer has to be complete
_TEMPORARY = (408, 425, 429, 500, 502, 503, 504)
_NO_PICTURES = re.compile(r'\b(noai|noimageai|noindex|noimageindex|none)\b')


class _Temporary(Exception):
  """A request that is worth another try, when its host has had a rest."""

  def __init__(self, url: httpx2.URL, reason: str, wait: float = 0.0):
    super().__init__(f'{_shown(url)} {reason}')
    self.host, self.wait = url.host, wait  # s


class Web:
  """Fetches for one provider; a context manager."""

  def __init__(
    self,
    contact: str,
    provider: base.Provider,
    key: str = '',
    transport: transport_lib.Transport | None = None,
  ):
    """Connects to nothing yet.

    Args:
      contact: a mail address or a web page of who asks.
      provider: what is fetched from.
      key: its API key.
      transport: the way out; default: one with the provider's pause.

    Raises:
      ValueError: `contact` is neither.
    """
    self.agent = user_agent(contact)
    self._headers = {
      'User-Agent': self.agent,
      **{k: v.format(agent=self.agent) for k, v in provider.headers.items()},
    }
    self._provider, self._key = provider, key
    self._transport = transport or transport_lib.Transport(provider.pause)
    self._client = httpx2.Client(
      transport=self._transport, timeout=30.0, trust_env=False
    )
    self._robots: dict[str, protego.Protego] = {}  # by host
    self._rng = random.Random()

  def __enter__(self) -> 'Web':
    return self

  def __exit__(self, *unused) -> None:
    self._client.close()

  def json(
    self, url: str, params: Mapping[str, Any] | None = None, accept: str = ''
  ) -> Any:
    """The JSON that `url` answers.

    Args:
      url: https.
      params: of the query string, added to those of `url`.
      accept: the header Accept; default: JSON.

    Raises:
      FetchError: it cannot be had, or is no JSON.
    """
    data = self._get(url, params, accept or 'application/json', _ANSWER)
    try:
      return json.loads(data)
    except ValueError as error:
      raise FetchError(f'{_shown(url)} answers no JSON') from error

  def xml(
    self, url: str, params: Mapping[str, Any] | None = None
  ) -> ElementTree.Element:
    """The XML that `url` answers; raises as `json` does."""
    data = self._get(url, params, 'application/xml, text/xml', _ANSWER)
    if b'<!DOCTYPE' in data or b'<!ENTITY' in data:
      raise FetchError(f'{_shown(url)} answers XML with entities of its own')
    try:
      return ElementTree.fromstring(data)
    except ElementTree.ParseError as error:
      raise FetchError(f'{_shown(url)} answers no XML') from error

  def picture(self, url: str, limit: int) -> bytes:
    """The bytes of a picture file.

    Args:
      url: https.
      limit: bytes it may have at most.

    Raises:
      FetchError: it cannot be had, is larger, or is said to be something else
        than a picture.
    """
    return self._get(url, None, 'image/*', limit, picture=True)

  def rest(self, url: str, seconds: float) -> None:
    """Leaves a host alone for so long, as its answer asks for."""
    self._transport.hold(httpx2.URL(url).host, seconds)

  def _get(self, url, params, accept, limit, picture=False):
    """The body of an answer, after as many tries as it takes."""
    url = httpx2.URL(url)
    if url.scheme == 'http':  # as old records have it; redirects may not
      url = url.copy_with(scheme='https')
    if params:
      url = url.copy_merge_params(params)
    for attempt in range(_RETRIES + 1):
      try:
        return self._follow(url, accept, limit, picture)
      except _Temporary as error:
        if attempt == _RETRIES:
          raise FetchError(f'{error} ({attempt + 1} tries)') from error
        wait = max(error.wait, 2**attempt * self._rng.uniform(0.5, 1.5))
        self._transport.hold(error.host, wait)
    raise AssertionError

  def _follow(self, url, accept, limit, picture):
    """Follows redirects; each hop is checked anew."""
    for _ in range(_REDIRECTS + 1):
      if self._provider.robots:
        self._check_robots(url)
      found = self._once(url, accept, limit, picture)
      if isinstance(found, bytes):
        return found
      url = found
    raise FetchError(f'{_shown(url)}: more than {_REDIRECTS} redirects')

  def _once(self, url, accept, limit, picture):
    """The body, or the URL that the answer redirects to."""
    headers = {**self._headers, 'Accept': accept}
    if picture:
      headers['Accept-Encoding'] = 'identity'
    sent, key = url, self._provider.key
    if key and url.host == key.host:
      sent = url.copy_merge_params({key.parameter: self._key})
    end = time.monotonic() + _LONGEST
    try:
      with self._client.stream('GET', sent, headers=headers) as response:
        if response.next_request is not None:
          return response.next_request.url
        _check_status(response, url)
        if picture:
          _check_picture(response, url, self._provider.robots)
        return _body(response, url, limit, picture, end)
    except httpx2.HTTPError as error:
      what = str(error) or type(error).__name__
      raise _Temporary(url, f'fails: {what}') from error
    except httpx2.InvalidURL as error:
      raise FetchError(f'{_shown(url)}: redirects to no address') from error

  def _check_robots(self, url):
    host = url.netloc.decode()
    if host not in self._robots:
      self._robots[host] = self._read_robots(url)
      delay = self._robots[host].crawl_delay(self.agent)
      if delay:
        self._transport.pauses[url.host] = float(delay)
    if not self._robots[host].can_fetch(str(url), self.agent):
      raise FetchError(f'{_shown(url)}: robots.txt forbids it')

  def _read_robots(self, url):
    """The rules of a host: none if it has no such file (RFC 9309)."""
    place = url.copy_with(path='/robots.txt', query=None, fragment=None)
    for _ in range(_REDIRECTS + 1):
      try:
        found = self._once(place, 'text/plain', _ROBOTS, False)
      except _Missing:
        found = b''
      if isinstance(found, bytes):
        return protego.Protego.parse(found.decode('utf-8', 'replace'))
      place = found
    return protego.Protego.parse('')


class _Missing(FetchError):
  """A 4xx answer."""


def user_agent(contact: str) -> str:
  """The header User-Agent, which says who asks.

  Raises:
    ValueError: `contact` is neither a mail address nor a web page.
  """
  if not re.fullmatch(
    r'[^@\s()]+@[^@\s()]+\.[^@\s()]+|https?://[^\s()]+', contact
  ):
    raise ValueError(
      f'--contact={contact} is neither a mail address nor a web page: museums '
      'want to know whom to write to'
    )
  return f'artjax/{artjax.__version__} ({contact}) httpx2/{httpx2.__version__}'


def _check_status(response, url):
  status = response.status_code
  if status in _TEMPORARY:
    raise _Temporary(url, f'answers {status}', _retry_after(response))
  if 400 <= status < 500:
    raise _Missing(f'{_shown(url)} answers {status}')
  if status != 200:
    raise FetchError(f'{_shown(url)} answers {status}')


def _check_picture(response, url, robots):
  kind = response.headers.get('Content-Type', '').partition(';')[0].lower()
  # What says nothing of itself is decoded anyway.
  if (
    kind
    and not kind.startswith('image/')
    and kind not in ('application/octet-stream', 'binary/octet-stream')
  ):
    raise FetchError(f'{_shown(url)} is {kind}, not a picture')
  tags = response.headers.get('X-Robots-Tag', '').lower()
  if robots and _NO_PICTURES.search(tags):
    raise FetchError(f'{_shown(url)}: its X-Robots-Tag says {tags}')


def _body(response, url, limit, raw, end):
  """All bytes, at most `limit`, before `end`."""
  large = f'{_shown(url)} is larger than {limit / 2**20:g} MiB'
  length = response.headers.get('Content-Length', '')
  if length.isdigit() and int(length) > limit:
    raise FetchError(large)
  data = bytearray()
  for chunk in response.iter_raw() if raw else response.iter_bytes():
    data += chunk
    if len(data) > limit:
      raise FetchError(large)
    if time.monotonic() > end:
      raise _Temporary(url, f'takes longer than {_LONGEST:g} s')
  return bytes(data)


def _retry_after(response):
  """Seconds to wait, from the header Retry-After; 0 without one."""
  text = response.headers.get('Retry-After', '').strip()
  if text.isdigit():
    return float(text)
  try:
    date = email.utils.parsedate_to_datetime(text)
    now = datetime.datetime.now(datetime.UTC)
    return max(0.0, (date - now).total_seconds())
  except (ValueError, TypeError):
    return 0.0


def _shown(url):
  """A URL without its query, which may hold a key."""
  return str(httpx2.URL(url).copy_with(query=None, fragment=None))
