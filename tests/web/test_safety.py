"""The web page under attack: who may ask, and what every answer says."""

import io
import os
import pathlib
import re
import signal
import subprocess
import sys
import time

from conftest import ROOT
import pytest
import web_client as web

from artjax.web.server import guard

PICTURE = web.picture()


def serve(*args):
  return subprocess.run(
    [sys.executable, 'scripts/serve.py', *args],
    cwd=ROOT,
    capture_output=True,
    text=True,
    timeout=60,
  )


# Who may ask.


def test_other_addresses_need_a_token():
  out = serve('--host=0.0.0.0')
  assert out.returncode == 2
  assert 'give a --token' in out.stderr.splitlines()[-1]
  out = serve('--host=0.0.0.0', '--token=short')
  assert out.returncode == 2 and 'shorter than 12' in out.stderr


def test_it_listens_on_this_machine_alone(tmp_path):
  browser = tmp_path / 'browser'
  browser.write_text(f'#!/bin/sh\necho "$1" > {tmp_path}/asked\n')
  browser.chmod(0o755)
  process = subprocess.Popen(
    [sys.executable, 'scripts/serve.py', '--port=0', '--open'],
    cwd=ROOT,
    stdout=subprocess.PIPE,
    text=True,
    env={**os.environ, 'BROWSER': str(browser)},
  )
  try:
    line = process.stdout.readline()
    port = int(re.search(r'http://127\.0\.0\.1:(\d+)/', line)[1])
    listening, deadline = [], time.monotonic() + 60
    asked = tmp_path / 'asked'
    wanted = lambda: listening and asked.exists() and asked.read_text()
    while not wanted() and time.monotonic() < deadline:
      rows = pathlib.Path('/proc/net/tcp').read_text().splitlines()[1:]
      listening = [
        row.split()[1]
        for row in rows
        if row.split()[3] == '0A' and row.split()[1].endswith(f':{port:04X}')
      ]
      time.sleep(0.05)
    assert listening == [f'0100007F:{port:04X}']
    assert asked.read_text() == f'http://127.0.0.1:{port}/\n'
    taken = serve(f'--port={port}')
    assert taken.returncode == 2 and 'cannot listen' in taken.stderr
    process.send_signal(signal.SIGINT)
    out, _ = process.communicate(timeout=60)
    assert '"jobs": {}' in out.splitlines()[-1]
    assert process.returncode == 0
  finally:
    process.kill()
    process.communicate()


@pytest.mark.parametrize(
  'host',
  [
    'evil.example',
    'evil.example:8080',
    '127.0.0.1.evil.example',
    'evil@127.0.0.1',
    '127.0.0.1:x',
    '',
  ],
)
def test_other_names_are_refused(page, host):
  out = page.get('/', headers={'Host': host})
  assert out.status_code == 421 and 'error' in out.json()


@pytest.mark.parametrize(
  'headers',
  [
    {'Origin': 'http://evil.example'},
    {'Origin': 'null'},
    {'Origin': 'http://127.0.0.1:8081'},
    {'Origin': ''},
    {'Origin': 'http://127.0.0.1:8080.evil.example'},
    {'Sec-Fetch-Site': 'cross-site'},
    {'Sec-Fetch-Site': 'same-site'},
  ],
)
@pytest.mark.parametrize(
  'path', ['/api/pictures', '/api/jobs?steps=restore', '/api/jobs/x/cancel']
)
def test_writes_of_other_sites_are_refused(page, headers, path):
  assert page.post(path, content=PICTURE, headers=headers).status_code == 403
  assert page.delete('/api/pictures/x', headers=headers).status_code == 403


def test_the_pages_own_writes_are_not(page):
  out = page.post(
    '/api/pictures',
    content=PICTURE,
    headers={'Origin': web.HOST, 'Sec-Fetch-Site': 'same-origin'},
  )
  assert out.status_code == 201


