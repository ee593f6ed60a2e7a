"""A server on the loopback device that answers for every museum.

`Loopback` is the transport of the package with another last step: requests that
passed all its checks go to this server, which tells hosts apart by their name.
"""

import dataclasses
import functools
import http.server
import json
import re
import sys
import threading
import time

import cv2
import httpx2
import numpy as np

from artjax.data.collections import addresses
from artjax.data.collections import transport

PUBLIC = '93.184.216.34'  # of every host that is not in `places`


@dataclasses.dataclass
class Reply:
  """An answer. `cut`: bytes after which the connection ends."""

  body: bytes = b''
  type: str = 'application/json'
  status: int = 200
  headers: dict = dataclasses.field(default_factory=dict)
  cut: int | None = None
  delay: float = 0.0


def as_json(content, **fields):
  return Reply(json.dumps(content).encode(), **fields)


def as_picture(seed=0, height=40, width=56, **fields):
  """A smooth picture of its own for each seed, as JPEG."""
  rng = np.random.default_rng(seed)
  small = rng.integers(0, 256, (6, 7, 3), np.uint8)
  picture = cv2.resize(small, (width, height), interpolation=cv2.INTER_CUBIC)
  data = cv2.imencode('.jpg', picture)[1].tobytes()
  return Reply(data, **{'type': 'image/jpeg', **fields})


@dataclasses.dataclass
class Request:
  """What was asked, and when it was answered."""

  host: str
  path: str
  query: dict
  headers: dict
  start: float = 0.0
  end: float = 0.0


class Museum:
  """The server; a context manager.

  `answers` are (pattern of HOST/PATH, Reply | list | function): of a list each
  request takes the first one, and the last stays; a function takes the Request
  and the match.
  """

  def __init__(self):
    self.answers, self.requests, self.places = [], [], {}
    museum = self

    class Handler(http.server.BaseHTTPRequestHandler):
      protocol_version = 'HTTP/1.1'
      wbufsize = -1  # head and body at once
      disable_nagle_algorithm = True

      def do_GET(self):
        museum.answer(self)

      def log_message(self, *unused):
        pass

    class Server(http.server.ThreadingHTTPServer):
      daemon_threads = True

      def handle_error(self, request, client_address):
        if not isinstance(sys.exception(), ConnectionError):  # a killed client
          super().handle_error(request, client_address)

    self._server = Server(('127.0.0.1', 0), Handler)
    self.port = self._server.server_address[1]
    self._thread = threading.Thread(
      target=self._server.serve_forever, args=(0.02,), daemon=True
    )

  def __enter__(self):
    self._thread.start()
    return self

  def __exit__(self, *unused):
    self._server.shutdown()
    self._thread.join()
    self._server.server_close()

  def on(self, pattern, answer):
    """Answers a pattern from now on; later ones come first."""
    self.answers.insert(0, (re.compile(pattern), answer))

  def asked(self, pattern=''):
    """Requests of HOST/PATH so far."""
    return [r for r in self.requests if re.search(pattern, f'{r.host}{r.path}')]

  def answer(self, handler):
    url = httpx2.URL(f'http://x{handler.path}')
    request = Request(
      handler.headers['Host'],
      url.path,
      dict(url.params),
      dict(handler.headers),
      time.monotonic(),
    )
    self.requests.append(request)
    reply = self._reply(request)
    time.sleep(reply.delay)
    handler.send_response(reply.status)
    headers = {
      'Content-Type': reply.type,
      'Content-Length': str(len(reply.body)),
      **reply.headers,
    }
    for name, value in headers.items():
      if value is not None:
        handler.send_header(name, value)
    handler.end_headers()
    try:
      handler.wfile.write(reply.body[: reply.cut])
      handler.wfile.flush()
    except OSError:  # the client has seen enough
      handler.close_connection = True
    request.end = time.monotonic()
    if reply.cut is not None:
      handler.close_connection = True

  def _reply(self, request):
    for pattern, answer in self.answers:
      match = pattern.fullmatch(f'{request.host}{request.path}')
      if match:
        if callable(answer):
          return answer(request, match)
        if isinstance(answer, list):
          return answer.pop(0) if len(answer) > 1 else answer[0]
        return answer
    return Reply(b'nothing here', 'text/html', 404)

  def transport(self, pause=0.0, clock=None):
    """A transport that ends here, and by default waits for nothing."""
    return Loopback(pause, self.port, self.places, clock or Clock())


class Clock:
  """A clock on which waiting takes no time; `slept` has each wait, s."""

  def __init__(self):
    self.slept = []

  def monotonic(self):
    return time.monotonic() + sum(self.slept)

  def sleep(self, seconds):
    self.slept.append(seconds)


class Loopback(transport.Transport):
  """Sends what may be sent to a server on the loopback device."""

  def __init__(self, pause, port, places, clock):

    def look_up(host, unused):
      try:
        return [str(addresses.ipaddress.ip_address(host))]
      except ValueError:
        return places.get(host, [PUBLIC])

    resolve = functools.partial(addresses.resolve, look_up=look_up)
    super().__init__(pause, resolve=resolve, clock=clock)
    self._port = port
    self.sent = []  # (address, host) of each request

  def _send(self, address, request):
    self.sent.append((address, request.url.host))
    url = request.url.copy_with(
      scheme='http', host='127.0.0.1', port=self._port
    )
    return self._pool(request.url.host).handle_request(
      httpx2.Request('GET', url, headers=request.headers)
    )
