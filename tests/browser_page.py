"""What the tests of the page in a real browser share.

They need Debian's chromium and the package playwright: `make test-web`.
"""

import contextlib
import pathlib
import shutil

import pytest

playwright = pytest.importorskip(
  'playwright.sync_api', reason='needs playwright: make test-web'
)
axe = pytest.importorskip(
  'axe_playwright_python.sync_playwright', reason='make test-web installs it'
)
CHROMIUM = shutil.which('chromium') or shutil.which('chromium-browser')
if not CHROMIUM:
  pytest.skip('needs chromium: make test-web', allow_module_level=True)
expect = playwright.expect
TIMEOUT = 120_000  # ms; on a busy machine networks compile for long


def upload(page, path):
  page.locator('.file').first.set_input_files(path)
  expect(page.locator('#name')).to_have_text(
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


def steady_pixel(page, x, y):
  """The same once nothing is drawn any more: sharper tiles come late."""
  last = None
  while last != (last := pixel(page, x, y)):
    page.wait_for_timeout(1000)
  return last


def wait_for_pixel(page, x, y, wanted):
  """Waits until a pixel of the canvas has a colour; drawing takes a frame."""
  for _ in range(TIMEOUT // 100):
    if pixel(page, x, y) == wanted:
      return
    page.wait_for_timeout(100)
  assert pixel(page, x, y) == wanted


@contextlib.contextmanager
def held(page):
  """While this lasts no job ends, as far as the page is told."""
  waiting = []
  page.route('**/api/jobs/*/events', lambda route: waiting.append(route))
  yield
  for route in waiting:
    route.continue_()
  page.unroute('**/api/jobs/*/events')


def open_mask(page):
  """Opens the controls of the mask."""
  if not page.locator('#damage').evaluate('element => element.open'):
    page.click('#damage > summary')
  expect(page.locator('#tools')).to_be_visible()


def in_sight(page, *ids):
  """Asserts that elements are within the screen, wherever it is scrolled to."""
  for place in ('0', 'document.documentElement.scrollHeight'):
    page.evaluate(f'scrollTo(0, {place})')
    for name in ids:
      box = page.locator(f'#{name}').bounding_box()
      assert box, f'{name} is not shown'
      height = page.viewport_size['height']
      assert 0 <= box['y'] <= box['y'] + box['height'] <= height, (name, box)
  page.evaluate('scrollTo(0, 0)')


def check(page):
  """Asserts that axe finds nothing and nothing is wider than the screen."""
  found = axe.Axe().run(page).response['violations']
  assert not [(v['id'], [n['target'] for n in v['nodes']]) for v in found]
  width = page.viewport_size['width']
  assert page.evaluate('document.documentElement.scrollWidth') <= width
