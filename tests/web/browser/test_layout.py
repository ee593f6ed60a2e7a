"""Start, progress and Cancel are in sight; nothing hinders anybody."""

from browser_page import expect
from browser_page import open_mask
from browser_page import TIMEOUT
from browser_page import upload
import pytest
import web_client as web

axe = pytest.importorskip(
  'axe_playwright_python.sync_playwright', reason='make test-web installs it'
)


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


@pytest.mark.parametrize('size', [(1366, 657), (390, 844)])
def test_the_main_action_is_always_in_sight(page, size, tmp_path):
  page.set_viewport_size(dict(zip(('width', 'height'), size)))
  in_sight(page, 'run')
  check(page)
  (tmp_path / 'scan.png').write_bytes(web.soft_picture(240, 320))
  upload(page, str(tmp_path / 'scan.png'))
  in_sight(page, 'run')
  check(page)
  # A small picture is made as large as there is room.
  assert int(page.locator('#zoom').inner_text()[:-2]) > 100
  open_mask(page)
  page.click('#find')
  expect(page.locator('#cancel')).to_be_visible()
  in_sight(page, 'progress', 'bar', 'cancel')
  expect(page.locator('#mask-facts')).to_contain_text(
    'The mask covers', timeout=TIMEOUT
  )
  in_sight(page, 'run')
  check(page)
  page.click('#run')
  expect(page.locator('#cancel')).to_be_visible()
  in_sight(page, 'progress', 'bar', 'cancel')
  page.wait_for_selector('#split:not([hidden])')
  in_sight(page, 'run', 'get-file')
  check(page)


@pytest.mark.parametrize('media', ['dark', 'forced', 'zoom'])
def test_axe_finds_nothing(page, media):
  if media == 'dark':
    page.emulate_media(color_scheme='dark')
  elif media == 'forced':
    page.emulate_media(forced_colors='active')
  else:  # 200 % on a laptop
    page.set_viewport_size({'width': 683, 'height': 328})
  page.click('#example')
  page.wait_for_selector('#viewer:not([hidden])')
  open_mask(page)
  in_sight(page, 'run')
  check(page)
