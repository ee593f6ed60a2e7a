"""The lens, and the choice of weights: by mouse, by keyboard, for everybody."""

import urllib.parse

from browser_page import check
from browser_page import expect
from browser_page import held
from browser_page import pixel
from browser_page import steady_pixel
from browser_page import TIMEOUT
from browser_page import upload
from browser_page import wait_for_pixel
import pytest
import pyvips
import web_client as web

RED, GREY = [200, 30, 30, 255], [128, 128, 128, 255]


@pytest.fixture(name='folder', scope='module')
def folder_fixture(tmp_path_factory):
  found = tmp_path_factory.mktemp('weights')
  web.save_weights(found, 'second')
  web.save_colour_weights(found)
  return web.save_weights(found)


@pytest.fixture(name='scan')
def scan_fixture(tmp_path):
  """A grey picture with one red quarter."""
  picture = pyvips.Image.black(320, 240, bands=3) + 128
  picture = picture.draw_rect(RED[:3], 0, 0, 160, 120, fill=True)
  picture.cast('uchar').copy(interpretation='srgb').pngsave(
    str(tmp_path / 'scan.png')
  )
  return tmp_path / 'scan.png'


def test_the_lens_shows_what_is_under_the_pointer_larger(page, scan):
  upload(page, str(scan))
  page.click('#full')
  box = page.locator('#canvas').bounding_box()
  left = box['x'] + box['width'] / 2 - 160
  top = box['y'] + box['height'] / 2 - 120
  share = lambda x, y: (
    (left + x - box['x']) / box['width'],
    (top + y - box['y']) / box['height'],
  )
  there = share(180.5, 100.5)  # 20 px beyond the red quarter
  page.mouse.move(left + 140, top + 100)
  assert steady_pixel(page, *there) == GREY
  page.click('#lens')
  expect(page.locator('#lens')).to_have_attribute('aria-pressed', 'true')
  check(page)
  page.mouse.move(left + 140, top + 100)
  wait_for_pixel(page, *there, RED)  # three times as far from the pointer
  page.mouse.move(left + 158, top + 100)
  wait_for_pixel(page, *there, GREY)
  # By keyboard it is in the middle of the picture, and follows nothing.
  page.mouse.move(5, 5)
  page.focus('#canvas')
  page.keyboard.press('l')
  expect(page.locator('#lens')).to_have_attribute('aria-pressed', 'false')
  inside = share(130.5, 90.5)
  assert steady_pixel(page, *inside) == RED
  for _ in range(4):
    page.keyboard.press('ArrowLeft')
  page.keyboard.press('l')
  assert steady_pixel(page, 0.5, 0.5) is not None
  ring = [pixel(page, 0.5, 0.5 + d / box['height']) for d in range(90, 130)]
  assert [255, 255, 255, 255] in ring and [0, 0, 0, 255] in ring


def test_weights_are_chosen_and_blended(page, scan):
  upload(page, str(scan))
  preset = page.locator('#preset')
  page.select_option('#preset', 'scan')
  page.click('#more > summary')
  first = page.locator('#weights-restore-first')
  assert first.locator('option').all_inner_texts() == [
    'second (×1, licence not stated)',
    'unet (×1, licence not stated)',
  ]
  assert first.input_value() == 'unet'  # the usual ones
  assert not page.locator('#share-restore').is_visible()
  first.select_option('second')
  assert preset.input_value() == ''
  page.select_option('#weights-restore-second', 'unet')
  page.fill('#weights-restore-share', '30')
  expect(page.locator('#share-restore')).to_contain_text('Share of second: 30%')
  for size in ((1366, 657), (390, 844)):
    page.set_viewport_size(dict(zip(('width', 'height'), size)))
    check(page)
  with held(page), page.expect_request('**/api/jobs?*') as asked:
    page.click('#run')
    query = urllib.parse.parse_qs(urllib.parse.urlsplit(asked.value.url).query)
    assert query['weights'] == ['second:0.3+unet:0.7']
    page.click('#cancel')
  expect(page.locator('#cancel')).to_be_hidden(timeout=TIMEOUT)
  # A preset has the usual ones.
  page.select_option('#preset', 'scan')
  assert first.input_value() == 'unet' and preset.input_value() == 'scan'
