"""The page in a real browser: from upload to download, by mouse and keyboard.

  make test-web

Needs Debian's chromium and the package playwright; skipped without them.
"""

import pathlib
import re
import shutil
import signal
import subprocess
import sys
import urllib.parse

from conftest import ROOT
import cv2
import numpy as np
import pytest
import web_client as web

from artjax import atomic_files
from artjax.restoration import damage_map

playwright = pytest.importorskip(
  'playwright.sync_api', reason='needs playwright: make test-web'
)
CHROMIUM = shutil.which('chromium') or shutil.which('chromium-browser')
if not CHROMIUM:
  pytest.skip('needs chromium: make test-web', allow_module_level=True)
TIMEOUT = 120_000  # ms; on a busy machine networks compile for long


@pytest.fixture(scope='module')
def folder(tmp_path_factory):
  found = tmp_path_factory.mktemp('weights')
  web.save_damage_weights(found)
  return web.save_weights(found)


@pytest.fixture(scope='module')
def address(folder):
  process = subprocess.Popen(
    [sys.executable, 'scripts/serve.py', '--port=0', f'--weights={folder}'],
    cwd=ROOT,
    stdout=subprocess.PIPE,
    text=True,
  )
  try:
    yield re.search(r'http://\S+', process.stdout.readline())[0]
  finally:
    process.send_signal(signal.SIGINT)
    try:
      process.communicate(timeout=30)
    finally:
      process.kill()


@pytest.fixture(scope='module')
def browser():
  with playwright.sync_playwright() as library:
    found = library.chromium.launch(
      executable_path=CHROMIUM, args=['--no-sandbox']
    )
    yield found
    found.close()


@pytest.fixture
def page(browser, address):
  """A page that may neither fail nor ask anybody else."""
  context = browser.new_context(viewport={'width': 1280, 'height': 860})
  context.set_default_timeout(TIMEOUT)
  tab = context.new_page()
  wrong = []
  tab.on('pageerror', lambda error: wrong.append(str(error)))
  tab.on(
    'console',
    lambda message: (
      wrong.append(message.text) if 'Content Security' in message.text else None
    ),
  )
  own = urllib.parse.urlsplit(address).netloc
  tab.on(
    'request',
    lambda request: (
      wrong.append(request.url)
      if urllib.parse.urlsplit(request.url).netloc not in (own, '')
      else None
    ),
  )
  tab.goto(address)
  tab.wait_for_selector('[name=step]')
  yield tab
  context.close()
  assert not wrong


def upload(page, path):
  page.locator('.file').first.set_input_files(path)
  playwright.expect(page.locator('#name')).to_have_text(
    pathlib.Path(path).name, timeout=TIMEOUT
  )


def pixel(page, x, y):
  """Of the canvas, at shares of its width and height."""
  return page.evaluate(
    """([x, y]) => {
    const canvas = document.querySelector('#canvas');
    return [...canvas.getContext('2d').getImageData(
        x * canvas.width, y * canvas.height, 1, 1).data];}""",
    [x, y],
  )


