"""Damage by the API of the page: found, shown, filled where a mask says so."""

import json
import os

import cv2
import numpy as np
import pytest
import web_client as web

from artjax import atomic_files
from artjax.image_io import previews
from artjax.restoration import command
from artjax.restoration.masks import damage_map
from artjax.restoration.options import Options

SIZE = 60, 90
PICTURE = web.soft_picture(*SIZE)


@pytest.fixture(name='folder', scope='module')
def folder_fixture(tmp_path_factory):
  return web.save_damage_weights(tmp_path_factory.mktemp('weights'))


@pytest.fixture(name='page', scope='module')
def page_fixture(folder):
  with web.client(folder) as found:
    yield found


def mask_file(*boxes, size=SIZE, value=255, suffix='.png'):
  """The bytes of a mask with boxes (top, left, height, width)."""
  levels = np.zeros(size, np.uint8)
  for y, x, h, w in boxes:
    levels[y : y + h, x : x + w] = value
  return atomic_files.encode(np.stack([levels] * 3, -1), suffix)


def pixels(answer):
  assert answer.status_code == 200, answer.text
  return cv2.imdecode(
    np.frombuffer(answer.content, np.uint8), cv2.IMREAD_UNCHANGED
  )


def upload(page, data=PICTURE, name='scan.png'):
  return page.post(f'/api/pictures?name={name}', content=data).json()['id']


def fill(page, key, mask, more=''):
  return page.post(f'/api/jobs?steps=fill&picture={key}{more}', content=mask)


def run(folder, tmp_path, capsys, *args):
  """What `artjax restore` makes of the picture, as {name: bytes}."""
  (tmp_path / 'scan.png').write_bytes(PICTURE)
  out = tmp_path / 'out'
  status = command.main([str(tmp_path / 'scan.png'), '-o', str(out), *args])
  capsys.readouterr()
  assert status == 0
  return {path.name: path.read_bytes() for path in out.iterdir()}


def test_what_is_found_is_the_map_of_the_command_line(
  tmp_path, folder, page, capsys
):
  want = run(
    folder,
    tmp_path,
    capsys,
    f'--weights={folder}/detect.safetensors',
    '--save_mask',
  )
  key = upload(page)
  assert page.get(f'/api/pictures/{key}').json()['damage'] == {}
  assert page.get(f'/api/pictures/{key}/damage/view').status_code == 404
  job = page.post(f'/api/jobs?steps=detect&picture={key}').json()
  state = web.wait(page, job)
  assert state['state'] == 'done', state
  # It belongs to the picture: no other was made.
  assert state['result']['id'] == key and not state['mask']
  assert [p['id'] for p in page.get('/api/pictures').json()].count(key) == 1
  probabilities = pixels(page.get(f'/api/pictures/{key}/damage'))[..., ::-1]
  np.testing.assert_array_equal(
    probabilities,
    cv2.imdecode(
      np.frombuffer(want['scan.damage.png'], np.uint8), cv2.IMREAD_COLOR
    )[..., ::-1],
  )
  view = page.get(f'/api/pictures/{key}/damage/view')
  np.testing.assert_array_equal(pixels(view)[..., ::-1], probabilities)
  assert state['result']['drawing'] == [90, 60]
  threshold = Options().mask_threshold
  shares = damage_map.shares(
    damage_map.binary(probabilities, threshold, min_area=12)
  )
  assert state['result']['damage']['share'] == {
    part: round(share, 6) for part, share in shares.items()
  }
  got = page.get(f'/api/jobs/{job["id"]}/result')
  assert 'scan.damage.png' in got.headers['content-disposition']
  report = page.get(f'/api/jobs/{job["id"]}/report').json()
  assert report['weights'][0]['name'] == 'detect' and report['damage']
  assert report['source'] == 'scan.png' and 'output' not in report
  assert page.get(f'/api/jobs/{job["id"]}/mask').status_code == 404
  # It is counted, and goes with the picture.
  assert page.app.state.store.used >= len(got.content)


