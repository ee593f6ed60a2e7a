"""Kills drivers and workers of `artjax restore --runner=ray`.

  python tests/kill_ray.py --pictures=200

Drawn pictures are restored by two workers of a Ray cluster of this machine.
Five are broken, and one kills the worker that restores it. The driver is killed
once and started again with --resume, then one worker is killed. In the end each
picture has to be there once, byte for byte as the plain command makes it, and
each failure has to be named. The last line of stdout is JSON; the exit status
is 1 if something is wrong.
"""

import argparse
import collections
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import time

import cv2
import faulty_actor
import numpy as np
import psutil

ROOT = pathlib.Path(__file__).parent.parent
BROKEN = 5
KILLS = 'kill.png'
LIMIT = 3000  # s for a run
PLAIN = """
import sys
from artjax.restoration import command
sys.exit(command.main(sys.argv[1:]))
"""
WRONG = ('missing', 'other_bytes', 'twice', 'left_over', 'unnamed', 'alive')


def main():
  """Runs it; see the module."""
  parser = argparse.ArgumentParser(
    description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
  )
  parser.add_argument('--pictures', type=int, default=200)
  parser.add_argument('--height', type=int, default=480, help='px')
  parser.add_argument('--width', type=int, default=640, help='px')
  parser.add_argument('--weights', default='structure')
  args = parser.parse_args()
  start = time.monotonic()
  with tempfile.TemporaryDirectory() as folder:
    folder = pathlib.Path(folder)
    draw(folder / 'in', args)
    plain = begin(PLAIN, folder, 'plain', args)
    out, err = plain.communicate(timeout=LIMIT)
    assert plain.returncode == 1, err[-3000:]  # of the broken ones

    ray = faulty_actor.COMMAND, folder, 'ray', args, '--runner=ray'
    driver = begin(*ray, '--workers=2', '--resume', actor='Actor')
    wait(driver, folder, args.pictures // 3)
    ended = processes(driver)
    driver.kill()
    driver.communicate()
    at_driver = count(folder)
    driver = begin(*ray, '--workers=2', '--resume', actor='Actor')
    wait(driver, folder, args.pictures * 2 // 3)
    workers = actors(processes(driver))
    workers[0].kill()
    at_worker = count(folder)
    ended += processes(driver)
    out, err = driver.communicate(timeout=LIMIT)
    assert driver.returncode == 1, err[-3000:]
    _, alive = psutil.wait_procs(ended, timeout=30)
    wrong = check(folder, err) | {'alive': len(actors(alive))}
    for process in alive:  # agents of the cluster whose driver was killed
      process.kill()
    last = json.loads(out.splitlines()[-1])
  print(
    json.dumps(
      {
        'pictures': args.pictures,
        'workers': len(workers),
        'driver_killed_at': at_driver,
        'worker_killed_at': at_worker,
        **{name: last[name] for name in ('done', 'skipped', 'failed')},
        **wrong,
        'seconds': round(time.monotonic() - start),
      }
    )
  )
  sys.exit(any(wrong[name] for name in WRONG))


def draw(folder, args):
  """Writes smooth noise, some broken files, and one that kills its worker."""
  folder.mkdir()
  for i in range(args.pictures):
    small = np.random.default_rng(i).integers(0, 256, [12, 16, 3], np.uint8)
    picture = cv2.resize(small, (args.width, args.height))
    data = cv2.imencode('.png', picture)[1].tobytes()
    broken = i % (args.pictures // BROKEN) == 1
    name = KILLS if i == args.pictures // 2 else f'{i:04}.png'
    (folder / name).write_bytes(data[: len(data) // 2] if broken else data)


def begin(code, folder, output, args, *more, actor=''):
  """Starts the command; results go to a folder of this name."""
  paths = [str(ROOT), str(ROOT / 'tests')]
  return subprocess.Popen(
    [
      *(sys.executable, '-c', code, *filter(None, [actor])),
      *(f'{folder}/in', f'--output={folder}/{output}'),
      *(f'--weights={args.weights}', *more),
    ],
    env={
      **os.environ,
      'PYTHONPATH': os.pathsep.join(paths),
      'SOURCE_DATE_EPOCH': '0',  # results are equal byte for byte
    },
    stdout=subprocess.PIPE,
    stderr=subprocess.PIPE,
    text=True,
  )


def processes(driver):
  """The processes that a driver has started, and so on."""
  return psutil.Process(driver.pid).children(recursive=True)


def actors(found):
  """Those that restore pictures."""
  return [p for p in found if p.is_running() and 'ray::Actor' in p.name()]


def entries(folder):
  """The lines of the journal."""
  path = folder / 'ray' / 'restore.jsonl'
  lines = path.read_bytes().split(b'\n')[:-1] if path.exists() else []
  return [json.loads(line) for line in lines]


def count(folder):
  return sum(entry['status'] == 'done' for entry in entries(folder))


def wait(process, folder, pictures):
  """Waits until so many pictures are done."""
  deadline = time.monotonic() + LIMIT
  while count(folder) < pictures:
    assert process.poll() is None, process.communicate()[1][-3000:]
    assert time.monotonic() < deadline
    time.sleep(0.05)


def check(folder, err):
  """What is missing, other than it should be, there twice or left over."""
  wanted, found = (
    {path.name: path.read_bytes() for path in (folder / name).glob('*')}
    for name in ('plain', 'ray')
  )
  for results in (wanted, found):
    del results['restore.jsonl']
  wanted.pop(KILLS)
  done = collections.Counter(
    entry['source'] for entry in entries(folder) if entry['status'] == 'done'
  )
  failures = {path.name for path in (folder / 'in').glob('*')} - {*wanted}
  return {
    'missing': len(wanted.keys() - found.keys()),
    'other_bytes': sum(
      found.get(n, data) != data for n, data in wanted.items()
    ),
    'twice': sum(number > 1 for number in done.values()),
    'left_over': len(found.keys() - wanted.keys()),
    'unnamed': sum(f'in/{name}: ' not in err for name in failures),
    'failures': sorted(failures),
  }


if __name__ == '__main__':
  main()
