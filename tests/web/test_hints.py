"""Colours that a user gives: uploaded beside a picture, used by a job."""

import json

import numpy as np
import pytest
import pyvips
import web_client as web

from artjax.restoration import command


@pytest.fixture(name='folder', scope='module')
def folder_fixture(tmp_path_factory):
  folder = tmp_path_factory.mktemp('weights')
  web.save_weights(folder)
  return web.save_colour_weights(folder)


def strokes(height=20, width=30, colour=(200, 40, 30)):
  """A file with one stroke of a colour on a transparent sheet."""
  hints = np.zeros([height, width, 4], np.uint8)
  hints[: height // 2, : width // 3] = *colour, 255
  return encoded(hints)


def encoded(values):
  return pyvips.Image.new_from_array(values).pngsave_buffer()


def uploaded(page):
  return page.post('/api/pictures?name=a.png', content=web.picture()).json()


def test_a_job_colours_as_the_command_line_does(folder, page, tmp_path, capsys):
  (tmp_path / 'a.png').write_bytes(web.picture())
  (tmp_path / 'hints.png').write_bytes(strokes())
  command.main(
    [
      str(tmp_path / 'a.png'),
      f'--output={tmp_path / "out"}',
      f'--weights={folder}/colorize.safetensors',
      f'--hints={tmp_path / "hints.png"}',
    ]
  )
  capsys.readouterr()
  picture = uploaded(page)
  url = f'/api/pictures/{picture["id"]}'
  assert not picture['hints']
  assert page.get(f'{url}/hints').status_code == 404
  for colour in ((0, 0, 255), (200, 40, 30)):  # The latter replace the former.
    answer = page.put(
      f'{url}/hints?name=my.png', content=strokes(colour=colour)
    )
    assert answer.status_code == 204
  assert page.get(url).json()['hints']
  assert page.get(f'{url}/hints').content == strokes()
  job = page.post(
    f'/api/jobs?steps=colorize&hints=true&picture={picture["id"]}'
  ).json()
  # Other hints that come meanwhile are those of the next job.
  page.put(f'{url}/hints', content=strokes(colour=(0, 255, 0)))
  state = web.wait(page, job)
  assert state['state'] == 'done', state
  assert state['hints'] and state['result']['made']['hints']
  out = page.get(f'/api/jobs/{job["id"]}/result').content
  assert out == (tmp_path / 'out' / 'a.png').read_bytes()
  report = page.get(f'/api/jobs/{job["id"]}/report')
  assert json.loads(report.content)['hints'] == 'my.png'
  assert 'artjax_web' not in report.text
  # Without them it is another picture.
  plain = page.post(f'/api/jobs?steps=colorize&picture={picture["id"]}').json()
  assert 'hints' not in web.wait(page, plain)['result']['made']
  assert page.get(f'/api/jobs/{plain["id"]}/result').content != out
  # Nothing of them is left when their picture goes.
  for entry in page.get('/api/pictures').json():
    page.delete(f'/api/pictures/{entry["id"]}')
  assert page.app.state.store.used == 0 and not web.on_disk(page)


def test_hints_that_cannot_be_used_are_refused(page):
  picture = uploaded(page)
  put = lambda data: page.put(
    f'/api/pictures/{picture["id"]}/hints?name=h.png', content=data
  )
  for data, status, reason in (
    (web.picture(), 422, 'no transparency'),
    (strokes(20, 20), 422, 'not the same picture'),
    (strokes(colour=(0, 0, 0))[:80], 422, 'h.png'),
    (encoded(np.zeros([20, 30, 4], np.uint8)), 422, 'holds'),
    (b'no picture', 415, 'not a picture'),
  ):
    answer = put(data)
    assert answer.status_code == status, (answer.text, reason)
    assert reason in answer.json()['error']
  assert not page.get(f'/api/pictures/{picture["id"]}').json()['hints']
  ask = lambda query: page.post(f'/api/jobs?{query}&picture={picture["id"]}')
  for query, reason in (
    ('steps=colorize&hints=true', 'none were given'),
    ('steps=restore&hints=true', 'does not colorize'),
  ):
    answer = ask(query)
    assert answer.status_code == 422 and reason in answer.json()['error']
  # Others have no part in it.
  other = web.another(page)
  assert put(strokes()).status_code == 204
  url = f'/api/pictures/{picture["id"]}/hints'
  assert other.get(url).status_code == 404
  assert other.put(url, content=strokes()).status_code == 404