@pytest.mark.parametrize('threshold', [0.4, 0.55])
def test_without_a_mask_it_finds_by_itself(
  tmp_path, folder, page, capsys, threshold
):
  want = run(
    folder,
    tmp_path,
    capsys,
    '--save_mask',
    f'--mask_threshold={threshold}',
    f'--weights={folder}/detect.safetensors,{folder}/inpaint.safetensors',
  )
  job = page.post(
    f'/api/jobs?steps=fill&threshold={threshold}&name=scan.png', content=PICTURE
  ).json()
  state = web.wait(page, job)
  assert state['state'] == 'done', state
  assert page.get(f'/api/jobs/{job["id"]}/result').content == want['scan.png']
  mask = page.get(f'/api/jobs/{job["id"]}/mask')
  assert mask.content == want['scan.mask.png']
  share = state['result']['damage']
  assert share == {} and state['result']['mask']  # of the source, not of it
  source = page.get(f'/api/pictures/{job["picture"]}').json()
  assert source['damage']['threshold'] == threshold and not source['mask']
  probabilities = pixels(page.get(f'/api/pictures/{job["picture"]}/damage'))
  probabilities[..., 0] = 0  # BGR: stains, which are not filled
  np.testing.assert_array_equal(
    pixels(mask) > 0,
    damage_map.binary(
      np.ascontiguousarray(probabilities), threshold, min_area=12, dilate=2
    ).any(-1),
  )


def test_unknown_kinds_of_damage_are_refused_at_once(page):
  answer = page.post('/api/jobs?steps=fill&kinds=dents', content=PICTURE)
  assert answer.status_code == 422
  assert "'dents' is no kind of damage" in answer.text


def test_with_a_mask_it_is_the_file_of_the_command_line(
  tmp_path, folder, page, capsys
):
  data = mask_file((10, 20, 15, 30))
  (tmp_path / 'holes.png').write_bytes(data)
  want = run(
    folder,
    tmp_path,
    capsys,
    f'--mask={tmp_path}/holes.png',
    '--save_mask',
    f'--weights={folder}/inpaint.safetensors',
  )
  job = fill(page, upload(page), data, '&name=holes.png').json()
  assert job['mask']
  state = web.wait(page, job)
  assert state['result']['made'] == {
    'steps': ['fill'],
    'strength': 1.0,
    'self_ensemble': False,
    'engine': 'jax',
    'threshold': 0.5,
    'kinds': 'thin,opaque',
    'mask': True,
  }
  got = page.get(f'/api/jobs/{job["id"]}/result')
  assert got.content == want['scan.png']
  assert (
    page.get(f'/api/pictures/{state["result"]["id"]}/mask').content
    == (want['scan.mask.png'])
  )
  source = cv2.imdecode(np.frombuffer(PICTURE, np.uint8), cv2.IMREAD_COLOR)
  outside = pixels(page.get(f'/api/jobs/{job["id"]}/mask')) == 0
  np.testing.assert_array_equal(pixels(got)[outside], source[outside])
  assert (pixels(got)[12:20, 24:44] != source[12:20, 24:44]).any()


def test_grey_masks_are_cut_at_the_threshold(page):
  data = mask_file((10, 20, 15, 30), value=150)
  shares = []
  for threshold in (0.5, 0.7):
    job = fill(page, upload(page), data, f'&threshold={threshold}').json()
    state = web.wait(page, job)
    mask = pixels(page.get(f'/api/jobs/{job["id"]}/mask'))
    shares.append(int((mask > 0).sum()))
    assert any(
      n.startswith(
        ('8% of the mask mask.png are grey', 'the mask mask.png is empty')
      )
      for n in page.get(f'/api/jobs/{job["id"]}/report').json()['notices']
    ), state
  assert shares == [450, 0]


