"""The API of the web page, from upload to download, and its queue."""

import json
import re
import time

from conftest import vivid_colours
import pyvips
import web_client as web

from artjax.interop import safetensors_io
from artjax.restoration import command
from artjax.restoration import options
from artjax.web.server import abilities
from artjax.web.server import app
from artjax.web.server import jobs as jobs_lib
from artjax.web.server import strings


def deep_tiff(path):
  """A TIFF of 16 bits with a profile, text and a resolution."""
  ramp = pyvips.Image.xyz(50, 40)[0] * 1300
  image = (
    ramp.bandjoin([ramp * 0.5 + 9000, ramp * 0.2])
    .cast('ushort')
    .copy(interpretation='rgb16', xres=11.8, yres=11.8)
  )
  image.set_type(pyvips.GValue.blob_type, 'xmp-data', b'<x:xmpmeta/>')
  image.tiffsave(str(path), profile='p3')


def test_the_download_is_the_file_of_the_command_line(
  tmp_path, folder, page, capsys
):
  # 16 bits, profile, metadata: byte for byte.
  source = tmp_path / 'scan.tif'
  deep_tiff(source)
  command.main(
    [
      str(source),
      '-o',
      str(tmp_path / 'out'),
      f'--weights={folder}/unet.safetensors',
      '--strength=0.7',
      '--change_map',
    ]
  )
  capsys.readouterr()
  job = page.post(
    '/api/jobs?steps=restore&name=scan.tif&strength=0.7',
    content=source.read_bytes(),
  ).json()
  state = web.wait(page, job)
  assert state['state'] == 'done'
  out = page.get(f'/api/jobs/{job["id"]}/result')
  assert out.content == (tmp_path / 'out' / 'scan.tif').read_bytes()
  assert out.headers['content-type'] == 'image/tiff'
  assert 'scan_restore.tif' in out.headers['content-disposition']
  change = page.get(f'/api/pictures/{state["result"]["id"]}/change')
  assert change.content == (tmp_path / 'out' / 'scan.change.png').read_bytes()


def test_the_report_names_the_persons_files_alone(page):
  job = page.post(
    '/api/jobs?steps=restore&name=a.png', content=web.picture()
  ).json()
  web.wait(page, job)
  out = page.get(f'/api/jobs/{job["id"]}/report')
  report = json.loads(out.content)
  assert (report['source'], report['output']) == ('a.png', 'a_restore.png')
  assert report['weights'][0]['name'] == 'unet'
  assert report['options']['strength'] == 1.0 and report['output_sha256']
  assert 'artjax_web' not in out.text


def test_a_jpeg_comes_back_lossless(page):
  job = page.post(
    '/api/jobs?steps=restore&name=a.jpeg&strength=0',
    content=web.picture(suffix='.jpg'),
  ).json()
  assert web.wait(page, job)['result']['format'] == 'PNG'
  result = pyvips.Image.new_from_buffer(
    page.get(f'/api/jobs/{job["id"]}/result').content, ''
  )
  source = pyvips.Image.new_from_buffer(web.picture(suffix='.jpg'), '')
  assert (result - source).abs().max() == 0


def test_results_are_inputs_and_history(page):
  first = page.post('/api/pictures?name=b.png', content=web.picture()).json()
  ids = [first['id']]
  for _ in range(2):
    job = page.post(f'/api/jobs?steps=restore&picture={ids[-1]}').json()
    result = web.wait(page, job)['result']
    assert result['origin'] == ids[-1]
    assert result['made'] == {
      'steps': ['restore'],
      'strength': 1.0,
      'structure': 1.0,
      'self_ensemble': False,
      'engine': 'jax',
    }
    ids.append(result['id'])
  assert [p['id'] for p in page.get('/api/pictures').json()][-3:] == ids
  assert page.delete(f'/api/pictures/{ids[0]}').status_code == 204
  assert page.get(f'/api/pictures/{ids[0]}').status_code == 404
  assert page.get(f'/api/pictures/{ids[1]}').status_code == 200


def test_tiles_are_the_picture(page):
  data = web.picture(700, 900)
  key = page.post('/api/pictures', content=data).json()['id']
  source = pyvips.Image.new_from_buffer(data, '')
  tile = lambda level, x, y: page.get(
    f'/api/pictures/{key}/tiles/picture/{level}/{x}_{y}.png'
  )
  crop = pyvips.Image.new_from_buffer(tile(1, 1, 1).content, '')
  assert (crop.width, crop.height) == (388, 188)
  assert (crop - source.crop(512, 512, 388, 188)).abs().max() == 0
  whole = pyvips.Image.new_from_buffer(tile(0, 0, 0).content, '')
  assert (whole.width, whole.height) == (450, 350)
  assert tile(2, 0, 0).status_code == tile(1, 2, 0).status_code == 404
  assert (
    page.get(f'/api/pictures/{key}/tiles/change/0/0_0.png').status_code == 404
  )
  assert page.get(f'/api/pictures/{key}/report').status_code == 404


