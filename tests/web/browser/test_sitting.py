"""Drawings outlive a reload; a session is opened again by its browser."""

from browser_page import expect
from browser_page import held
from browser_page import open_mask
from browser_page import TIMEOUT
from browser_page import upload
import pytest
import web_client as web


@pytest.fixture(name='folder', scope='module')
def folder_fixture(tmp_path_factory):
  found = tmp_path_factory.mktemp('weights')
  web.save_colour_weights(found)
  web.save_damage_weights(found)
  return web.save_weights(found)


@pytest.fixture(name='scan')
def scan_fixture(tmp_path):
  (tmp_path / 'scan.png').write_bytes(web.soft_picture(240, 320))
  return tmp_path / 'scan.png'


def dab(page):
  """One dab of the brush in the middle, by keyboard."""
  page.check('[name=tool][value=brush]')
  page.focus('#canvas')
  page.keyboard.press(' ')


def saved(page, button):
  with page.expect_download() as download:
    page.click(button)
  return download.value.path().read_bytes()


def again(page):
  """Loads the page anew; nothing may hold that up."""
  page.on('dialog', lambda dialog: pytest.fail(dialog.message))
  page.wait_for_timeout(500)  # until it is kept
  page.reload()
  page.wait_for_selector('#viewer:not([hidden])')


def test_masks_and_colours_outlive_a_reload(page, scan):
  upload(page, str(scan))
  page.check('[name=step][value=fill]')
  page.check('[name=step][value=colorize]')
  open_mask(page)
  dab(page)
  mask = saved(page, '#mask-save')
  page.click('#hints > summary')
  page.fill('#ink', '#3060c0')
  dab(page)
  hints = saved(page, '#hints-save')
  # Of two controls one is open.
  assert not page.locator('#damage').evaluate('details => details.open')
  again(page)
  page.check('[name=step][value=colorize]')
  expect(page.locator('#hints-state')).to_contain_text('of the picture')
  open_mask(page)
  assert saved(page, '#mask-save') == mask
  page.click('#hints > summary')
  assert saved(page, '#hints-save') == hints
  # They go with their picture.
  again(page)
  picture = page.evaluate(
    'fetch("/api/pictures").then(answer => answer.json())'
  )[0]
  page.request.delete(f'{page.url}api/pictures/{picture["id"]}')
  page.reload()
  expect(page.locator('#empty')).to_be_visible()
  page.wait_for_timeout(500)
  assert (
    page.evaluate("""new Promise(resolve => {
    const open = indexedDB.open('artjax');
    open.onsuccess = () => {
      const keys = open.result.transaction('sheets').objectStore('sheets')
          .getAllKeys();
      keys.onsuccess = () => resolve(keys.result);
    };})""")
    == []
  )


def test_a_mask_that_was_found_is_found_again(page, scan):
  upload(page, str(scan))
  open_mask(page)
  page.click('#find')
  facts = page.locator('#mask-facts')
  expect(facts).to_contain_text('The mask covers', timeout=TIMEOUT)
  page.fill('#threshold', '42')
  expect(page.locator('#threshold-value')).to_have_text('42%')
  dab(page)
  mask = saved(page, '#mask-save')
  again(page)
  # A job that comes before anybody looks at the mask gets all of it.
  with held(page), page.expect_request('**/api/jobs?*') as asked:
    page.click('#run')
    assert asked.value.post_data_buffer == mask
    page.click('#cancel')
  expect(page.locator('#cancel')).to_be_hidden(timeout=TIMEOUT)
  open_mask(page)
  expect(facts).to_contain_text('The mask covers')
  assert page.locator('#threshold').input_value() == '42'
  assert saved(page, '#mask-save') == mask


def test_a_browser_that_keeps_nothing_says_so(page, scan):
  page.add_init_script('delete window.indexedDB')
  page.add_init_script(
    'Object.defineProperty(window, "indexedDB", {get() { throw Error("no"); }})'
  )
  page.reload()
  upload(page, str(scan))
  open_mask(page)
  dab(page)
  expect(page.locator('#error')).to_contain_text('cannot store drawings')
  # So the browser asks before it is lost.
  with page.expect_event('dialog') as asked:
    page.once('dialog', lambda dialog: dialog.accept())
    page.reload()
  assert asked.value.type == 'beforeunload'


def test_a_session_is_opened_again_by_its_browser_alone(
  page, browser, address, scan, tmp_path
):
  upload(page, str(scan))
  page.uncheck('[name=step][value=fill]')
  page.click('#run')
  page.wait_for_selector('#split:not([hidden])', timeout=TIMEOUT)
  sheet = page.locator('#get-sheet').evaluate('link => link.href')
  links = page.locator('#downloads a').evaluate_all(
    'all => all.map(a => a.href)'
  )
  links = [link for link in links if '/api/' in link]
  links.append(page.locator('#get-file').evaluate('link => link.href'))
  assert len(links) > 2
  # The browser is closed, and keeps what it keeps.
  cookies = page.context.cookies()
  (own,) = cookies
  assert (
    own['name'] == f'artjax_session_{address.rpartition(":")[2].strip("/")}'
  )
  assert own['expires'] > 0 and own['httpOnly'] and own['sameSite'] == 'Strict'
  page.context.storage_state(path=tmp_path / 'state.json')
  later = browser.new_context(storage_state=tmp_path / 'state.json')
  tab = later.new_page()
  tab.goto(address)
  expect(tab.locator('#name')).to_have_text('scan_restore.png')
  expect(tab.locator('#strip .pick')).to_have_count(2)
  assert tab.request.get(links[-1]).ok
  later.close()
  # To others its links are nothing.
  other = browser.new_context()
  tab = other.new_page()
  for link in links:
    assert tab.request.get(link).status == 404, link
  tab.goto(sheet)
  expect(tab.locator('#error')).to_contain_text('no such picture')
  tab.goto(address)
  expect(tab.locator('#empty')).to_be_visible()
  other.close()
