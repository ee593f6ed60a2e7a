"""Kills `artjax collect` at random moments: each picture has to be there once.

  python tests/kill_collecting.py --pictures=1000 --kills=10

The command fetches from a server on the loopback device that answers as the Met
does, but now and then with 503, 429, a cut connection or a page of HTML. It is
killed (SIGKILL, or SIGTERM or SIGINT in a third of the cases) and started
again. In the end each picture has to be there once, whole and with its
provenance, and the server must never have been asked twice at a time, nor
without a pause. The last line of stdout is JSON; the exit status is 1 if
something is wrong.
"""

import argparse
import collections
import json
import os
import pathlib
import random
import signal
import subprocess
import sys
import tempfile
import time

import cv2
from museum_server import as_picture
from museum_server import Museum
from museum_server import Reply
import museums
import numpy as np

ROOT = pathlib.Path(__file__).parent.parent
PAUSE = 0.02  # s between two requests to a host
SIGNALS = (signal.SIGKILL, signal.SIGKILL, signal.SIGTERM) + (
  signal.SIGKILL,
  signal.SIGKILL,
  signal.SIGINT,
)
LIMIT = 900  # s in which a run has to get somewhere
# The command, with its last step to the server of this process.
COMMAND = """
import sys, time
from museum_server import Loopback
from artjax.commands import collect
from artjax.data.collections import web
port, pause = int(sys.argv[1]), float(sys.argv[2])
web.transport_lib.Transport = lambda unused: Loopback(pause, port, {}, time)
sys.exit(collect.main(sys.argv[3:]))
"""


def main():
  """Runs it; see the module."""
  parser = argparse.ArgumentParser(
    description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
  )
  parser.add_argument('--pictures', type=int, default=1000)
  parser.add_argument('--kills', type=int, default=10)
  parser.add_argument('--seed', type=int, default=0)
  args = parser.parse_args()
  rng = random.Random(args.seed)
  start = time.monotonic()
  with Museum() as museum, tempfile.TemporaryDirectory() as folder:
    museums.met(museum, args.pictures)
    museum.on(r'images\.metmuseum\.org/original/(\d+)\.jpg', faulty(rng))
    at, signals = [], collections.Counter()
    for kill in range(args.kills):
      left = args.kills - kill
      number = SIGNALS[kill % len(SIGNALS)]
      at.append(run_and_kill(folder, museum.port, args, rng, number, left))
      signals[number.name] += 1
      print(f'{kill + 1}: {number.name} at {at[-1]}', file=sys.stderr)
    for _ in range(5):  # failures are tried again by the next run
      process = run(folder, museum.port, args)
      out, err = process.communicate(timeout=LIMIT)
      assert process.returncode in (0, 1), err[-3000:]
      if process.returncode == 0:
        break
    wrong = {**check(folder, args.pictures), **check_requests(museum.requests)}
  print(
    json.dumps(
      {
        'pictures': args.pictures,
        'kills': dict(signals),
        'at': at,
        'requests': len(museum.requests),
        'last': json.loads(out.splitlines()[-1])['pictures'],
        **wrong,
        'seconds': round(time.monotonic() - start),
      }
    )
  )
  sys.exit(process.returncode or any(wrong[name] for name in WRONG))


WRONG = (
  'missing',
  'broken',
  'without_provenance',
  'twice',
  'left_over',
  'at_a_time',
  'without_pause',
)


def faulty(rng):
  """Answers with pictures, and one time in twenty with something else."""

  def answer(request, match):
    good = as_picture(int(match[1]))
    if rng.random() >= 0.05:
      return good
    return rng.choice(
      [
        Reply(status=503),
        Reply(status=429, headers={'Retry-After': '1'}),
        as_picture(int(match[1]), cut=len(good.body) // 2),
        Reply(b'<html>Sorry</html>', 'image/jpeg'),
      ]
    )

  return answer


def run(folder, port, args):
  """Starts the command."""
  paths = [str(ROOT), str(ROOT / 'tests')]
  return subprocess.Popen(
    [
      sys.executable,
      '-c',
      COMMAND,
      str(port),
      str(PAUSE),
      'met',
      'pears',
      f'--output={folder}/met',
      f'--limit={args.pictures}',
      '--contact=me@example.org',
    ],
    env={**os.environ, 'PYTHONPATH': os.pathsep.join(paths)},
    stdout=subprocess.PIPE,
    stderr=subprocess.PIPE,
    text=True,
  )


def there(folder):
  """How many pictures have a line."""
  path = pathlib.Path(folder, 'met', 'pictures.jsonl')
  return path.read_bytes().count(b'\n') if path.exists() else 0


def run_and_kill(folder, port, args, rng, number, left):
  """Starts the command and kills it; how many pictures there were."""
  process, before = run(folder, port, args), there(folder)
  ahead = 2 * (args.pictures - before) // (left + 1)
  target = before + rng.randint(0, max(1, ahead))
  deadline = time.monotonic() + LIMIT
  while there(folder) < min(target, args.pictures - 1):
    assert process.poll() is None, process.communicate()[1][-3000:]
    assert time.monotonic() < deadline
    time.sleep(0.005)
  time.sleep(rng.uniform(0, 0.1))
  process.send_signal(number)
  _, err = process.communicate(timeout=LIMIT)
  # While Python starts, a signal that asks ends it as one that does not.
  if number != signal.SIGKILL and there(folder) > before:
    assert process.returncode in (0, 130), err[-3000:]
    assert 'Traceback' not in err, err[-3000:]
  return there(folder)


def check(folder, number):
  """What is missing, broken or there twice."""
  folder = pathlib.Path(folder, 'met')
  lines = (folder / 'pictures.jsonl').read_text().splitlines()
  entries = [json.loads(line) for line in lines]
  counts = collections.Counter(entry['id'] for entry in entries)
  wanted = {f'met_{i}.jpg': as_picture(i).body for i in range(1, number + 1)}
  found = {p.name: p.read_bytes() for p in folder.glob('met_*')}
  described = {
    entry['file']
    for entry in entries
    if entry['bytes'] == len(wanted[entry['file']])
    and entry['licence'].endswith('/zero/1.0/')
    and entry['title'] == f'Pears, {entry["id"]}'
  }
  return {
    'missing': len(wanted.keys() - found.keys()),
    'broken': sum(
      found[name] != wanted[name] or not decodes(found[name])
      for name in found.keys() & wanted.keys()
    ),
    'without_provenance': len(wanted.keys() - described),
    'twice': sum(count > 1 for count in counts.values()),
    'left_over': len(found.keys() - wanted.keys()),
  }


def decodes(data):
  return cv2.imdecode(np.frombuffer(data, np.uint8), -1) is not None


def check_requests(requests):
  """What the server saw of two requests to a host at a time or too soon."""
  found = {'at_a_time': 0, 'without_pause': 0, 'shortest_pause_ms': 1e9}
  for host in {request.host for request in requests}:
    mine = [r for r in requests if r.host == host and r.end]
    mine.sort(key=lambda request: request.start)
    for one, other in zip(mine, mine[1:]):
      pause = other.start - one.end
      found['at_a_time'] += pause < 0
      found['without_pause'] += pause < PAUSE * 0.9
      found['shortest_pause_ms'] = min(
        found['shortest_pause_ms'], round(1000 * pause, 1)
      )
  return found


if __name__ == '__main__':
  main()
