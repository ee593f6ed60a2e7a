"""The page in other languages, and from right to left."""

import browser_page
from browser_page import expect
import pytest

from artjax.web.server import strings


def opened(browser, address, locale, width=1366, height=657):
  """A page of a browser whose language this is."""
  context = browser.new_context(
    locale=locale, viewport={'width': width, 'height': height}
  )
  context.set_default_timeout(browser_page.TIMEOUT)
  page = context.new_page()
  page.goto(address)
  page.wait_for_selector('[name=step]')
  return page


@pytest.mark.parametrize('size', [(1366, 657), (390, 844)])
@pytest.mark.parametrize('language', strings.LANGUAGES)
def test_every_language_fits(browser, address, language, size):
  page = opened(browser, address, f'{language}-XX', *size)
  assert page.locator('html').get_attribute('lang') == language
  table = strings.table(language)
  assert page.locator('#run').inner_text() == table['start']
  page.click('#example')
  page.wait_for_selector('#viewer:not([hidden])')
  browser_page.open_mask(page)
  page.click('#more > summary')
  assert (
    page.locator('label[for=strength]').inner_text()
    == (table['option.strength.label'])
  )
  browser_page.check(page)
  browser_page.in_sight(page, 'run')
  page.context.close()


def test_a_language_is_chosen_and_kept(browser, address):
  page = opened(browser, address, 'pt-BR')  # which there is not
  menu = page.locator('#language')
  assert menu.input_value() == 'en'
  assert menu.locator('option').all_inner_texts()[1] == 'Deutsch'
  with page.expect_navigation():
    menu.select_option('de')
  expect(page.locator('#run')).to_have_text('Start')
  expect(page.locator('#why')).to_have_text('Wählen Sie zuerst ein Bild.')
  page.reload()
  expect(page.locator('#panel')).to_have_attribute(
    'aria-label', 'Was zu tun ist'
  )
  # What the server refuses, and what a decoder says: that stays English.
  files = page.locator('.file').first
  files.set_input_files({'name': 'a', 'mimeType': '', 'buffer': b'no picture'})
  expect(page.locator('#error')).to_contain_text('a: kein Bild in einem')
  assert page.locator('#error').get_attribute('lang') is None
  files.set_input_files(
    {'name': 'b', 'mimeType': '', 'buffer': b'\x89PNG\r\n\x1a\n' + bytes(40)}
  )
  expect(page.locator('#error')).to_contain_text('b.png')
  assert page.locator('#error').get_attribute('lang') == 'en'
  page.context.close()


def test_numbers_are_those_of_the_region(browser, address):
  page = opened(browser, address, 'de-DE')
  page.click('#example')
  expect(page.locator('#facts')).to_contain_text('29,1 kB')
  page.click('#full')
  assert page.locator('#zoom').inner_text() == '100\N{NO-BREAK SPACE}%'
  # The full stop of a unit is that of the sentence.
  said = page.evaluate(
    """import('/text.js').then(({t, duration}) =>
    t('outcome', {mean: 1, most: 2, time: duration(29)}))"""
  )
  assert said.endswith('29 Sek.') and not said.endswith('..')
  page.context.close()


def test_it_can_be_read_from_right_to_left(browser, address):
  for size in ((1366, 657), (390, 844)):
    page = opened(browser, address, 'en-US', *size)
    page.click('#example')
    page.wait_for_selector('#viewer:not([hidden])')
    page.evaluate('document.documentElement.dir = "rtl"')
    browser_page.open_mask(page)
    browser_page.check(page)
    stage, panel = (
      page.locator(name).bounding_box() for name in ('#stage', '#panel')
    )
    if size[0] > 1000:
      assert panel['x'] < stage['x']
    # Before and after stay where they are.
    assert (
      page.locator('#frame').evaluate(
        'frame => getComputedStyle(frame).direction'
      )
      == 'ltr'
    )
    page.context.close()