def test_the_view_is_in_srgb(tmp_path, page):
  deep_tiff(tmp_path / 'p3.tif')
  key = page.post(
    '/api/pictures', content=(tmp_path / 'p3.tif').read_bytes()
  ).json()['id']
  tile = pyvips.Image.new_from_buffer(
    page.get(f'/api/pictures/{key}/tiles/picture/0/0_0.png').content, ''
  )
  expected = pyvips.Image.new_from_file(str(tmp_path / 'p3.tif')).icc_transform(
    'srgb', depth=8, intent='relative', black_point_compensation=True
  )
  assert tile.format == 'uchar' and (tile - expected).abs().max() <= 1


def test_uncertainty_comes_with_the_ensemble(page):
  job = page.post(
    '/api/jobs?steps=restore&self_ensemble=true', content=web.picture()
  ).json()
  result = web.wait(page, job)['result']
  assert result['layers'] == ['change', 'uncertainty']
  for layer in result['layers']:
    tile = page.get(f'/api/pictures/{result["id"]}/tiles/{layer}/0/0_0.png')
    assert pyvips.Image.new_from_buffer(tile.content, '').bands == 4


def events(found, job):
  text = found.get(f'/api/jobs/{job["id"]}/events').text
  return [json.loads(line[6:]) for line in text.splitlines() if line]


def test_events_tell_of_every_tile_and_the_rest(page):
  job = page.post(
    '/api/jobs?steps=restore', content=web.picture(2000, 300)
  ).json()
  states = events(page, job)
  assert states[-1]['state'] == 'done'
  tiles = [s['done'] for s in states if s['state'] == 'running']
  assert (
    tiles == sorted(tiles) and states[-1]['done'] == states[-1]['total'] > 1
  )
  assert {'id', 'place', 'eta', 'cold', 'reason'} <= set(states[0])


def test_the_queue_has_places_and_an_end(folder):
  with web.client(folder, queue=2) as page:
    large = page.post('/api/pictures', content=web.picture(3000, 900)).json()
    submit = lambda: page.post(f'/api/jobs?steps=restore&picture={large["id"]}')
    running = submit().json()
    while page.get(f'/api/jobs/{running["id"]}').json()['state'] == 'queued':
      time.sleep(0.01)
    waiting = [submit().json() for _ in range(2)]
    assert [job['place'] for job in waiting] == [1, 2]
    out = submit()
    assert out.status_code == 429 and '2 jobs wait' in out.json()['error']
    assert out.headers['retry-after']
    cancel = lambda job: page.post(f'/api/jobs/{job["id"]}/cancel').json()
    assert cancel(waiting[0])['state'] == 'cancelled'
    assert page.get(f'/api/jobs/{waiting[1]["id"]}').json()['place'] == 1
    assert page.delete(f'/api/pictures/{large["id"]}').status_code == 409
    assert page.get(f'/api/jobs/{waiting[1]["id"]}/result').status_code == 409
    # One that runs ends within a tile, with nothing left of it.
    assert cancel(running)['stopping']
    state = web.wait(page, running)
    assert state['state'] == 'cancelled' and state['result'] is None
    cancel(waiting[1])
    assert web.wait(page, waiting[1])['state'] == 'cancelled'
    assert page.delete(f'/api/pictures/{large["id"]}').status_code == 204
    assert page.app.state.store.used == 0


def test_a_closed_page_ends_its_jobs(folder):
  with web.client(folder, leave=0.2) as page:
    data = web.picture(3000, 900)
    tied = page.post('/api/jobs?steps=restore&tied=true', content=data).json()
    free = page.post('/api/jobs?steps=restore', content=web.picture()).json()
    assert web.wait(page, tied)['state'] == 'cancelled'
    assert web.wait(page, free)['state'] == 'done'
    # With its events followed it is done.
    tied = page.post(
      '/api/jobs?steps=restore&tied=true', content=web.picture()
    ).json()
    assert events(page, tied)[-1]['state'] == 'done'


def test_eta_is_by_tiles(monkeypatch):
  now = [100.0]
  monkeypatch.setattr(jobs_lib.time, 'monotonic', lambda: now[0])
  job = jobs_lib.Job(None, None, ['restore'], {})
  assert job.eta() is None
  # The first tile may have been compiled: it does not count.
  job.progress({'event': 'progress', 'done': 1, 'total': 11})
  assert job.eta() is None
  now[0] += 6
  job.progress({'event': 'progress', 'done': 4, 'total': 11})
  assert job.eta() == 14.0


def test_abilities_appear_with_their_weights(tmp_path):
  with web.client(tmp_path) as page:
    table = lambda: {
      a['name']: a for a in page.get('/api/abilities').json()['abilities']
    }
    assert not any(a['available'] for a in table().values())
    assert all(a['about'] for a in table().values())
    assert all(a['train'] for a in table().values())
    web.save_weights(tmp_path)
    assert table()['restore']['available']
    assert table()['restore']['weights'] == 'unet'
    web.save_weights(tmp_path, 'colorize')
    # Chains of them run in the order given.
    job = page.post(
      '/api/jobs?steps=restore,colorize&name=a.png', content=web.picture()
    ).json()
    result = web.wait(page, job)['result']
    assert result['name'] == 'a_restore_colorize.png'
  assert [a.name for a in abilities.ABILITIES] == [
    'detect',
    'fill',
    'stains',
    'restore',
    'tone',
    'colorize',
    'sketch',
    'upscale',
  ]


