"""Sheets of a run: what changed most comes first, masks between."""

import json
import subprocess
import sys

from conftest import ROOT
import cv2
import numpy as np

from artjax import atomic_files


def run(*arguments):
  return subprocess.run(
    [sys.executable, 'scripts/before_after.py', *arguments],
    cwd=ROOT,
    capture_output=True,
    text=True,
    check=False,
  )


def flat(path, level, size=(40, 30)):
  atomic_files.write_picture(path, np.full([*size, 3], level, np.uint8))
  return str(path)


def test_what_changed_most_comes_first_and_masks_between(tmp_path):
  records = []
  for name, change, level in (('a', 1.0, 60), ('b', 3.0, 120), ('c', None, 9)):
    flat(tmp_path / f'{name}.mask.png', 200)
    records.append(
      {
        'source': flat(tmp_path / f'{name}.png', level),
        'output': flat(tmp_path / f'{name}_restore.png', level + 20),
        'status': 'done' if change else 'failed',
        'change_mean_ciede2000': change,
        'filled': 0.25,
        'files': [f'{name}_restore.png', f'{name}.mask.png'],
      }
    )
  records.insert(0, {**records[0], 'change_mean_ciede2000': 9.0})  # outdated
  for name, some in (('', records[:2]), ('.shard-0-of-2', records[2:])):
    (tmp_path / f'restore{name}.jsonl').write_text(
      ''.join(json.dumps(record) + '\n' for record in some)
    )
  sheets = tmp_path / 'sheets'
  done = run(str(tmp_path), f'--output={sheets}', '--rows=1', '--height=40')
  assert done.returncode == 0, done.stderr
  assert json.loads(done.stdout.splitlines()[-1]) == {
    'output': str(sheets),
    'sheets': 2,
    'pictures': 2,
  }
  for name, level in (('sheet000.jpg', 120), ('sheet001.jpg', 60)):
    middle = cv2.imread(str(sheets / name))[45]
    found = [int(middle[i * 38 + 15].mean()) for i in range(3)]
    np.testing.assert_allclose(found, [level, 200, level + 20], atol=3)


def test_errors_name_the_folder(tmp_path):
  assert 'name the output folder of a run' in run(str(tmp_path)).stderr
  (tmp_path / 'restore.jsonl').touch()
  done = run(str(tmp_path))
  assert done.returncode == 1 and 'no restored picture' in done.stderr