def test_from_upload_to_download(page, folder, tmp_path):
  picture = np.random.default_rng(0).integers(0, 256, [500, 700, 3], np.uint8)
  source = tmp_path / 'painting.png'
  atomic_files.write_picture(str(source), picture)
  subprocess.run(
    [
      sys.executable,
      'scripts/restore.py',
      source,
      '-o',
      tmp_path / 'out',
      f'--weights={folder}/unet.safetensors',
    ],
    cwd=ROOT,
    check=True,
    capture_output=True,
  )
  upload(page, str(source))
  page.click('#run')
  page.wait_for_selector('#split:not([hidden])')
  assert page.locator('#name').inner_text() == 'painting_restore.png'
  with page.expect_download() as download:
    page.click('#get-file')
  download.value.save_as(tmp_path / 'got.png')
  assert download.value.suggested_filename == 'painting_restore.png'
  assert (tmp_path / 'got.png').read_bytes() == (
    tmp_path / 'out' / 'painting.png'
  ).read_bytes()
  # The slider by keyboard: what is under it changes sides.
  split = page.locator('#split')
  split.focus()
  assert float(split.input_value()) == 50
  page.wait_for_timeout(500)
  after = pixel(page, 0.6, 0.5)
  for _ in range(3):
    page.keyboard.press('PageUp')
  assert float(split.input_value()) == 80
  assert '80 %' in split.get_attribute('aria-valuetext')
  page.wait_for_timeout(200)
  before = pixel(page, 0.6, 0.5)
  assert before != after
  for _ in range(30):
    page.keyboard.press('ArrowLeft')
  page.wait_for_timeout(200)
  assert pixel(page, 0.6, 0.5) == after
  page.keyboard.down('o')
  page.wait_for_timeout(200)
  assert pixel(page, 0.6, 0.5) == before
  page.keyboard.up('o')
  # By mouse.
  box = page.locator('#frame').bounding_box()
  middle = box['x'] + box['width'] / 2, box['y'] + box['height'] / 2
  page.mouse.move(*middle)
  page.mouse.down()
  page.mouse.move(middle[0] + box['width'] / 4, middle[1])
  page.mouse.up()
  assert float(split.input_value()) == pytest.approx(76, abs=3)
  # The change as an overlay; to 800 % and back by keyboard.
  page.select_option('#overlay', 'change')
  assert page.locator('#legend').is_visible()
  page.focus('#canvas')
  for _ in range(20):
    page.keyboard.press('+')
  assert page.locator('#zoom').inner_text() == '800 %'
  page.keyboard.press('0')
  assert page.locator('#zoom').inner_text() == '100 %'
  # The history has both and brings the upload back, also after a reload.
  page.reload()
  picks = page.locator('#strip .pick')
  page.wait_for_selector('#strip .pick')
  assert picks.count() == 2
  picks.nth(0).click()
  assert page.locator('#name').inner_text() == 'painting.png'
  assert not split.is_visible()


def test_a_job_is_cancelled(page, tmp_path):
  picture = np.random.default_rng(1).integers(0, 256, [3000, 3000, 3], np.uint8)
  atomic_files.write_picture(str(tmp_path / 'large.png'), picture)
  upload(page, str(tmp_path / 'large.png'))
  page.click('#run')
  page.wait_for_selector('#job:not([hidden])')
  assert page.locator('#run').is_disabled()
  page.click('#cancel')
  page.wait_for_selector('#job', state='hidden')
  assert page.locator('#strip .pick').count() == 1
  assert page.locator('#run').is_enabled()
  assert not page.locator('#error').is_visible()


def test_what_is_wrong_is_said(page, tmp_path):
  (tmp_path / 'no.png').write_bytes(b'<svg xmlns="http://www.w3.org/2000/svg">')
  page.locator('.file').first.set_input_files(tmp_path / 'no.png')
  page.wait_for_selector('#error:not([hidden])')
  text = page.locator('#error').inner_text()
  assert text.startswith('no.png: not a picture')
  assert page.locator('summary').first.inner_text().endswith('not available')


