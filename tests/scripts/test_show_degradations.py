"""The contact sheet: drawn whole, one JSON line, clear errors."""

import json
import subprocess
import sys

from conftest import ROOT
import cv2

from artjax import registry


def run(*arguments):
  return subprocess.run(
    [sys.executable, 'scripts/show_degradations.py', *arguments],
    cwd=ROOT,
    capture_output=True,
    text=True,
    check=False,
  )


def test_sheet_of_the_bundled_picture(tmp_path):
  output = tmp_path / 'new' / 'sheet.png'
  done = run(f'--output={output}', '--side=32')
  assert done.returncode == 0, done.stderr
  names = set()
  for group in ('presets', 'global_', 'local'):
    names |= set(registry.ops(f'artjax.data.degradations.{group}'))
  assert json.loads(done.stdout.splitlines()[-1]) == {
    'output': str(output),
    'degradations': len(names - {'masks_from'}),
  }
  sheet = cv2.imread(str(output))
  assert sheet.shape[1] > 9 * 32 and sheet.std() > 20
  assert [path.name for path in output.parent.iterdir()] == ['sheet.png']


def test_errors_name_the_file(tmp_path):
  broken = tmp_path / 'broken.jpg'
  broken.write_bytes(b'no picture')
  for arguments, message in (
    ([str(broken)], 'broken.jpg'),
    ([str(tmp_path / 'gone.png')], 'gone.png'),
    ([f'--output={tmp_path}/sheet.txt'], 'sheet.txt'),
  ):
    done = run(*arguments)
    assert done.returncode != 0
    assert message in done.stderr + done.stdout
    assert 'Traceback' not in done.stderr
