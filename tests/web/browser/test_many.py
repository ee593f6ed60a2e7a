"""Many pictures at once: dropped, worked on in turn, cancelled, as one zip."""

import io
import zipfile

from browser_page import check
from browser_page import expect
from browser_page import held
from browser_page import in_sight
from browser_page import TIMEOUT
import pytest
import web_client as web


@pytest.fixture(name='paths')
def paths_fixture(tmp_path):
  found = [tmp_path / f'{name}.png' for name in 'abc']
  for i, path in enumerate(found):
    path.write_bytes(web.soft_picture(240, 320, i))
  return [str(path) for path in found]


def choose(page, paths):
  page.locator('.file').first.set_input_files(paths)
  expect(page.locator('#run')).to_have_text(
    f'Start: {len(paths)} pictures', timeout=TIMEOUT
  )
  page.uncheck('[name=step][value=fill]')


def states(page):
  return page.locator('#strip .state').all_inner_texts()


def test_many_pictures_are_restored_in_turn(page, paths, tmp_path):
  # One that cannot be read does not keep the others out.
  bad = tmp_path / 'bad.png'
  bad.write_bytes(b'no picture')
  page.locator('.file').first.set_input_files([paths[0], str(bad), *paths[1:]])
  expect(page.locator('#error')).to_contain_text(
    'bad.png: not a picture', timeout=TIMEOUT
  )
  expect(page.locator('#run')).to_have_text('Start: 3 pictures')
  page.uncheck('[name=step][value=fill]')
  # One is left out.
  page.locator('#strip .tick').nth(1).uncheck()
  expect(page.locator('#run')).to_have_text('Start: 2 pictures')
  page.click('#run')
  expect(page.locator('#get-all')).to_have_text(
    'Download 2 results', timeout=TIMEOUT
  )
  assert states(page)[:3] == ['done', '', 'done']
  with page.expect_download() as download:
    page.click('#get-all')
  download.value.save_as(tmp_path / 'all.zip')
  with zipfile.ZipFile(io.BytesIO((tmp_path / 'all.zip').read_bytes())) as got:
    assert got.namelist() == ['a_restore.png', 'c_restore.png']
    page.locator('#strip .pick').nth(3).click()
    with page.expect_download() as download:
      page.click('#get-file')
    download.value.save_as(tmp_path / 'a.png')
    assert got.read('a_restore.png') == (tmp_path / 'a.png').read_bytes()
  # Nothing is ticked any more: Start works on the one that is looked at.
  assert page.locator('#run').inner_text() == 'Start'
  page.get_by_label('Remove a.png').click()
  expect(page.locator('#strip .pick')).to_have_count(4)


def test_the_rest_of_many_can_be_cancelled_and_tried_again(page, paths):
  choose(page, paths)
  page.route('**/api/jobs?*', lambda route: route.abort(), times=1)
  page.click('#run')
  expect(page.locator('#error')).to_contain_text('a.png: ', timeout=TIMEOUT)
  expect(page.locator('#cancel')).to_be_hidden(timeout=TIMEOUT)
  assert states(page)[0].startswith('failed: ')
  # What failed is still ticked.
  expect(page.locator('#run')).to_have_text('Start: 1 picture')
  page.click('#run')
  expect(page.locator('#strip .pick')).to_have_count(6, timeout=TIMEOUT)
  page.click('#tick')
  expect(page.locator('#run')).to_have_text('Start: 3 pictures')
  with held(page):
    page.click('#run')
    page.click('#cancel')
  expect(page.locator('#cancel')).to_be_hidden(timeout=TIMEOUT)
  assert page.locator('#strip .pick').count() < 9
  assert 'waiting' not in states(page)


def test_the_picture_that_is_shown_is_in_sight_among_many(page, paths):
  page.set_viewport_size({'width': 320, 'height': 800})
  choose(page, paths)
  for number in (2, 0):  # the last that came, and the first
    page.locator('#strip .pick').nth(number).click()
    box = page.locator('#strip [aria-current]').bounding_box()
    assert 0 <= box['x'] <= box['x'] + box['width'] <= 320
  page.locator('.file').first.set_input_files(paths[0])
  expect(page.locator('#strip .pick')).to_have_count(4)
  page.wait_for_timeout(200)
  box = page.locator('#strip [aria-current]').bounding_box()
  assert 0 <= box['x'] <= box['x'] + box['width'] <= 320


def test_many_pictures_are_paused(page, paths):
  choose(page, paths)
  with held(page):
    page.click('#run')
    expect(page.locator('#language')).to_be_disabled()  # it would end them
    page.click('#pause')
    expect(page.locator('#progress')).to_contain_text('Then a pause')
    expect(page.locator('#pause')).to_have_text('Go on')
    in_sight(page, 'progress', 'bar', 'pause', 'cancel')
  progress = page.locator('#progress')
  expect(progress).to_have_text('Paused. 2 pictures wait', timeout=TIMEOUT)
  page.wait_for_timeout(500)
  assert states(page)[:3] == ['done', 'waiting', 'waiting']
  for size in ((1366, 657), (390, 844)):
    page.set_viewport_size(dict(zip(('width', 'height'), size)))
    in_sight(page, 'progress', 'bar', 'pause', 'cancel')
    check(page)
  page.click('#pause')
  expect(page.locator('#strip .pick')).to_have_count(6, timeout=TIMEOUT)
  # What waits can be cancelled, too.
  page.click('#tick')
  page.click('#run')
  page.click('#pause')
  expect(progress).to_have_text('Paused. 2 pictures wait', timeout=TIMEOUT)
  page.click('#cancel')
  expect(page.locator('#cancel')).to_be_hidden(timeout=TIMEOUT)
  assert 'waiting' not in states(page)
  expect(page.locator('#run')).to_be_enabled()
  expect(page.locator('#language')).to_be_enabled()


def test_presets_set_the_form_and_follow_it(page):
  preset = page.locator('#preset')
  # Those whose weights are not all there are not offered.
  assert preset.locator('option').all_inner_texts() == [
    'Clean up a scan',
    'own choice',
  ]
  assert preset.input_value() == ''
  page.select_option('#preset', 'scan')
  assert page.locator('[name=step][value=restore]').is_checked()
  assert not page.locator('[name=step][value=fill]').is_checked()
  page.click('#more > summary')
  page.fill('#structure', '40')
  assert preset.input_value() == ''
  page.select_option('#preset', 'scan')
  assert page.locator('#structure').input_value() == '100'
  assert page.locator('#structure-value').inner_text() == '100%'
  assert page.locator('#preset-about').inner_text().startswith('Noise')
