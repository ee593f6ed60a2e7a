"""Pictures of the web page in its states, for people to look at.

  python tests/show_page.py --output=/tmp/states
  python tests/show_page.py --docs

Starts scripts/serve.py with the shipped weights and goes through a sitting in
each language: a file that is none, damage that is found, a mask, colours, a
result and the ways to look at it, several pictures, the report. Each state is
photographed on a laptop and on a phone, light and dark. `--tiny` takes tiny
networks of random weights, for a look at the page alone. `--docs` makes the
pictures of docs/web.md. Needs what `make test-web` installs.
"""

import argparse
import json
import pathlib
import shutil
import sys
import tempfile

from conftest import ROOT
import cv2
from playwright import sync_api
import web_client as web

from artjax.web.server import abilities

IMAGES = ROOT / 'docs' / 'images'
# Damaged paintings: parts of docs/images/structure.jpg, in px.
PAINTINGS = {
  'dance.jpg': (slice(0, 600), slice(0, 400)),
  'portrait.jpg': (slice(600, 1080), slice(0, 400)),
}
SCREENS = {'laptop': (1366, 657), 'phone': (390, 844)}
SCHEMES = ('light', 'dark')
TIMEOUT = 600_000  # ms; networks compile for long
_RUNS = '#bar[value]:not([max="0"])'  # a job tells how far it is


def tiny(folder):
  """A folder of weights that take no time; those of stains are small enough."""
  for save in (
    web.save_damage_weights,
    web.save_tone_weights,
    web.save_colour_weights,
  ):
    save(folder)
  web.save_weights(folder, 'structure')
  for name in ('stains', 'esrgan', 'esrgan_psnr'):
    file = f'{name}.safetensors'
    (folder / file).symlink_to(pathlib.Path(abilities.PRETRAINED, file))
  return folder


def paintings(folder):
  """Paths of the files of `PAINTINGS`, made in a folder."""
  sheet = cv2.imread(str(IMAGES / 'structure.jpg'))
  for name, part in PAINTINGS.items():
    cv2.imwrite(str(folder / name), sheet[part])
  return [str(folder / name) for name in PAINTINGS]


def opened(browser, address, language='en'):
  """A page of a new session."""
  context = browser.new_context(
    viewport=size('laptop'), locale=language, accept_downloads=True
  )
  context.set_default_timeout(TIMEOUT)
  page = context.new_page()
  page.goto(address)
  page.wait_for_selector('[name=step]')
  return page


def size(screen):
  """Of a screen, as Playwright has it."""
  return dict(zip(('width', 'height'), SCREENS[screen]))


def example(page):
  """Takes the example of the page."""
  page.click('#example')
  page.wait_for_selector('#viewer:not([hidden])')


def find(page):
  """Finds damage and shows it."""
  page.click('#damage > summary')
  page.click('#find')
  page.wait_for_selector('#cancel', state='hidden')
  page.wait_for_selector('#mask-facts:not(:empty)')


def restore(page):
  """Restores the picture that is shown."""
  page.click('#run')
  page.wait_for_selector('#split:not([hidden])')


def choose(page, files):
  """Takes several files more."""
  page.locator('.file').first.set_input_files(files)
  sync_api.expect(page.locator('#strip .tick:checked')).to_have_count(
    len(files), timeout=TIMEOUT
  )


