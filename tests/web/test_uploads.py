"""The web page under attack: what comes in, whose it is, what goes away."""

import os
import pathlib
import re
import signal
import subprocess
import sys
import time
import zlib

import pytest
import pyvips
import web_client as web

from artjax.web.server import store as store_lib

PICTURE = web.picture()


# What comes in.


def test_bytes_are_limited_while_they_stream():
  sent = []

  def body():
    yield PICTURE
    for _ in range(1000):
      sent.append(1)
      yield bytes(1 << 16)

  with web.client(upload=1 << 20) as page:
    out = page.post('/api/pictures', content=body())  # without a length
    assert out.status_code == 413 and 'limit of 1 MiB' in out.json()['error']
    out = page.post('/api/pictures', content=bytes(2 << 20))
    assert out.status_code == 413
    assert web.on_disk(page) == [] and page.app.state.store.used == 0


def bomb(side):
  """A PNG of side² px of one bit each, in a few kB."""

  def chunk(name, data):
    check = zlib.crc32(name + data).to_bytes(4, 'big')
    return len(data).to_bytes(4, 'big') + name + data + check

  header = side.to_bytes(4, 'big') * 2 + bytes([1, 0, 0, 0, 0])
  rows = zlib.compress(bytes((side // 8 + 2) * side), 9)
  return (
    b'\x89PNG\r\n\x1a\n'
    + chunk(b'IHDR', header)
    + chunk(b'IDAT', rows)
    + chunk(b'IEND', b'')
  )


def test_pixels_are_limited_by_the_header():
  data = bomb(13000)
  assert len(data) < 60_000
  with web.client(pixels=120_000_000) as page:
    start = time.monotonic()
    out = page.post('/api/pictures?name=bomb.png', content=data)
    assert out.status_code == 422
    assert out.json()['error'].startswith('bomb.png: 13000 x 13000 px are more')
    # Refused before decoding, so at once and for no memory.
    assert time.monotonic() - start < 20
    status = pathlib.Path(f'/proc/{page.app.state.queue.decoder.pid}/status')
    peak = int(re.search(r'VmHWM:\s+(\d+)', status.read_text())[1])
    assert peak < 200_000  # kB
    assert web.on_disk(page) == [] and page.app.state.store.used == 0


def test_sides_are_limited():
  with web.client(side=100) as page:
    out = page.post('/api/pictures', content=web.picture(4, 101))
    assert (
      out.status_code == 422
      and 'longer than the limit' in (out.json()['error'])
    )


@pytest.mark.parametrize(
  'data',
  [
    b'',
    b'x',
    b'<svg xmlns="http://www.w3.org/2000/svg"/>' + bytes(40),
    b'<?xml version="1.0"?><svg xmlns="http://www.w3.org/2000/svg"></svg>',
    b'<!DOCTYPE html><script>alert(1)</script>' + bytes(40),
    b'%PDF-1.7\n' + bytes(100),
    b'GIF89a' + bytes(100),
    b'BM' + bytes(100),
  ],
  ids=range(8),
)
def test_other_formats_are_refused_whatever_their_name(page, data):
  before = web.on_disk(page)
  out = page.post('/api/pictures?name=picture.png', content=data)
  assert out.status_code == 415
  assert '\n' not in out.json()['error']
  assert web.on_disk(page) == before


def test_the_content_counts_and_not_the_name(page):
  out = page.post('/api/pictures?name=drawing.svg', content=PICTURE)
  assert out.status_code == 201
  assert out.json()['name'] == 'drawing.png' and out.json()['format'] == 'PNG'


def test_a_decoder_short_of_memory_is_one_refusal():
  image = pyvips.Image.black(12000, 12000, bands=3).copy(interpretation='srgb')
  # One tile, which a decoder needs as a whole.
  data = image.tiffsave_buffer(
    compression='deflate', tile=True, tile_width=12000, tile_height=12000
  )
  with web.client(decode_memory=300 << 20, pixels=1 << 30) as page:
    out = page.post('/api/pictures?name=large.tif', content=data)
    assert out.status_code == 422 and out.json()['error'].startswith(
      'large.tif'
    )
    assert page.post('/api/pictures', content=PICTURE).status_code == 201


def test_a_decoder_that_dies_is_one_refusal(page):
  assert page.post('/api/pictures', content=PICTURE).status_code == 201
  os.kill(page.app.state.queue.decoder.pid, signal.SIGKILL)
  codes = [
    page.post('/api/pictures', content=PICTURE).status_code for _ in range(2)
  ]
  assert codes in ([201, 201], [422, 201])


def test_a_worker_that_dies_is_one_failed_job(page):
  data = web.picture(700, 700)
  first = page.post('/api/jobs?steps=restore', content=data).json()
  second = page.post('/api/jobs?steps=restore', content=PICTURE).json()
  while page.get(f'/api/jobs/{first["id"]}').json()['state'] == 'queued':
    time.sleep(0.01)
  while not page.app.state.queue.runner.pid:
    time.sleep(0.01)
  os.kill(page.app.state.queue.runner.pid, signal.SIGKILL)
  state = web.wait(page, first)
  assert state['state'] == 'failed' and 'ended' in state['reason']
  assert web.wait(page, second)['state'] == 'done'


def test_a_worker_short_of_memory_is_one_failed_job(folder):
  with web.client(folder, run_memory=30 << 20, stall_time=30) as page:
    data = web.picture(2000, 2000)
    job = page.post('/api/jobs?steps=restore', content=data).json()
    state = web.wait(page, job)
    assert state['state'] == 'failed' and state['reason']
    assert page.get('/').status_code == 200


# What belongs to whom.


def test_the_ids_of_others_are_not_there(page):
  mine = page.post('/api/jobs?steps=restore', content=PICTURE).json()
  result = web.wait(page, mine)['result']['id']
  other = web.another(page)
  other.post('/api/pictures', content=PICTURE)
  for key in (mine['picture'], result):
    for end in ('', '/file', '/report', '/change', '/tiles/picture/0/0_0.png'):
      assert other.get(f'/api/pictures/{key}{end}').status_code == 404
    assert other.delete(f'/api/pictures/{key}').status_code == 404
    assert (
      other.post(f'/api/jobs?steps=restore&picture={key}').status_code == 404
    )
  for end in ('', '/events', '/result', '/report'):
    assert other.get(f'/api/jobs/{mine["id"]}{end}').status_code == 404
  assert other.post(f'/api/jobs/{mine["id"]}/cancel').status_code == 404
  assert len(other.get('/api/pictures').json()) == 1
  assert page.get(f'/api/pictures/{result}/file').status_code == 200


def test_the_session_is_a_secret_of_the_browser(page):
  out = web.another(page).post('/api/pictures', content=PICTURE)
  cookie = out.headers['set-cookie']
  assert 'HttpOnly' in cookie and 'samesite=strict' in cookie.lower()
  assert len(cookie.split(';')[0].split('=')[1]) >= 32


def test_refused_uploads_of_a_browser_are_one_session(page):
  other, before = web.another(page), page.app.state.store.sessions
  for _ in range(3):
    assert other.post('/api/pictures', content=b'no').status_code == 415
  assert page.app.state.store.sessions == before + 1


def test_servers_on_two_ports_keep_their_own_sessions():
  with web.client() as one, web.client() as other:
    other.base_url = 'http://127.0.0.1:8081'
    other.cookies.jar = one.cookies.jar  # A browser sends them to every port.
    for page in (one, other):
      assert page.post('/api/pictures', content=PICTURE).status_code == 201
    for page in (one, other):
      assert len(page.get('/api/pictures').json()) == 1


@pytest.mark.parametrize(
  'name',
  [
    '../../etc/passwd',
    '/etc/passwd',
    '..\\..\\boot.ini',
    '..',
    '.png',
    'a\r\nSet-Cookie: x=1.png',
    'a\0b.png',
    '"; rm -rf ~;".png',
    'ünï 中.png',
  ],
)
def test_names_are_never_paths(page, name):
  out = page.post('/api/pictures', params={'name': name}, content=PICTURE)
  assert out.status_code == 201
  shown = out.json()['name']
  assert not set(shown) & set('/\\\r\n\0"') and shown.endswith('.png')
  got = page.get(f'/api/pictures/{out.json()["id"]}/file')
  assert got.content == PICTURE
  assert 'set-cookie' not in got.headers
  assert got.headers['content-disposition'].startswith('attachment')
  files = page.app.state.store.root
  assert all(
    re.fullmatch(r'[0-9a-f]{24}|scratch', p.name)
    for p in pathlib.Path(files).iterdir()
  )


@pytest.mark.parametrize(
  'path',
  [
    '/../app.py',
    '/static/app.js',
    '/%2e%2e/app.py',
    '/..%2fapp.py',
    '/app.py',
    '/api/pictures/..%2f..',
    '/api/pictures/x/tiles/..%2f/0/0_0.png',
    '/docs',
    '/redoc',
    '/view.js.map',
  ],
)
def test_nothing_else_is_served(page, path):
  assert page.get(path).status_code == 404


# What goes away.


def test_files_go_after_their_time(folder):
  with web.client(folder, ttl=0.2) as page:
    picture = page.post('/api/pictures', content=PICTURE).json()
    assert 'picture.png' in web.on_disk(page)
    deadline = time.monotonic() + 20
    while web.on_disk(page) and time.monotonic() < deadline:
      time.sleep(0.05)
    assert web.on_disk(page) == [] and page.app.state.store.used == 0
    assert page.get(f'/api/pictures/{picture["id"]}').status_code == 404


def test_files_go_at_exit(folder):
  with web.client(folder) as page:
    page.post('/api/pictures', content=PICTURE)
    root = page.app.state.store.root
    assert os.path.isdir(root) and os.stat(root).st_mode & 0o77 == 0
  assert not os.path.exists(root)


def test_what_a_killed_server_left_goes_at_the_next_start(
  tmp_path, monkeypatch
):
  monkeypatch.setattr(store_lib.tempfile, 'gettempdir', lambda: str(tmp_path))
  process = subprocess.Popen([sys.executable, '-c', ''])
  process.wait()
  dead = tmp_path / f'artjax_web_{process.pid}_x'
  alive = tmp_path / f'artjax_web_{os.getpid()}_x'
  dead.mkdir()
  alive.mkdir()
  store_lib.sweep()
  assert not dead.exists() and alive.exists()


def test_the_disk_has_a_quota(folder):
  with web.client(folder, quota=100_000) as page:
    data = web.picture(100, 100)
    codes = []
    while 507 not in codes and len(codes) < 9:
      out = page.post('/api/pictures', content=data)
      codes.append(out.status_code)
    assert codes[0] == 201 and codes[-1] == 507
    assert 'disk space' in out.json()['error']
    for picture in page.get('/api/pictures').json():
      assert page.delete(f'/api/pictures/{picture["id"]}').status_code == 204
    assert page.app.state.store.used == 0 and web.on_disk(page) == []
    assert page.post('/api/pictures', content=data).status_code == 201


def test_the_number_of_sessions_is_limited():
  with web.client(sessions=2) as page:
    codes = [
      web.another(page).post('/api/pictures', content=PICTURE).status_code
      for _ in range(3)
    ]
    assert codes == [201, 201, 507]
