"""Start, progress and Cancel are in sight; nothing hinders anybody."""

from browser_page import check
from browser_page import expect
from browser_page import held
from browser_page import in_sight
from browser_page import open_mask
from browser_page import TIMEOUT
from browser_page import upload
import pytest
import web_client as web


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
  assert int(page.locator('#zoom').inner_text()[:-1]) > 100
  open_mask(page)
  with held(page):
    page.click('#find')
    expect(page.locator('#cancel')).to_be_visible()
    in_sight(page, 'progress', 'bar', 'cancel')
  expect(page.locator('#mask-facts')).to_contain_text(
    'The mask covers', timeout=TIMEOUT
  )
  in_sight(page, 'run')
  check(page)
  with held(page):
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


def test_the_report_can_be_printed(page, tmp_path):
  (tmp_path / 'scan.png').write_bytes(web.soft_picture(240, 320))
  upload(page, str(tmp_path / 'scan.png'))
  page.click('#run')
  page.wait_for_selector('#split:not([hidden])')
  page.goto(page.locator('#get-sheet').evaluate('link => link.href'))
  page.wait_for_selector('body[data-ready]')
  assert page.locator('h1').inner_text() == 'Report: scan_fill_restore.png'
  captions = page.locator('figcaption').all_inner_texts()
  assert captions[:2] == ['Before', 'After'] and len(captions) == 4
  assert page.evaluate("""Promise.all([...document.images].map(
      image => image.decode().then(() => image.naturalWidth > 0)))""") == [
    True
  ] * len(captions)
  tables = page.locator('#tables').inner_text()
  for text in (
    'Mean change',
    'structure',
    'inpaint',
    'SHA-256',
    'jax',
    'the page signs nothing',
    'An event names artjax',
    'compositeWithTrainedAlgorithmicMedia',
  ):
    assert text in tables, text
  assert '[object' not in tables and 'undefined' not in tables
  check(page)
  page.set_viewport_size({'width': 390, 'height': 844})
  check(page)
  page.emulate_media(media='print')
  assert not page.locator('#print').is_visible()
  # Only for those whose picture it is.
  page.goto(page.url.partition('=')[0] + '=' + 'a' * 24)
  expect(page.locator('#error')).to_contain_text('no such picture')


def tab_to(page, name, most=60):
  """Presses Tab until an element has the focus, which is then in sight."""
  for _ in range(most):
    page.keyboard.press('Tab')
    if page.evaluate('document.activeElement.id') == name:
      box = page.locator(f'#{name}').bounding_box()
      assert 0 <= box['y'] < page.viewport_size['height']
      return
  raise AssertionError(f'{name} is not reached by Tab')


def test_a_whole_sitting_by_keyboard(page):
  page.set_viewport_size({'width': 1366, 'height': 657})
  tab_to(page, 'example')
  page.keyboard.press('Enter')
  page.wait_for_selector('#viewer:not([hidden])')
  # A mask is drawn, without a look for damage.
  page.locator('#damage > summary').focus()
  page.keyboard.press('Enter')
  expect(page.locator('#tools')).to_be_visible()
  page.locator('[name=tool]:checked').focus()
  page.keyboard.press('ArrowRight')
  page.focus('body')
  tab_to(page, 'canvas')
  page.keyboard.press(' ')
  page.keyboard.press('ArrowLeft')
  page.keyboard.press(' ')
  expect(page.locator('#mask-facts')).to_contain_text('The mask covers')
  tab_to(page, 'run')
  page.keyboard.press('Enter')
  page.wait_for_selector('#split:not([hidden])')
  tab_to(page, 'split', 200)
  page.keyboard.press('PageUp')
  assert float(page.locator('#split').input_value()) == 60
  tab_to(page, 'get-file')
  with page.expect_download() as download:
    page.keyboard.press('Enter')
  assert download.value.suggested_filename == 'example_fill_restore.png'
