"""A large file on the disk: whole and with its sha256, or not at all."""

import hashlib

from museum_server import Reply
import pytest

from artjax.data.collections import download as download_lib
from artjax.data.collections.base import FetchError

URL = 'https://files.example.org/release/w.pth'
BODY = bytes(range(256)) * 1000


@pytest.fixture
def download(museum, tmp_path, monkeypatch):
  """Downloads from the loopback server to tmp_path/w.pth."""
  monkeypatch.setattr(download_lib.transport_lib, 'Transport', museum.transport)

  def run(url=URL, limit=len(BODY), **options):
    return download_lib.download(url, tmp_path / 'w.pth', limit, **options)

  return run


def test_a_file_is_whole_and_has_its_sha256(museum, download, tmp_path):
  museum.on('files.example.org/release/w.pth', Reply(BODY))
  seen = []
  sha256 = download(on_bytes=lambda *numbers: seen.append(numbers))
  assert sha256 == hashlib.sha256(BODY).hexdigest()
  assert (tmp_path / 'w.pth').read_bytes() == BODY
  assert seen[-1] == (len(BODY), len(BODY))
  [request] = museum.requests
  assert request.headers['Accept-Encoding'] == 'identity'
  assert request.headers['User-Agent'].startswith('artjax/')


def redirect(to):
  return Reply(status=302, headers={'Location': to})


def test_redirects_are_followed_and_each_is_checked(museum, download, tmp_path):
  museum.on('files.example.org/.*', redirect('https://cdn.example.org/x?y=1'))
  museum.on('cdn.example.org/x', Reply(BODY))
  assert download() == hashlib.sha256(BODY).hexdigest()
  for to, message in (
    ('http://cdn.example.org/x', 'only https'),
    ('https://127.0.0.1/x', 'no address of the public internet'),
    ('https://files.example.org/release/again', 'redirects'),
  ):
    museum.on('files.example.org/.*', redirect(to))
    with pytest.raises(FetchError, match=message):
      download()
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
  'reply, message',
  [
    (Reply(status=404), 'answers 404'),
    (Reply(BODY, cut=1000), 'fails: '),
    (Reply(BODY + b'x'), 'larger than 256,000 bytes'),
    (
      # Of unknown length: what comes is counted.
      Reply(BODY + b'x', headers={'Content-Length': None}, cut=len(BODY) + 1),
      'larger than 256,000 bytes',
    ),
  ],
)
def test_what_cannot_be_had_leaves_nothing(
  museum, download, tmp_path, reply, message
):
  museum.on('.*', reply)
  with pytest.raises(FetchError, match=message) as error:
    download()
  assert URL in str(error.value) and '\n' not in str(error.value)
  assert not list(tmp_path.iterdir())


def test_an_interrupt_leaves_nothing(museum, download, tmp_path):
  museum.on('.*', Reply(BODY))

  def interrupt(done, total):
    raise KeyboardInterrupt

  with pytest.raises(KeyboardInterrupt):
    download(on_bytes=interrupt)
  assert not list(tmp_path.iterdir())
