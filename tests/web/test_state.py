"""What sessions hold is read and changed in one thread, so it is consistent."""

import asyncio
import json
import threading

import web_client as web

from artjax.web.server import jobs as jobs_lib
from artjax.web.server import store as store_lib
from artjax.web.server.routes import jobs as job_routes


def test_a_list_of_pictures_survives_an_upload(folder, monkeypatch):
  plain, uploads = store_lib.Entry.describe, []
  with web.client(folder) as page:
    page.post('/api/pictures', content=web.picture())

    def describe(entry):
      """An upload comes in while the pictures are listed."""
      if threading.current_thread() not in uploads and not uploads:
        upload = threading.Thread(
          target=page.post,
          args=['/api/pictures'],
          kwargs={'content': web.picture()},
        )
        uploads.append(upload)
        upload.start()
        upload.join(timeout=2)
      return plain(entry)

    page.post('/api/pictures', content=web.picture())
    monkeypatch.setattr(store_lib.Entry, 'describe', describe)
    out = page.get('/api/pictures')
    assert out.status_code == 200 and len(out.json()) == 2
    uploads[0].join()
    assert len(page.get('/api/pictures').json()) == 3


def test_every_route_uses_the_store_in_the_same_thread(folder, monkeypatch):
  threads = set()

  def recorded(name):
    plain = getattr(store_lib.Store, name)

    def method(*args, **options):
      threads.add(threading.get_ident())
      return plain(*args, **options)

    monkeypatch.setattr(store_lib.Store, name, method)

  for name in ('session', 'start_session', 'add', 'take', 'keep', 'drop'):
    recorded(name)
  with web.client(folder) as page:
    job = page.post('/api/jobs?steps=restore', content=web.picture()).json()
    state = web.wait(page, job)
    key = state['result']['id']
    assert page.post(f'/api/jobs/{job["id"]}/cancel').status_code == 200
    for end in ('', '/report', '/mask', '/result', '/events'):
      page.get(f'/api/jobs/{job["id"]}{end}')
    for end in ('', '/file', '/report', '/change', '/uncertainty', '/mask'):
      page.get(f'/api/pictures/{key}{end}')
    for end in ('/damage', '/damage/view', '/tiles/picture/0/0_0.png'):
      page.get(f'/api/pictures/{key}{end}')
    assert page.delete(f'/api/pictures/{key}').status_code == 204
    assert len(page.get('/api/pictures').json()) == 1
    assert len(threads) == 1


def test_weights_may_lie_in_a_folder_of_any_name(tmp_path):
  folder = tmp_path / 'a,b+c:d @0.5'
  folder.mkdir()
  with web.client(web.save_weights(folder)) as page:
    job = page.post('/api/jobs?steps=restore', content=web.picture()).json()
    state = web.wait(page, job)
    assert state['state'] == 'done', state
    report = page.get(f'/api/jobs/{job["id"]}/report').json()
    assert report['weights'][0]['name'] == 'unet'


def test_the_end_of_a_job_is_told_however_late_what_came_before_is_sent():
  async def told():
    job = jobs_lib.Job(None, store_lib.Entry('a', '', '', ''), ['detect'], {})
    job.update(state='finishing')
    parts = (await job_routes.get_events(job)).body_iterator
    states = [await anext(parts)]
    job.update(state='done')  # while that is being sent
    async with asyncio.timeout(5):
      states += [part async for part in parts]
    return [json.loads(state[6:])['state'] for state in states]

  assert asyncio.run(told()) == ['finishing', 'done']
