"""A mask file that is opened on the page, read as the command line reads it."""

import json
import shutil
import subprocess

from conftest import ROOT
import numpy as np
import pytest

from artjax.restoration.masks import user_inputs

_CODE = """
const sheets = JSON.parse(await new Response(process.stdin).text());
console.log(JSON.stringify(sheets.map(isHole)));
"""


def sheets():
  """Sheets of RGBA: what they are made of, and how much of it is opaque."""
  rng = np.random.default_rng(0)
  for share in (0, 0.1, 0.49, 0.51, 0.9, 1):
    opaque = np.arange(400).reshape(20, 20) < 400 * share
    for colours in ('black', 'white', 'red', 'dark', 'picture'):
      sheet = np.zeros([20, 20, 4], np.uint8)
      if colours == 'picture':
        sheet[..., :3] = rng.integers(0, 256, [20, 20, 3])
      else:
        paint = {'white': 255, 'red': (255, 0, 0), 'dark': 7}
        sheet[..., :3] = paint.get(colours, 0)
      sheet[..., 3] = np.where(opaque, 255, 0)
      yield sheet


def test_the_page_takes_the_same_files_for_holes():
  node = shutil.which('node')
  if node is None:
    pytest.skip('needs node')
  source = (ROOT / 'artjax' / 'web' / 'static' / 'mask.js').read_text()
  start = source.index('export function isHole')
  source = source[start : source.index('\n}\n', start) + 3]
  done = subprocess.run(
    [node, '--input-type=module', '--eval', source + _CODE],
    input=json.dumps([sheet.ravel().tolist() for sheet in sheets()]),
    capture_output=True,
    text=True,
    check=True,
  )
  want = [bool(user_inputs._is_hole(sheet)) for sheet in sheets()]
  assert json.loads(done.stdout) == want and 5 < sum(want) < 25
