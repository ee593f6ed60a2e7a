"""Masks in a real browser: find damage, draw, fill."""

import pathlib
import subprocess
import sys

from browser_page import expect
from browser_page import open_mask
from browser_page import pixel
from browser_page import steady_pixel
from browser_page import TIMEOUT
from browser_page import upload
from browser_page import wait_for_pixel
from conftest import ROOT
import cv2
import numpy as np
import pytest
import web_client as web

from artjax.restoration.masks import damage_map


@pytest.fixture(scope='module')
def scan(tmp_path_factory):
  path = tmp_path_factory.mktemp('scan') / 'scan.png'
  path.write_bytes(web.soft_picture(240, 320))
  return path


def choose_fill(page, path):
  upload(page, str(path))
  page.check('[name=step][value=fill]')
  page.uncheck('[name=step][value=restore]')
  open_mask(page)
  page.click('#full')
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
  assert f'{want.mean():.1%}' in page.locator('#mask-facts').inner_text()
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
  plain = steady_pixel(page, 0.5, 0.5)
  page.click('#find')
  expect(page.locator('#mask-facts')).to_contain_text(
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
    expect(page.locator('#threshold-value')).to_have_text(
      f'{100 * threshold:.0f}%'
    )
    found = damage_map.binary(probabilities, threshold, min_area=12, dilate=2)
    _, mask = saved(page, tmp_path)
    np.testing.assert_array_equal(mask, found.any(-1))
    crack = (found[..., 0] > 0).mean()
    assert page.locator('#share-crack').inner_text() == f'{100 * crack:.1f}%'
  assert [url for url in asked if '/api/' in url] == []
  # A class that is not wanted; the picture under the mask.
  page.fill('#threshold', '42')
  expect(page.locator('#threshold-value')).to_have_text('42%')
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
  wait_for_pixel(page, 0.5, 0.5, plain)
  page.keyboard.up('o')
  page.uncheck('#see')
  wait_for_pixel(page, 0.5, 0.5, plain)


def test_masks_are_inverted_cleared_and_opened(page, scan, tmp_path):
  choose_fill(page, scan)
  expect(page.locator('#run')).to_be_enabled()  # it would find
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
  expect(page.locator('#run')).to_be_enabled()
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
  assert 'does not belong to it' in page.locator('#error').inner_text()
  np.testing.assert_array_equal(saved(page, tmp_path)[1], mask)


def test_a_mask_is_seen_over_a_result(page, scan):
  choose_fill(page, scan)
  page.check('[name=tool][value=brush]')
  page.fill('#size', '20')
  draw(page, (200, 60), (220, 60))
  page.click('#run')
  page.wait_for_selector('#split:not([hidden])')
  # The result is seen without it; whoever goes on drawing sees the picture.
  assert not page.locator('#tools').is_visible()
  open_mask(page)
  assert page.locator('#view').input_value() == 'before'
  assert not page.locator('#split').is_visible()
  box = page.locator('#canvas').bounding_box()
  there = lambda: ((place(page, 210, 120)[0] - box['x']) / box['width'], 0.5)
  for view in ('before', 'after', 'slider'):
    page.select_option('#view', view)
    page.uncheck('#see')
    plain = steady_pixel(page, *there())
    page.check('#see')
    page.check('[name=tool][value=brush]')
    draw(page, (210, 120), (210, 120))
    page.mouse.move(0, 0)
    page.wait_for_timeout(300)
    assert pixel(page, *there()) != plain, view
    page.click('#undo')
  page.select_option('#view', 'side')
  half = page.evaluate('document.querySelector("#canvas").width / 2')
  page.click('#fit')
  zoom = int(page.locator('#zoom').inner_text()[:-1]) / 100
  assert 320 * (zoom - 0.005) <= half  # it is shown rounded


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