def states(page, folder):
  """Names of the states of a sitting, each once it is reached."""
  page.wait_for_timeout(200)
  yield 'empty'
  (folder / 'letter.doc').write_bytes(b'no picture')
  page.locator('.file').first.set_input_files(folder / 'letter.doc')
  page.wait_for_selector('#error:not([hidden])')
  yield 'refused'
  example(page)
  yield 'loaded'
  page.click('#damage > summary')
  yield 'mask'
  page.click('#damage > summary')
  find(page)
  yield 'found'
  page.check('[name=tool][value=brush]')
  page.focus('#canvas')
  page.keyboard.press(' ')
  yield 'drawn'
  page.check('[name=step][value=colorize]')
  page.click('#hints > summary')
  yield 'colours'
  page.uncheck('[name=step][value=colorize]')
  page.click('#more > summary')
  yield 'options'
  page.click('#more > summary')
  page.click('#run')
  page.wait_for_selector(_RUNS)
  yield 'running'
  page.wait_for_selector('#split:not([hidden])')
  yield 'result'
  page.click('#notes > summary')
  page.select_option('#view', 'side')
  yield 'side'
  page.select_option('#view', 'slider')
  page.select_option('#overlay', 'change')
  page.click('#lens')
  yield 'change'
  page.click('#lens')
  page.select_option('#overlay', '')
  choose(page, paintings(folder))
  yield 'several'
  page.click('#run')
  page.wait_for_selector('#pause:not([hidden])')
  page.click('#pause')
  yield 'many'
  page.click('#pause')
  page.wait_for_selector('#cancel', state='hidden')
  yield 'done'
  for box in page.locator('[name=step]').all():
    box.uncheck()
  yield 'nothing'
  page.locator('#strip .pick').nth(1).click()
  page.goto(page.locator('#get-sheet').evaluate('link => link.href'))
  page.wait_for_selector('body[data-ready]')
  yield 'report'


def photograph(page, path, whole=False):
  """Saves what is seen, or all of the page."""
  page.wait_for_timeout(500)  # until sharper tiles have come
  kind = {'type': 'jpeg', 'quality': 88} if path.suffix == '.jpg' else {}
  page.screenshot(path=path, full_page=whole, **kind)
  return str(path)


def look(browser, address, folder, output, languages, schemes):
  """Photographs all states; the files."""
  found = []
  for language in languages:
    page = opened(browser, address, language)
    for i, state in enumerate(states(page, folder)):
      for screen in SCREENS:
        page.set_viewport_size(size(screen))
        for scheme in schemes:
          page.emulate_media(color_scheme=scheme)
          name = f'{language}-{screen}-{scheme}-{i:02}-{state}.png'
          whole = screen == 'phone'
          found.append(photograph(page, output / name, whole))
      page.set_viewport_size(size('laptop'))
    page.context.close()
  return found


def docs(browser, address, folder):
  """Makes the pictures of docs/web.md; the files."""
  page, found = opened(browser, address), []
  example(page)
  find(page)
  page.evaluate('scrollTo(0, 0)')
  found.append(photograph(page, IMAGES / 'page_damage.jpg'))
  restore(page)
  found.append(photograph(page, IMAGES / 'page.jpg'))
  page.context.close()
  page = opened(browser, address)
  example(page)
  choose(page, paintings(folder))
  page.click('#tick')
  page.click('#run')
  page.wait_for_selector(_RUNS)
  page.wait_for_timeout(2000)  # until it can say how long it takes
  page.evaluate('scrollTo(0, 0)')
  found.append(photograph(page, IMAGES / 'page_many.jpg'))
  page.context.close()
  return found


def main():
  """Runs it; the last line of stdout is JSON."""
  parser = argparse.ArgumentParser(
    description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
  )
  parser.add_argument('--output', type=pathlib.Path, help='a folder')
  parser.add_argument('--docs', action='store_true')
  parser.add_argument('--tiny', action='store_true')
  parser.add_argument('--languages', nargs='+', default=['en', 'de', 'ja'])
  parser.add_argument('--schemes', nargs='+', default=SCHEMES, choices=SCHEMES)
  args = parser.parse_args()
  if not (args.output or args.docs):
    parser.error('name a folder with --output, or give --docs')
  with (
    tempfile.TemporaryDirectory() as folder,
    tempfile.TemporaryDirectory() as weights,
    web.serving(
      tiny(pathlib.Path(weights)) if args.tiny else abilities.PRETRAINED
    ) as address,
    sync_api.sync_playwright() as library,
  ):
    browser = library.chromium.launch(
      executable_path=shutil.which('chromium') or 'chromium-browser',
      args=['--no-sandbox'],
    )
    files = []
    if args.docs:
      files += docs(browser, address, pathlib.Path(folder))
    if args.output:
      args.output.mkdir(parents=True, exist_ok=True)
      files += look(
        browser,
        address,
        pathlib.Path(folder),
        args.output,
        args.languages,
        args.schemes,
      )
    browser.close()
  print(json.dumps({'files': len(files)}))
  return 0


if __name__ == '__main__':
  sys.exit(main())
