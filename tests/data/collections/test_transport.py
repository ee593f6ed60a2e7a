"""Connections go to the address that was checked, one at a time a host."""

import datetime
import http.server
import ipaddress
import ssl
import threading

import httpx2
from museum_server import as_picture
from museum_server import Clock
import pytest

from artjax.data.collections import transport

cryptography = pytest.importorskip('cryptography', reason='makes certificates')


def certificate(folder, name):
  """A certificate of a host, signed by itself; paths of it and of its key."""
  from cryptography import x509
  from cryptography.hazmat.primitives import hashes
  from cryptography.hazmat.primitives import serialization
  from cryptography.hazmat.primitives.asymmetric import ec

  key = ec.generate_private_key(ec.SECP256R1())
  subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
  now = datetime.datetime.now(datetime.UTC)
  made = (
    x509.CertificateBuilder()
    .subject_name(subject)
    .issuer_name(subject)
    .public_key(key.public_key())
    .serial_number(x509.random_serial_number())
    .not_valid_before(now - datetime.timedelta(days=1))
    .not_valid_after(now + datetime.timedelta(days=1))
    .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), False)
    .add_extension(x509.BasicConstraints(True, None), True)
    .sign(key, hashes.SHA256())
  )
  paths = folder / 'certificate.pem', folder / 'key.pem'
  paths[0].write_bytes(made.public_bytes(serialization.Encoding.PEM))
  paths[1].write_bytes(
    key.private_bytes(
      serialization.Encoding.PEM,
      serialization.PrivateFormat.PKCS8,
      serialization.NoEncryption(),
    )
  )
  return paths


class Secure:
  """An https server of museum.example.org on the loopback device."""

  def __init__(self, folder):
    self.hosts, self.names = [], []
    secure = self

    class Handler(http.server.BaseHTTPRequestHandler):
      protocol_version = 'HTTP/1.1'

      def do_GET(self):
        secure.hosts.append(self.headers['Host'])
        self.send_response(200)
        self.send_header('Content-Length', '2')
        self.end_headers()
        self.wfile.write(b'ok')

      def log_message(self, *unused):
        pass

    class Server(http.server.ThreadingHTTPServer):
      daemon_threads = True

      def handle_error(self, *unused):  # a client that refuses the certificate
        pass

    self.certificate, key = certificate(folder, 'museum.example.org')
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(self.certificate, key)
    context.sni_callback = lambda s, name, c: self.names.append(name)
    self._server = Server(('127.0.0.1', 0), Handler)
    self._server.socket = context.wrap_socket(
      self._server.socket, server_side=True
    )
    self.port = self._server.server_address[1]
    self._thread = threading.Thread(
      target=self._server.serve_forever, args=(0.02,), daemon=True
    )
    self._thread.start()

  def close(self):
    self._server.shutdown()
    self._thread.join()
    self._server.server_close()


@pytest.fixture
def secure(tmp_path, monkeypatch):
  server = Secure(tmp_path)
  context = ssl.create_default_context(cafile=server.certificate)
  monkeypatch.setattr(transport, '_ssl_context', lambda: context)
  yield server
  server.close()


def get(out, url):
  with httpx2.Client(transport=out, trust_env=False) as client:
    return client.get(url).text


def test_the_name_is_resolved_once_and_that_address_used(secure):
  asked = []

  def resolve(host, port):
    asked.append((host, port))
    return ['127.0.0.1']  # where no name server leads, only this answer

  out = transport.Transport(0, resolve=resolve)
  url = f'https://museum.example.org:{secure.port}/'
  assert get(out, url) == 'ok'
  assert asked == [('museum.example.org', secure.port)]
  # The server sees the name, in TLS as well as in HTTP.
  assert secure.names == ['museum.example.org']
  assert secure.hosts == [f'museum.example.org:{secure.port}']


def test_the_certificate_is_that_of_the_name(secure):
  out = transport.Transport(0, resolve=lambda host, port: ['127.0.0.1'])
  with pytest.raises(httpx2.ConnectError, match='CERTIFICATE_VERIFY_FAILED'):
    get(out, f'https://other.example.org:{secure.port}/')
  assert not secure.hosts


@pytest.mark.parametrize('first', ['127.0.0.1', '127.0.0.2'])
def test_addresses_are_tried_in_order(secure, first):
  # Nobody listens at the second one of the two.
  places = [first, *{'127.0.0.1', '127.0.0.2'} - {first}]
  out = transport.Transport(0, resolve=lambda host, port: places)
  assert get(out, f'https://museum.example.org:{secure.port}/') == 'ok'


def test_there_is_a_pause_between_requests_to_a_host(museum):
  museum.on(r'.*', as_picture(1))
  clock = Clock()
  out = museum.transport(2.0, clock)
  with httpx2.Client(transport=out, trust_env=False) as client:
    for host in 'a', 'b', 'a', 'a':
      client.get(f'https://{host}.example.org/x')
  # The other host was asked meanwhile, without a pause.
  assert len(clock.slept) == 2
  assert all(1 < seconds <= 2 for seconds in clock.slept)


def test_every_request_goes_to_a_checked_address(museum, fetch):
  museum.on(r'.*', as_picture(1))
  out = museum.transport()
  get(out, 'https://a.example.org/')
  [(address, host)] = out.sent
  assert ipaddress.ip_address(address).is_global and host == 'a.example.org'