def test_a_mask_is_made_as_large_as_the_picture(page):
  mask = mask_file((5, 10, 8, 15), size=(30, 45))
  job = fill(page, upload(page), mask).json()
  web.wait(page, job)
  mask = pixels(page.get(f'/api/jobs/{job["id"]}/mask'))
  assert mask.shape == SIZE and mask[12:24, 22:48].min() == 255
  report = page.get(f'/api/jobs/{job["id"]}/report').json()
  assert report['notices'] == ['the mask mask.png is 45 x 30 px: resized']


def test_masks_go_with_their_jobs(page):
  key, store = upload(page), page.app.state.store
  before, used = set(os.listdir(store.root)), store.used
  job = fill(page, key, mask_file((5, 5, 5, 5))).json()
  listed = page.get('/api/pictures').json()
  assert len(listed) == len({p['id'] for p in listed})
  result = web.wait(page, job)['result']['id']
  assert set(os.listdir(store.root)) == before | {result}
  for wrong in (mask_file((0, 0, *SIZE)), b'no picture at all', PICTURE[:900]):
    assert fill(page, key, wrong).status_code in (415, 422)
  assert (
    page.post(
      f'/api/jobs?steps=detect&picture={key}', content=mask_file((5, 5, 5, 5))
    ).status_code
    == 422
  )
  page.delete(f'/api/pictures/{result}')
  assert set(os.listdir(store.root)) == before and store.used == used


@pytest.mark.parametrize(
  'mask, status, message',
  [
    (
      b'<svg xmlns="http://www.w3.org/2000/svg"/>' + bytes(40),
      415,
      'holes.png: not a picture of a format',
    ),
    (b'\x89PNG\r\n\x1a\n' + bytes(90), 422, 'holes.png'),
    (PICTURE[:2000], 422, 'holes.png'),
    (
      mask_file(size=(90, 60)),
      422,
      'holes.png: the mask is 60 x 90 px and the picture 90 x 60 px',
    ),
    (mask_file((0, 0, 60, 90)), 422, 'covers the whole picture'),
  ],
  ids=['svg', 'damaged', 'torn', 'shape', 'all'],
)
def test_masks_that_are_none_are_refused(page, mask, status, message):
  out = fill(page, upload(page), mask, '&name=holes.png')
  assert out.status_code == status and message in out.json()['error']
  assert 'artjax_web' not in out.text and '\n' not in out.json()['error']


def test_masks_have_the_limits_of_pictures(folder):
  with web.client(folder, pixels=10_000, side=300, upload=50_000) as page:
    key = upload(page)
    large = fill(page, key, mask_file(size=(120, 180)))
    assert large.status_code == 422 and 'are more' in large.json()['error']
    wide = fill(page, key, mask_file(size=(20, 301)))
    assert wide.status_code == 422 and 'longer than' in wide.json()['error']
    long = fill(page, key, PICTURE + bytes(50_000))
    assert long.status_code == 413
    # Whatever it says of its length.
    stream = fill(page, key, iter([PICTURE, bytes(50_000)]))
    assert stream.status_code == 413
    assert len(os.listdir(page.app.state.store.root)) == 2  # and scratch


def test_damage_and_masks_of_others_are_not_there(page):
  key = upload(page)
  job = page.post(f'/api/jobs?steps=detect&picture={key}').json()
  filled = fill(page, key, mask_file((5, 5, 5, 5))).json()
  web.wait(page, job)
  result = web.wait(page, filled)['result']['id']
  other = web.another(page)
  upload(other)
  for path in (
    f'pictures/{key}/damage',
    f'pictures/{key}/damage/view',
    f'pictures/{result}/mask',
    f'jobs/{job["id"]}/result',
    f'jobs/{filled["id"]}/mask',
  ):
    assert page.get(f'/api/{path}').status_code == 200, path
    assert other.get(f'/api/{path}').status_code == 404, path
  assert fill(other, key, mask_file((5, 5, 5, 5))).status_code == 404


