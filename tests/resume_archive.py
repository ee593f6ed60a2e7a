"""Time and memory of `artjax restore --resume` where nothing is left to do.

  python tests/resume_archive.py --pictures=10000 100000

Makes an archive of so many tiny pictures, 1,000 a folder, with results and the
journal of a finished run: the plain command restores the first picture, and the
others are given its result and its record, so the journal is as long as a real
one. Then the plain command is run on it with --resume. It must skip every
picture; the exit status is 1 if it does not, or takes more than `--limit`
seconds for 100,000 pictures. The last line of stdout is JSON: seconds and CPU
seconds of the command, start included, and MiB of its largest process.
"""

import argparse
import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import time

import cv2
import numpy as np

from artjax.restoration import default_chain
from artjax.restoration import options
from artjax.restoration.batch import journal
from artjax.restoration.batch import worker

ROOT = pathlib.Path(__file__).parent.parent
A_FOLDER = 1000  # pictures
COMMAND = """
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
    make(pathlib.Path(folder), pictures)
    size = os.path.getsize(os.path.join(folder, 'out', journal.NAME))
    result, seconds, cpu, memory = run(folder, '--resume')
  return {
    'pictures': pictures,
    'skipped': result['skipped'],
    'journal_mb': round(size / 1e6, 1),
    'seconds': round(seconds, 1),
    'cpu_seconds': round(cpu, 1),
    'mib': round(memory),
  }


def make(folder, pictures):
  """Makes the archive; no two pictures are the same."""
  picture = np.random.default_rng(0).integers(0, 256, [32, 32, 3], np.uint8)
  data = cv2.imencode('.png', picture)[1].tobytes()
  for i in range(pictures):
    below = pathlib.Path(f'{i // A_FOLDER:05}', f'{i:08}.png')
    if i % A_FOLDER == 0:
      for name in ('in', 'out'):
        (folder / name / below.parent).mkdir(parents=True)
    (folder / 'in' / below).write_bytes(data + i.to_bytes(8))
    if not i:
      run(folder)
      first = folder / 'out' / below
      entry = json.loads((folder / 'out' / journal.NAME).read_text())
    elif i % A_FOLDER == 0:  # a file has only so many links
      first = shutil.copy(first, folder / 'out' / below)
    else:
      os.link(first, folder / 'out' / below)
  time.sleep(3)  # s, until no file is new any more
  settings = worker.load(default_chain.WEIGHTS, options.Options()).settings
  with journal.Journal(str(folder / 'out')) as log:
    for result in sorted((folder / 'out').glob('*/*.png')):
      source = folder / 'in' / result.relative_to(folder / 'out')
      fingerprints = {
        name: fingerprint(settings, str(source))
        for name, fingerprint in (
          ('key', journal.key),
          ('stamp', journal.stamp),
        )
      }
      named = {'source': str(source), 'output': str(result)}
      log.write({**entry, **named, **fingerprints}, [str(result)])


def run(folder, *more):
  """The last line of the command, its seconds, CPU seconds, and MiB."""
  args = [f'{folder}/in', '--recursive', f'--output={folder}/out', *more]
  start = time.monotonic()
  with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
    process = subprocess.Popen(
      [sys.executable, '-c', COMMAND, *args],
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