@pytest.mark.parametrize('scheme', ['light', 'dark'])
@pytest.mark.parametrize('width', [320, 390, 640, 1280])
def test_it_fits_and_can_be_read(page, scheme, width):
  page.emulate_media(color_scheme=scheme)
  page.set_viewport_size({'width': width, 'height': 800})
  page.click('#example')
  page.wait_for_selector('#viewer:not([hidden])')
  page.wait_for_timeout(300)
  assert page.evaluate('document.documentElement.scrollWidth') <= width
  # Contrast AA of every text that is seen (WCAG 2.2, 1.4.3).
  low = page.evaluate("""() => {
    const parse = c => c.match(/[\\d.]+/g).map(Number);
    const light = ([r, g, b]) => [r, g, b].map(v => v / 255).map(
        v => v <= .04045 ? v / 12.92 : ((v + .055) / 1.055) ** 2.4)
        .reduce((sum, v, i) => sum + v * [.2126, .7152, .0722][i], 0);
    const low = [];
    for (const e of document.querySelectorAll('body *')) {
      const own = [...e.childNodes].some(n => n.nodeType === 3 &&
      n.data.trim()); if (!own || !e.checkVisibility() || e.disabled) continue;
      let back = e; while (back &&
      (parse(getComputedStyle(back).backgroundColor)[3] ?? 1) < .5)
        back = back.parentElement;
      const a = light(parse(getComputedStyle(e).color));
      const b = light(parse(getComputedStyle(back ||
      document.body).backgroundColor)); const ratio = (Math.max(a, b) + .05) /
      (Math.min(a, b) + .05); if (ratio < 4.5) low.push(`${e.tagName}#${e.id}
      ${ratio.toFixed(2)}`);
    }
    return low;}""")
  assert not low
  # Whatever can be used has a name.
  unnamed = page.evaluate("""() => [...document.querySelectorAll(
      'button, input, select, a, canvas, img')].filter(e => e.checkVisibility()
      && !(e.ariaLabel || e.textContent.trim() || e.labels?.length ||
        e.hasAttribute('alt'))).map(e => e.outerHTML)""")
  assert not unnamed


# Damage: find, draw, fill.


@pytest.fixture(scope='module')
def scan(tmp_path_factory):
  path = tmp_path_factory.mktemp('scan') / 'scan.png'
  path.write_bytes(web.soft_picture(240, 320))
  return path


def choose_fill(page, path):
  upload(page, str(path))
  page.check('[name=step][value=fill]')
  page.uncheck('[name=step][value=restore]')
  assert page.locator('#run').inner_text() == 'Fill'


def saved(page, tmp_path):
  """The mask as the page saves it: path, and bool [H, W]."""
  with page.expect_download() as download:
    page.click('#mask-save')
  path = tmp_path / f'{download.value.suggested_filename}'
  download.value.save_as(path)
  mask = cv2.imread(str(path), cv2.IMREAD_UNCHANGED)
  return path, mask[..., 0] > 127


def place(page, x, y):
  """Of a px of the 240 x 320 picture, on the screen; it is shown at 100 %."""
  box = page.locator('#canvas').bounding_box()
  return (
    box['x'] + box['width'] / 2 + x - 160,
    box['y'] + box['height'] / 2 + y - 120,
  )


def draw(page, *places):
  page.mouse.move(*place(page, *places[0]))
  page.mouse.down()
  for there in places[1:]:
    page.mouse.move(*place(page, *there))
  page.mouse.up()


def disc_line(start, end, radius):
  """bool [240, 320]: px whose middles are within a radius of a line."""
  y, x = np.mgrid[:240, :320] + 0.5
  (x0, y0), (x1, y1) = start, end
  length = max(1e-9, (x1 - x0) ** 2 + (y1 - y0) ** 2)
  t = np.clip(((x - x0) * (x1 - x0) + (y - y0) * (y1 - y0)) / length, 0, 1)
  return np.hypot(x - x0 - t * (x1 - x0), y - y0 - t * (y1 - y0)) < radius


