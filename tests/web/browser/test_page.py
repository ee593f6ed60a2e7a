"""The page in a real browser: from upload to download, by mouse and keyboard.

  make test-web

Needs Debian's chromium and the package playwright; skipped without them.
"""

import subprocess
import sys

from browser_page import held
from browser_page import steady_pixel
from browser_page import upload
from browser_page import wait_for_pixel
from conftest import ROOT
import numpy as np
import pytest

from artjax import atomic_files


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
      '--weights='
      + ','.join(
        f'{folder}/{name}.safetensors' for name in ('detect', 'inpaint', 'unet')
      ),
    ],
    cwd=ROOT,
    check=True,
    capture_output=True,
  )
  upload(page, str(source))
  page.click('#run')  # Alone it does what the command line does by default.
  page.wait_for_selector('#split:not([hidden])')
  assert page.locator('#name').inner_text() == 'painting_fill_restore.png'
  with page.expect_download() as download:
    page.click('#get-file')
  download.value.save_as(tmp_path / 'got.png')
  assert download.value.suggested_filename == 'painting_fill_restore.png'
  assert (tmp_path / 'got.png').read_bytes() == (
    tmp_path / 'out' / 'painting.png'
  ).read_bytes()
  # The slider by keyboard: what is under it changes sides.
  split = page.locator('#split')
  split.focus()
  assert float(split.input_value()) == 50
  after = steady_pixel(page, 0.6, 0.5)
  for _ in range(3):
    page.keyboard.press('PageUp')
  assert float(split.input_value()) == 80
  assert '80%' in split.get_attribute('aria-valuetext')
  before = steady_pixel(page, 0.6, 0.5)
  assert before != after
  for _ in range(30):
    page.keyboard.press('ArrowLeft')
  wait_for_pixel(page, 0.6, 0.5, after)
  page.keyboard.down('o')
  wait_for_pixel(page, 0.6, 0.5, before)
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
  assert page.locator('#zoom').inner_text() == '800%'
  page.keyboard.press('2')
  assert page.locator('#zoom').inner_text() == '200%'
  page.click('#fit')
  fits = page.locator('#zoom').inner_text()
  page.keyboard.press('1')
  page.focus('#canvas')
  page.keyboard.press('0')
  assert page.locator('#zoom').inner_text() == fits
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
  with held(page):
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
  assert (
    page.locator('.missing summary')
    .first.inner_text()
    .endswith('not available')
  )


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
