"""Access control and security headers, around the whole application.

A page on another site can make a browser send requests to 127.0.0.1, and can
make its own host name point there. So the Host header must be a name of this
server, and requests that change anything must not come from another origin.
"""

import collections
from collections.abc import Awaitable, Callable, Iterable
import hmac
import http.cookies
import json
import logging
import time
import urllib.parse

_TOKEN_COOKIE = 'artjax_token'
# Nothing but this server's own files: no other origin, no inline script.
HEADERS = {
  'Content-Security-Policy': "default-src 'self'; frame-ancestors 'none'; "
  "base-uri 'none'; form-action 'none'; "
  "object-src 'none'",
  'X-Content-Type-Options': 'nosniff',
  'X-Frame-Options': 'DENY',
  'Cache-Control': 'no-store',
  'Referrer-Policy': 'no-referrer',
  'Cross-Origin-Resource-Policy': 'same-origin',
  'Cross-Origin-Opener-Policy': 'same-origin',
}
_WRONG_TOKENS = 20  # a minute, of everybody


class Guard:
  """ASGI middleware: Host, Origin, token, headers."""

  def __init__(
    self,
    app: Callable[..., Awaitable[None]],
    hosts: Iterable[str],
    token: str = '',
  ):
    """Around an ASGI app.

    Args:
      app: called if nothing is wrong.
      hosts: names under which this server is reached, without ports.
      token: secret that requests must contain; '' = none.
    """
    self._app = app
    self._hosts = {host.lower() for host in hosts}
    self._token = token.encode()
    # Times, s.
    self._wrong: collections.deque[float] = collections.deque(
      maxlen=_WRONG_TOKENS
    )

  async def __call__(self, scope, receive, send):
    if scope['type'] == 'lifespan':
      await self._app(scope, receive, send)
      return
    if scope['type'] != 'http':
      await send({'type': 'websocket.close', 'code': 1008})
      return

    started = []

    async def guarded(message):
      if message['type'] == 'http.response.start':
        started.append(True)
        own = {name.lower().encode() for name in HEADERS}
        message['headers'] = [
          header
          for header in message.get('headers', ())
          if header[0].lower() not in own
        ] + [(name.encode(), value.encode()) for name, value in HEADERS.items()]
      await send(message)

    async def answer(status, reason, extra):
      body = json.dumps({'error': reason}).encode()
      await guarded(
        {
          'type': 'http.response.start',
          'status': status,
          'headers': [
            (b'content-type', b'application/json'),
            (b'content-length', b'%d' % len(body)),
            *extra,
          ],
        }
      )
      await guarded({'type': 'http.response.body', 'body': body})

    headers = {}
    for name, value in scope['headers']:
      headers.setdefault(name.decode('latin-1'), value.decode('latin-1'))
    status, reason, extra = self._check(scope, headers)
    if status:
      await answer(status, reason, extra)
      return
    try:
      await self._app(scope, receive, guarded)
    except Exception:  # pylint: disable=broad-except
      # Here and not further out, where these headers would be missing.
      logging.exception('artjax: %s %s', scope['method'], scope['path'])
      if not started:
        await answer(
          500, 'something went wrong on the server; its log says what', []
        )

  def _check(self, scope, headers):
    """(status, reason, headers); status 0 = nothing is wrong."""
    host = headers.get('host', '')
    if name_of(f'//{host}') not in self._hosts:
      return 421, 'this server does not go by that name (Host)', []
    if scope['method'] not in ('GET', 'HEAD'):
      origin = headers.get('origin')
      if origin is not None and (
        urllib.parse.urlsplit(origin).netloc.lower() != host.lower()
      ):
        return 403, 'requests of other sites are refused (Origin)', []
      if headers.get('sec-fetch-site', 'none') not in ('same-origin', 'none'):
        return 403, 'requests of other sites are refused', []
    if self._token:
      return self._check_token(scope, headers)
    return 0, '', []

  def _check_token(self, scope, headers):
    now = time.monotonic()
    if len(self._wrong) == _WRONG_TOKENS and now - self._wrong[0] < 60:
      return 429, 'too many wrong tokens; wait a minute', []
    name = cookie_name(_TOKEN_COOKIE, headers['host'])
    query = urllib.parse.parse_qs(scope['query_string'].decode('latin-1')).get(
      'token', ['']
    )[0]
    first = scope['path'] == '/' and scope['method'] == 'GET' and query
    given = (
      query
      if first
      else headers.get('authorization', '').removeprefix('Bearer ')
      or cookie(headers.get('cookie', ''), name)
    )
    if hmac.compare_digest(given.encode(), self._token):
      if first:  # The token leaves the address bar.
        value = f'{name}={given}; HttpOnly; SameSite=Strict; Path=/'
        return (
          303,
          'go on',
          [(b'location', b'/'), (b'set-cookie', value.encode())],
        )
      return 0, '', []
    if given:
      self._wrong.append(now)
    return (
      401,
      (
        'this server needs its token: open /?token=... once, or send '
        'Authorization: Bearer ...'
      ),
      [],
    )


def name_of(address: str) -> str:
  """Lower-case host name of '//host:port'; '' if it is none."""
  try:
    parts = urllib.parse.urlsplit(address)
    _ = parts.port  # raises ValueError for a bad one
    return (parts.hostname or '').lower() if not parts.username else ''
  except ValueError:
    return ''


def cookie_name(name: str, host: str) -> str:
  """Name of a cookie of the server that a Host header addresses.

  A browser sends cookies to all ports of a host: without the port, two servers
  would take each other's for their own.
  """
  port = urllib.parse.urlsplit(f'//{host}').port
  return f'{name}_{port}' if port else name


def cookie(header: str, name: str) -> str:
  """Value of a cookie; '' without."""
  try:
    morsel = http.cookies.SimpleCookie(header).get(name)
  except http.cookies.CookieError:
    return ''
  return morsel.value if morsel else ''