def test_a_mask_is_drawn_and_filled(page, folder, scan, tmp_path):
  choose_fill(page, scan)
  page.check('[name=tool][value=brush]')
  page.fill('#size', '20')
  draw(page, (60, 60), (160, 60))
  _, mask = saved(page, tmp_path)
  want = disc_line((60, 60), (160, 60), 10)
  np.testing.assert_array_equal(mask, want)
  draw(page, (200, 150), (200, 200))
  _, both = saved(page, tmp_path)
  assert both.sum() > want.sum() + 800
  # Undo and redo by keyboard and button, eraser, size by keyboard.
  page.keyboard.press('Control+z')
  np.testing.assert_array_equal(saved(page, tmp_path)[1], want)
  page.keyboard.press('Control+Shift+Z')
  np.testing.assert_array_equal(saved(page, tmp_path)[1], both)
  page.click('#undo')
  assert page.locator('#redo').is_enabled()
  page.check('[name=tool][value=eraser]')
  page.focus('#canvas')
  page.keyboard.press('[')
  assert page.locator('#size').input_value() == '16'
  draw(page, (110, 60), (110, 60))
  want &= ~disc_line((110, 60), (110, 60), 8)
  _, mask = saved(page, tmp_path)
  np.testing.assert_array_equal(mask, want)
  assert page.locator('#redo').is_disabled()
  # A dab in the middle without a mouse.
  page.check('[name=tool][value=brush]')
  page.focus('#canvas')
  page.keyboard.press(' ')
  want |= disc_line((160, 120), (160, 120), 8)
  path, mask = saved(page, tmp_path)
  np.testing.assert_array_equal(mask, want)
  assert (
    f'{want.mean():.1%}'.replace('%', ' %')
    in page.locator('#mask-facts').inner_text()
  )
  page.click('#run')
  page.wait_for_selector('#split:not([hidden])')
  assert page.locator('#name').inner_text() == 'scan_fill.png'
  with page.expect_download() as download:
    page.click('#get-file')
  subprocess.run(
    [
      sys.executable,
      'scripts/restore.py',
      scan,
      '-o',
      tmp_path / 'out',
      f'--weights={folder}/inpaint.safetensors',
      f'--mask={path}',
      '--save_mask',
    ],
    cwd=ROOT,
    check=True,
    capture_output=True,
  )
  assert (
    pathlib.Path(download.value.path()).read_bytes()
    == (tmp_path / 'out' / 'scan.png').read_bytes()
  )
  with page.expect_download() as download:
    page.click('#get-mask')
  assert (
    pathlib.Path(download.value.path()).read_bytes()
    == (tmp_path / 'out' / 'scan.mask.png').read_bytes()
  )


def test_what_is_found_is_shown_at_any_threshold(page, scan, tmp_path):
  choose_fill(page, scan)
  page.wait_for_timeout(300)
  plain = pixel(page, 0.5, 0.5)
  page.click('#find')
  playwright.expect(page.locator('#mask-facts')).to_contain_text(
    'The mask covers', timeout=TIMEOUT
  )
  picture = page.evaluate('fetch("/api/pictures").then(a => a.json())')[-1]
  data = page.request.get(
    f'{page.url}api/pictures/{picture["id"]}/damage'
  ).body()
  probabilities = np.ascontiguousarray(
    cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR)[..., ::-1]
  )
  probabilities[..., 2] = 0  # paint shows through stains: they are not filled
  asked = []
  page.on('request', lambda request: asked.append(request.url))
  # What the page makes of the probabilities is what the command line does.
  for threshold in (0.5, 0.42, 0.61):
    page.fill('#threshold', str(round(100 * threshold)))
    playwright.expect(page.locator('#threshold-value')).to_have_text(
      f'{100 * threshold:.0f} %'
    )
    found = damage_map.binary(probabilities, threshold, min_area=12, dilate=2)
    _, mask = saved(page, tmp_path)
    np.testing.assert_array_equal(mask, found.any(-1))
    crack = (found[..., 0] > 0).mean()
    assert page.locator('#share-crack').inner_text() == f'{100 * crack:.1f} %'
  assert [url for url in asked if '/api/' in url] == []
  # A class that is not wanted; the picture under the mask.
  page.fill('#threshold', '42')
  playwright.expect(page.locator('#threshold-value')).to_have_text('42 %')
  page.uncheck('#class-crack')
  _, mask = saved(page, tmp_path)
  probabilities[..., 0] = 0
  np.testing.assert_array_equal(
    mask, damage_map.binary(probabilities, 0.42, min_area=12, dilate=2).any(-1)
  )
  page.check('#class-crack')
  page.fill('#threshold', '20')
  page.wait_for_timeout(300)
  assert pixel(page, 0.5, 0.5) != plain
  page.keyboard.down('o')
  page.wait_for_timeout(200)
  assert pixel(page, 0.5, 0.5) == plain
  page.keyboard.up('o')
  page.uncheck('#see')
  page.wait_for_timeout(200)
  assert pixel(page, 0.5, 0.5) == plain


