"""Time and memory of `artjax restore --resume` where nothing is left to do.

  python tests/resume_archive.py --pictures=10000 100000

Makes an archive of so many tiny pictures, 1,000 a folder, with results and the
journal of a finished run: the first picture is restored, and the others are
given its result and its record, so the journal is as long as a real one. Then
the plain command is run on it with --resume. It must skip every picture; the
exit status is 1 if it does not, or takes more than `--limit` seconds for
100,000 pictures. The last line of stdout is JSON: seconds and CPU seconds of
the command, start included, and MiB of its largest process.
"""

import argparse
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import time

import cv2
import numpy as np

ROOT = pathlib.Path(__file__).parent.parent
A_FOLDER = 1000  # pictures
# The command, which restores the first picture and copies the others.
FINISH = """
import os, shutil, sys
from artjax.restoration import command, restore_file
restore, first = restore_file.restore_file, []

def copy(source, chain, outputs, *more):
  if not first:
    first.append((outputs.picture, restore(source, chain, outputs, *more)))
  path, record = first[0]
  if outputs.picture != path:
    os.makedirs(os.path.dirname(outputs.picture), exist_ok=True)
    shutil.copyfile(path, outputs.picture)
  return record

restore_file.restore_file = copy
sys.exit(command.main(sys.argv[1:]))
"""
RESUME = """
import sys
from artjax import cli
sys.exit(cli.main(['restore', *sys.argv[1:]]))
"""


def main():
  """Runs it; see the module."""
  parser = argparse.ArgumentParser(
    description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
  )
  parser.add_argument('--pictures', type=int, nargs='+', default=[100_000])
  parser.add_argument('--limit', type=float, default=20.0, help='s')
  args = parser.parse_args()
  found = [measure(pictures) for pictures in args.pictures]
  print(json.dumps(found))
  sys.exit(
    any(
      one['skipped'] != one['pictures']
      or one['seconds'] > max(1, one['pictures'] / 100_000) * args.limit
      for one in found
    )
  )


def measure(pictures):
  """What resuming a finished archive of so many pictures takes."""
  with tempfile.TemporaryDirectory() as folder:
    make(pathlib.Path(folder, 'in'), pictures)
    run(FINISH, folder)
    journal = os.path.getsize(os.path.join(folder, 'out', 'restore.jsonl'))
    result, seconds, cpu, memory = run(RESUME, folder, '--resume')
  return {
    'pictures': pictures,
    'skipped': result['skipped'],
    'journal_mb': round(journal / 1e6, 1),
    'seconds': round(seconds, 1),
    'cpu_seconds': round(cpu, 1),
    'mib': round(memory),
  }


def make(folder, pictures):
  """Writes the pictures, an hour old; no two are the same."""
  picture = np.random.default_rng(0).integers(0, 256, [32, 32, 3], np.uint8)
  data = cv2.imencode('.png', picture)[1].tobytes()
  old = time.time() - 3600
  for i in range(pictures):
    path = folder / f'{i // A_FOLDER:05}' / f'{i:08}.png'
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data + i.to_bytes(8))
    os.utime(path, (old, old))


def run(code, folder, *more):
  """The last line of the command, its seconds, CPU seconds, and MiB."""
  args = [f'{folder}/in', '--recursive', f'--output={folder}/out', *more]
  start = time.monotonic()
  with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
    process = subprocess.Popen(
      [sys.executable, '-c', code, *args],
      env={**os.environ, 'PYTHONPATH': str(ROOT)},
      stdout=out,
      stderr=err,
    )
    _, status, used = os.wait4(process.pid, 0)  # its children included
    process.returncode = os.waitstatus_to_exitcode(status)
    seconds = time.monotonic() - start
    for file in (out, err):
      file.seek(0)
    assert process.returncode == 0, err.read()[-3000:]
    result = json.loads(out.read().splitlines()[-1])
  return result, seconds, used.ru_utime + used.ru_stime, used.ru_maxrss / 1024


if __name__ == '__main__':
  main()