def test_token(monkeypatch):
  compared = []
  plain = guard.hmac.compare_digest
  monkeypatch.setattr(
    guard.hmac,
    'compare_digest',
    lambda a, b: compared.append((a, b)) or plain(a, b),
  )
  with web.client(token='correct-horse') as page:
    assert page.get('/').status_code == 401
    assert page.get('/app.js').status_code == 401
    assert page.get('/?token=wrong-horse-1').status_code == 401
    bearer = {'Authorization': 'Bearer correct-horse'}
    assert page.get('/api/pictures', headers=bearer).status_code == 200
    # In the address once; then it is a cookie and gone from there.
    out = page.get('/?token=correct-horse', follow_redirects=False)
    assert out.status_code == 303 and out.headers['location'] == '/'
    assert out.headers['set-cookie'].startswith('artjax_token_8080=')
    assert 'HttpOnly' in out.headers['set-cookie']
    assert page.get('/api/pictures').status_code == 200
    # Only there, so that no link to it does anything.
    assert (
      web.another(page).get('/api/pictures?token=correct-horse').status_code
      == 401
    )
  assert len(compared) == 7 and all(b == b'correct-horse' for _, b in compared)


def test_guessing_tokens_is_slow():
  with web.client(token='correct-horse') as page:
    guess = lambda: (
      page.get('/', headers={'Authorization': 'Bearer x'}).status_code
    )
    assert [guess() for _ in range(25)].count(401) == 20
    assert guess() == 429


# What every answer says.


@pytest.mark.parametrize(
  'path', ['/', '/app.js', '/api/abilities', '/api/pictures/x', '/nothing']
)
def test_headers(page, path):
  headers = page.get(path).headers
  policy = headers['content-security-policy']
  assert "default-src 'self'" in policy and "frame-ancestors 'none'" in policy
  assert 'unsafe' not in policy and 'http' not in policy
  assert headers['x-content-type-options'] == 'nosniff'
  assert headers['cache-control'] == 'no-store'
  assert 'access-control-allow-origin' not in headers


def test_refusals_have_the_headers_too(page):
  headers = page.get('/', headers={'Host': 'evil.example'}).headers
  assert headers['x-content-type-options'] == 'nosniff'


def test_no_file_names_another_origin():
  static = ROOT / 'artjax' / 'web' / 'static'
  for path in static.glob('*.[hjc]*s*'):
    text = path.read_text() if path.suffix != '.jpg' else ''
    assert not re.search(r'(https?:)?//[a-z0-9-]+\.', text), path.name
  html = (static / 'index.html').read_text()
  assert not re.search(r'<script(?![^>]*src=)|<style|\son\w+=|style=', html)
  text = io.StringIO()
  for path in static.glob('*.js'):
    text.write(path.read_text())
  assert 'eval(' not in text.getvalue() and 'innerHTML' not in text.getvalue()


# Errors.


@pytest.mark.parametrize(
  'path, status, message',
  [
    ('/api/jobs', 422, 'steps: Field required'),
    ('/api/jobs?steps=nonsense', 422, "steps: 'nonsense' is not one of"),
    ('/api/jobs?steps=colorize', 422, 'colorize has no weights'),
    ('/api/jobs?steps=restore,restore', 422, 'once'),
    ('/api/jobs?steps=restore&strength=2', 422, 'strength'),
    ('/api/jobs?steps=restore&strength=nan', 422, 'strength'),
    ('/api/jobs?steps=restore&saturation=3', 422, 'saturation'),
    ('/api/jobs?steps=restore&saturation=0', 422, 'restore does not use it'),
    ('/api/jobs?steps=restore&strenght=1', 422, 'strenght: there is no such'),
    ('/api/jobs?steps=restore&threshold=1', 422, 'threshold'),
    ('/api/jobs?steps=fill', 422, 'fill has no weights'),
    ('/api/jobs?steps=restore&picture=../x', 404, 'no such picture'),
    ('/api/nothing', 404, 'Not Found'),
  ],
)
def test_errors_are_one_line(page, path, status, message):
  out = page.post(path, content=PICTURE)
  assert out.status_code == status
  assert out.json().keys() <= {'error', 'message'}
  assert message in out.json()['error'] and '\n' not in out.json()['error']


def test_damaged_files_name_themselves_and_no_path(page):
  data = web.picture(200, 200)
  out = page.post('/api/pictures?name=torn.png', content=data[:5000])
  assert out.status_code == 422
  assert out.json()['error'].startswith('torn.png: damaged')
  assert 'artjax_web' not in out.text and '/' not in out.json()['error']


def test_what_nobody_foresaw_is_no_traceback(page, monkeypatch):
  def fail(*unused):
    raise RuntimeError('secret')

  monkeypatch.setattr(page.app.state.store, 'session', fail)
  out = page.get('/api/pictures')
  assert out.status_code == 500 and 'secret' not in out.text
  assert out.headers['x-content-type-options'] == 'nosniff'