def test_masks_are_inverted_cleared_and_opened(page, scan, tmp_path):
  choose_fill(page, scan)
  playwright.expect(page.locator('#run')).to_be_enabled()  # it would find
  page.check('[name=tool][value=brush]')
  page.fill('#size', '40')
  draw(page, (100, 100), (100, 101))
  path, mask = saved(page, tmp_path)
  page.click('#invert')
  inverted = tmp_path / 'inverted.png'
  _, other = saved(page, tmp_path)
  np.testing.assert_array_equal(other, ~mask)
  cv2.imwrite(str(inverted), np.uint8(other) * 255)
  page.click('#clear')
  assert not saved(page, tmp_path)[1].any()
  assert page.locator('#run').is_disabled()
  assert 'empty' in page.locator('#why').inner_text()
  page.locator('#mask-file').set_input_files(inverted)
  playwright.expect(page.locator('#run')).to_be_enabled()
  np.testing.assert_array_equal(saved(page, tmp_path)[1], other)
  for _ in range(2):
    page.click('#undo')
  np.testing.assert_array_equal(saved(page, tmp_path)[1], other)
  page.click('#undo')
  np.testing.assert_array_equal(saved(page, tmp_path)[1], mask)
  # One that is not of this picture.
  cv2.imwrite(str(path), np.zeros([50, 50], np.uint8))
  page.locator('#mask-file').set_input_files(path)
  page.wait_for_selector('#error:not([hidden])')
  assert 'not a mask of it' in page.locator('#error').inner_text()
  np.testing.assert_array_equal(saved(page, tmp_path)[1], mask)
  # It is nowhere else, so the browser asks before it is lost.
  with page.expect_event('dialog') as asked:
    page.once('dialog', lambda dialog: dialog.accept())
    page.reload()
  assert asked.value.type == 'beforeunload'


def test_a_mask_is_drawn_by_touch(browser, address, scan, tmp_path):
  context = browser.new_context(
    viewport={'width': 390, 'height': 844}, has_touch=True, is_mobile=True
  )
  context.set_default_timeout(TIMEOUT)
  page = context.new_page()
  page.goto(address)
  page.wait_for_selector('[name=step]')
  choose_fill(page, scan)
  page.check('[name=tool][value=brush]')
  page.fill('#size', '20')
  assert page.evaluate('document.documentElement.scrollWidth') <= 390

  def middle():
    page.evaluate('scrollTo(0, 0)')
    page.wait_for_timeout(300)
    box = page.locator('#canvas').bounding_box()
    return box['x'] + box['width'] / 2, box['y'] + box['height'] / 2

  touch = context.new_cdp_session(page)
  send = lambda kind, *points: touch.send(
    'Input.dispatchTouchEvent',
    {
      'type': kind,
      'touchPoints': [
        {'x': a, 'y': b, 'id': i} for i, (a, b) in enumerate(points)
      ],
    },
  )
  x, y = middle()
  send('touchStart', (x - 30, y))
  send('touchMove', (x + 30, y))
  send('touchEnd')
  _, mask = saved(page, tmp_path)
  assert 700 < mask.sum() < 3000
  # A second finger makes it a pinch, and nothing is drawn.
  before = page.locator('#zoom').inner_text()
  x, y = middle()
  send('touchStart', (x - 30, y + 40))
  send('touchStart', (x - 30, y + 40), (x + 30, y + 40))
  send('touchMove', (x - 60, y + 40), (x + 60, y + 40))
  send('touchEnd')
  page.wait_for_timeout(200)
  assert page.locator('#zoom').inner_text() != before
  np.testing.assert_array_equal(saved(page, tmp_path)[1], mask)
  context.close()