def test_the_first_click_is_warm(folder):
  with web.client(folder, warm=True) as page:
    key = page.post('/api/pictures', content=web.picture()).json()['id']
    queue = page.app.state.queue
    deadline = time.monotonic() + 120
    while queue.warming and time.monotonic() < deadline:
      time.sleep(0.05)
    job = page.post(f'/api/jobs?steps=restore&picture={key}').json()
    states = events(page, job)
    assert states[-1]['state'] == 'done', states[-1]
    assert not any(state['cold'] for state in states)
    # Another size is not.
    job = page.post('/api/jobs?steps=restore', content=web.picture(140, 9))
    assert any(state['cold'] for state in events(page, job.json()))


def test_jobs_go_on_where_warming_fails(tmp_path, monkeypatch, capsys):
  (tmp_path / 'unet.safetensors').write_bytes(b'no weights')
  with web.client(tmp_path, warm=True) as page:
    job = page.post('/api/jobs?steps=restore', content=web.picture()).json()
    assert web.wait(page, job)['state'] == 'failed'
    ask = page.app.state.queue.runner.ask

    async def no_process(request, *rest):
      if request['op'] == 'warm':
        raise PermissionError('no process')
      return await ask(request, *rest)

    monkeypatch.setattr(page.app.state.queue.runner, 'ask', no_process)
    web.save_weights(tmp_path)
    key = page.post('/api/pictures', content=web.picture()).json()['id']
    job = page.post(f'/api/jobs?steps=restore&picture={key}').json()
    assert web.wait(page, job)['state'] == 'done'
  err = capsys.readouterr().err
  assert 'artjax: loading networks: no process' in err


def test_tones_are_corrected(tmp_path):
  with web.client(web.save_tone_weights(tmp_path), warm=True) as page:
    key = page.post('/api/pictures', content=web.picture()).json()['id']
    job = page.post(f'/api/jobs?steps=tone&picture={key}').json()
    state = web.wait(page, job)
    assert state['state'] == 'done', state
    assert state['result']['made']['tone'] == 1


def test_what_is_colorized_has_a_saturation(tmp_path):
  config, params = vivid_colours()
  safetensors_io.save(str(tmp_path / 'colorize.safetensors'), params, config)
  with web.client(tmp_path) as page:
    colours = []
    for saturation in (0, 2):
      job = page.post(
        f'/api/jobs?steps=colorize&saturation={saturation}',
        content=web.picture(),
      ).json()
      state = web.wait(page, job)
      assert state['state'] == 'done', state
      assert state['result']['made']['saturation'] == saturation
      picture = pyvips.Image.new_from_buffer(
        page.get(f'/api/jobs/{job["id"]}/result').content, ''
      )
      colours.append((picture[0] - picture[2]).abs().max())
  assert colours[0] <= 1 < colours[1]


def test_the_page_is_small_and_whole(page):
  sizes = {
    path: len(page.get(path).content)
    for path in app.FILES
    if path != '/example.jpg'
  }
  # A browser loads one of the tables of words.
  words = max(
    len(page.get(f'/strings/{language}.json').content)
    for language in strings.LANGUAGES
  )
  assert all(sizes.values()) and sum(sizes.values()) + words <= 150_000
  out = page.post('/api/pictures', content=page.get('/example.jpg').content)
  assert out.status_code == 201


def test_the_modules_of_the_page_are_asked_for_at_once(page):
  html = page.get('/').text
  wanted, seen = ['/app.js'], set()
  while wanted:
    path = wanted.pop()
    if path not in seen:
      seen.add(path)
      wanted += re.findall(
        r"^import .* from '(.+)';", page.get(path).text, re.M
      )
  early = re.findall(r'"modulepreload" href="(.+)"', html)
  assert sorted(early) == sorted(seen - {'/app.js'})
  lines = {path: page.get(path).text.count('\n') for path in app.FILES}
  assert max(lines.values()) <= 400, lines


def test_the_api_describes_itself(page):
  spec = page.get('/api/openapi.json').json()
  assert '/api/jobs' in spec['paths'] and '/' not in spec['paths']
  post = spec['paths']['/api/jobs']['post']
  assert 'octet-stream' in json.dumps(post)
  # Its query is the declaration of the options, and so is the page's form.
  query = {p['name']: p['schema'] for p in post['parameters']}
  declared = page.get('/api/abilities').json()['options']
  assert declared == options.describe()
  assert list(query)[-len(declared) :] == [o['name'] for o in declared]
  assert query['threshold']['exclusiveMaximum'] == 1
  assert query['saturation']['maximum'] == 2
  assert [o['default'] for o in declared] == [
    query[o['name']]['default'] for o in declared
  ]