def test_each_weight_by_itself(tmp_path, folder):
  (tmp_path / 'inpaint.safetensors').symlink_to(f'{folder}/inpaint.safetensors')
  with web.client(tmp_path) as page:
    table = {
      a['name']: a['available']
      for a in page.get('/api/abilities').json()['abilities']
    }
    assert table['fill'] and not table['detect']
    key = upload(page)
    out = page.post(f'/api/jobs?steps=fill&picture={key}')
    assert out.status_code == 422 and 'needs a mask' in out.json()['error']
    out = page.post('/api/jobs?steps=fill', content=PICTURE)
    assert out.status_code == 422 and 'needs a mask' in out.json()['error']
    job = fill(page, key, mask_file((5, 5, 5, 5))).json()
    assert web.wait(page, job)['state'] == 'done'


def test_chains_take_a_mask_along(tmp_path, folder):
  web.save_weights(tmp_path)
  for name in ('detect', 'inpaint'):
    (tmp_path / f'{name}.safetensors').symlink_to(
      f'{folder}/{name}.safetensors'
    )
  with web.client(tmp_path) as page:
    key = upload(page)
    job = page.post(
      f'/api/jobs?steps=restore,fill&picture={key}',
      content=mask_file((5, 5, 5, 5)),
    ).json()
    result = web.wait(page, job)['result']
    assert result['name'] == 'scan_restore_fill.png' and result['mask']
    job = page.post(f'/api/jobs?steps=restore,fill&picture={key}').json()
    assert web.wait(page, job)['state'] == 'done'
    weights = page.get(f'/api/jobs/{job["id"]}/report').json()['weights']
    assert [w['name'] for w in weights] == ['unet', 'detect', 'inpaint']
    # What was found was not found in the picture as it came.
    assert page.get(f'/api/pictures/{key}').json()['damage'] == {}
    out = page.post(f'/api/jobs?steps=restore,detect&picture={key}')
    assert out.status_code == 422 and 'alone' in out.json()['error']


def test_a_picture_that_goes_while_its_mask_comes(page, monkeypatch):
  key, app = upload(page), page.app.state
  check = app.queue.check_mask

  async def slow(entry, source, threshold):
    session = next(s for s in app.store._sessions.values() if key in s.pictures)
    app.store.drop(source, session)  # as another request does
    return await check(entry, source, threshold)

  before = set(os.listdir(app.store.root)) - {key}
  monkeypatch.setattr(app.queue, 'check_mask', slow)
  out = fill(page, key, mask_file((5, 5, 5, 5)))
  assert out.status_code == 404
  assert set(os.listdir(app.store.root)) == before


@pytest.mark.parametrize(
  'size, drawn',
  [
    ((600, 400), (600, 400)),
    ((2048, 100), (2048, 100)),
    ((4096, 1000), (2048, 500)),
    ((3000, 9001), (683, 2048)),
    ((20_000, 50), (12_800, 32)),
    ((3, 1), (3, 1)),
  ],
)
def test_masks_are_drawn_at_a_bounded_size(size, drawn):
  assert previews.drawing(*size) == drawn


def test_no_crack_is_lost_where_the_map_is_made_small(tmp_path):
  probabilities = np.zeros([1000, 4100, 3], np.uint8)
  probabilities[500, :, 0] = 200
  probabilities[:, 3001, 2] = 90
  atomic_files.write_picture(str(tmp_path / 'damage.png'), probabilities)
  previews.save_damage(str(tmp_path / 'damage.png'), str(tmp_path / 'v.png'))
  view = cv2.imread(str(tmp_path / 'v.png'))[..., ::-1]
  assert view.shape == (500, 2048, 3)
  np.testing.assert_array_equal(view[..., 0].max(0), np.full(2048, 200))
  np.testing.assert_array_equal(view[..., 2].max(1), np.full(500, 90))
  assert (view > 0).sum() == 2048 + 500
  assert not list(tmp_path.glob('*.part'))


def test_the_report_of_what_was_found_names_no_path(page):
  job = page.post('/api/jobs?steps=detect&name=a.png', content=PICTURE).json()
  web.wait(page, job)
  text = page.get(f'/api/jobs/{job["id"]}/report').text
  assert 'artjax_web' not in text and json.loads(text)['steps'] == ['detect']
