"""The only way out: https, public addresses, one request at a time a host.

A name is resolved once for each request, and the connection goes to the very
address that was checked, so that a name server cannot answer twice. As each hop
of a redirect is a request of its own, it is checked likewise.
"""

from collections.abc import Callable
import functools
import time
from typing import Any

import httpx2

from artjax.data.collections import addresses
from artjax.data.collections.base import FetchError

LONGEST_WAIT = 900.0  # s; a host that wants more is left alone


class Transport(httpx2.BaseTransport):
  """Sends requests, each host's after one another, with pauses in between."""

  def __init__(
    self,
    pause: float = 1.0,
    *,
    resolve: Callable[[str, int], list[str]] = addresses.resolve,
    clock: Any = time,
  ):
    """Connects to nothing yet.

    Args:
      pause: s between the end of a request and the next one to that host.
      resolve: (host, port) -> addresses that may be connected to.
      clock: what has `monotonic` and `sleep`.
    """
    self.pauses: dict[str, float] = {}  # s, of hosts that ask for another one
    self._pause = pause
    self._resolve, self._clock = resolve, clock
    self._not_before: dict[str, float] = {}  # by host
    self._pools: dict[str, httpx2.HTTPTransport] = {}  # by host

  def hold(self, host: str, seconds: float) -> None:
    """Lets no request to a host through for so long."""
    until = self._clock.monotonic() + seconds
    self._not_before[host] = max(self._not_before.get(host, 0.0), until)

  def handle_request(self, request: httpx2.Request) -> httpx2.Response:
    """Sends a request when its turn has come.

    Raises:
      FetchError: not https, not a public address, or a host that asks to be
        left alone for longer than `LONGEST_WAIT`.
      httpx2.TransportError: it could not be reached, or broke off.
    """
    url = request.url
    if url.scheme != 'https':
      raise FetchError(f'{url.scheme}://{url.host}: only https is fetched')
    if url.userinfo:
      raise FetchError(f'{url.host}: an address with a password is not fetched')
    places = self._resolve(url.host, url.port or 443)
    wait = self._not_before.get(url.host, 0.0) - self._clock.monotonic()
    if wait > LONGEST_WAIT:
      raise FetchError(f'{url.host} asks to be left alone for {wait:.0f} s')
    if wait > 0:
      self._clock.sleep(wait)
    try:
      response = self._try_each(places, request)
    except BaseException:
      self._rest(url.host)
      raise
    assert isinstance(response.stream, httpx2.SyncByteStream)
    response.stream = _Stream(response.stream, lambda: self._rest(url.host))
    return response

  def close(self) -> None:
    """Closes all connections."""
    for pool in self._pools.values():
      pool.close()

  def _rest(self, host):
    self.hold(host, max(self._pause, self.pauses.get(host, 0.0)))

  def _try_each(self, places, request):
    for place in places[:-1]:
      try:
        return self._send(place, request)
      except (httpx2.ConnectError, httpx2.ConnectTimeout):
        continue
    return self._send(places[-1], request)

  def _send(self, address: str, request: httpx2.Request) -> httpx2.Response:
    """Sends a request to an address; the certificate is the host's."""
    host = request.url.host
    return self._pool(host).handle_request(
      httpx2.Request(
        request.method,
        request.url.copy_with(host=address),
        headers=request.headers,  # with the name as Host
        extensions={**request.extensions, 'sni_hostname': host},
      )
    )

  def _pool(self, host: str) -> httpx2.HTTPTransport:
    """The connections of a host: none is used for another name."""
    if host not in self._pools:
      self._pools[host] = httpx2.HTTPTransport(
        verify=_ssl_context(),
        trust_env=False,
        limits=httpx2.Limits(max_connections=1, max_keepalive_connections=1),
      )
    return self._pools[host]


@functools.cache
def _ssl_context():
  """The certificates of the system; reading them takes a while."""
  return httpx2.create_ssl_context(trust_env=False)


class _Stream(httpx2.SyncByteStream):
  """The body of a response that tells when it is over."""

  def __init__(self, stream, closed):
    self._stream, self._closed = stream, closed

  def __iter__(self):
    return iter(self._stream)

  def close(self):
    self._stream.close()
    self._closed()
