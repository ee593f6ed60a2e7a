"""Colours drawn on a picture: picked, saved, opened, sent with a job."""

import pathlib

from browser_page import check
from browser_page import expect
from browser_page import held
from browser_page import TIMEOUT
from browser_page import upload
import pytest
import pyvips
import web_client as web


@pytest.fixture(name='folder', scope='module')
def folder_fixture(tmp_path_factory):
  found = tmp_path_factory.mktemp('weights')
  web.save_colour_weights(found)
  return web.save_weights(found)


@pytest.fixture(name='scan')
def scan_fixture(tmp_path):
  """A grey picture with one red and one green quarter."""
  picture = pyvips.Image.black(320, 240, bands=3) + 128
  picture = picture.draw_rect([200, 30, 30], 0, 0, 160, 120, fill=True)
  picture = picture.draw_rect([30, 160, 60], 160, 120, 160, 120, fill=True)
  picture.cast('uchar').copy(interpretation='srgb').pngsave(
    str(tmp_path / 'scan.png')
  )
  return tmp_path / 'scan.png'


def open_hints(page, path):
  upload(page, str(path))
  page.check('[name=step][value=colorize]')
  page.uncheck('[name=step][value=restore]')
  page.click('#hints > summary')
  expect(page.locator('#tools')).to_be_visible()
  page.click('#full')
  page.check('[name=tool][value=brush]')


def place(page, x, y):
  """Of a px of the picture on the screen; it is shown at 100 %."""
  box = page.locator('#canvas').bounding_box()
  return (
    box['x'] + box['width'] / 2 + x - 160,
    box['y'] + box['height'] / 2 + y - 120,
  )


def draw(page, start, end):
  page.mouse.move(*place(page, *start))
  page.mouse.down()
  page.mouse.move(*place(page, *end))
  page.mouse.up()


def saved(page, tmp_path):
  """The hints as the page saves them: path, picture."""
  with page.expect_download() as download:
    page.click('#hints-save')
  path = tmp_path / download.value.suggested_filename
  download.value.save_as(path)
  return path, pyvips.Image.new_from_buffer(path.read_bytes(), '')


def test_colours_are_drawn_undone_saved_and_opened(page, scan, tmp_path):
  open_hints(page, scan)
  expect(page.locator('#hints-save')).to_be_disabled()
  assert not page.locator('#invert').is_visible()
  page.fill('#ink', '#3060c0')
  page.fill('#size', '20')
  draw(page, (200, 60), (240, 60))
  _, first = saved(page, tmp_path)
  assert (first.width, first.height, first.bands) == (320, 240, 4)
  assert first(220, 60) == [0x30, 0x60, 0xC0, 255]
  assert first(220, 75) == [0, 0, 0, 0]
  assert set(first[3].hist_find().numpy().nonzero()[1]) == {0, 255}
  # A colour of the picture's own, by its swatch, and one picked from it.
  page.get_by_label('Use #c81e1e').click()
  draw(page, (40, 160), (60, 160))
  page.check('[name=tool][value=pick]')
  page.mouse.click(*place(page, 300, 200))
  assert page.locator('#ink').input_value() == '#1ea03c'
  assert page.locator('[name=tool][value=brush]').is_checked()
  draw(page, (40, 200), (60, 200))
  path, all_three = saved(page, tmp_path)
  assert path.name == 'scan.hints.png'
  assert all_three(50, 160)[:3] == [200, 30, 30]
  assert all_three(50, 200)[:3] == [30, 160, 60]
  # What was drawn with is among the swatches now.
  expect(page.get_by_label('Use #3060c0')).to_be_visible()
  page.click('#undo')
  page.keyboard.press('Control+z')
  assert (saved(page, tmp_path)[1] - first).abs().max() == 0
  page.click('#redo')
  page.check('[name=tool][value=eraser]')
  draw(page, (200, 60), (240, 60))
  left = saved(page, tmp_path)[1]
  assert left(220, 60)[3] == 0 and left(50, 160)[3] == 255
  page.click('#clear')
  assert page.locator('#hints-state').inner_text() == 'Colours: none given yet'
  all_three.pngsave(str(tmp_path / 'mine.png'))
  page.locator('#hints-file').set_input_files(tmp_path / 'mine.png')
  expect(page.locator('#hints-save')).to_be_enabled()
  assert (saved(page, tmp_path)[1] - all_three).abs().max() == 0
  # By keyboard: a dab in the middle.
  page.check('[name=tool][value=brush]')
  page.focus('#canvas')
  page.keyboard.press(' ')
  assert saved(page, tmp_path)[1](160, 120)[:3] == [30, 160, 60]
  # Files that tell no colours.
  for name, picture, reason in (
    ('flat.png', all_three[:3], 'no transparency'),
    ('empty.png', all_three * [1, 1, 1, 0], 'without any colour'),
    ('other.png', all_three.crop(0, 0, 90, 90), 'does not belong to it'),
  ):
    picture.cast('uchar').pngsave(str(tmp_path / name))
    page.locator('#hints-file').set_input_files(tmp_path / name)
    expect(page.locator('#error')).to_contain_text(f'{name}: ')
    expect(page.locator('#error')).to_contain_text(reason)


def test_a_job_uses_what_was_drawn(page, scan, tmp_path):
  open_hints(page, scan)
  page.fill('#ink', '#3060c0')
  draw(page, (200, 60), (240, 60))
  path, _ = saved(page, tmp_path)
  with held(page), page.expect_request('**/api/jobs?*') as asked:
    page.click('#run')
    assert 'hints=true' in asked.value.url
    url = page.evaluate("""fetch('/api/pictures').then(answer => answer.json())
        .then(all => `/api/pictures/${all.at(-1).id}/hints`)""")
    sent = page.request.get(page.url.rstrip('/') + url).body()
    # What is sent is what is saved, of which the command line makes the same.
    assert sent == pathlib.Path(path).read_bytes()
    page.click('#cancel')
  expect(page.locator('#cancel')).to_be_hidden(timeout=TIMEOUT)


@pytest.mark.parametrize('size', [(1366, 657), (390, 844)])
def test_anybody_can_draw_colours(page, scan, size):
  page.set_viewport_size(dict(zip(('width', 'height'), size)))
  open_hints(page, scan)
  check(page)
  grey = scan.with_name('grey.png')
  (pyvips.Image.black(60, 40) + 90).cast('uchar').pngsave(str(grey))
  upload(page, str(grey))
  expect(page.locator('#palette-none')).to_be_visible()
  check(page)
  page.emulate_media(color_scheme='dark')
  check(page)
  page.emulate_media(color_scheme='light', forced_colors='active')
  check(page)
