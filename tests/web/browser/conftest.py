"""A server of the page, a browser, and a page in it that may not fail."""

import urllib.parse

import pytest
import web_client as web


@pytest.fixture(scope='module')
def folder(tmp_path_factory):
  found = tmp_path_factory.mktemp('weights')
  web.save_damage_weights(found)
  return web.save_weights(found)


@pytest.fixture(scope='module')
def address(folder):
  with web.serving(folder) as found:
    yield found


@pytest.fixture(scope='module')
def browser():
  import browser_page  # Which skips tests where there is none.

  with browser_page.playwright.sync_playwright() as library:
    found = library.chromium.launch(
      executable_path=browser_page.CHROMIUM, args=['--no-sandbox']
    )
    yield found
    found.close()


@pytest.fixture
def page(browser, address):
  """A page that may neither fail nor ask anybody else."""
  import browser_page

  context = browser.new_context(viewport={'width': 1280, 'height': 860})
  context.set_default_timeout(browser_page.TIMEOUT)
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
