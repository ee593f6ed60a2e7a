"""Many clients of the web page at once, and whether every job ends well.

  python tests/load_web.py --clients=16 --jobs=200

Starts scripts/serve.py. A tenth of the files are damaged, every fourth job
finds and fills damage and the others restore, a twentieth are cancelled, and
the process that runs networks is killed once. Every job must end as done,
failed with a reason, or cancelled; results must be those of a single run, and
memory must not have grown.
"""

import argparse
import collections
import concurrent.futures
import http.cookiejar
import json
import os
import pathlib
import re
import signal
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request

ROOT = pathlib.Path(__file__).parent.parent

import web_client as web  # noqa: E402


class Client:
  """A user with cookies of their own."""

  def __init__(self, address):
    self._address = address
    self._open = urllib.request.build_opener(
      urllib.request.HTTPCookieProcessor(http.cookiejar.CookieJar())
    ).open

  def ask(self, method, path, data=None):
    """(status, bytes)."""
    request = urllib.request.Request(
      f'{self._address}api/{path}', data, method=method
    )
    try:
      with self._open(request, timeout=600) as answer:
        return answer.status, answer.read()
    except urllib.error.HTTPError as error:
      return error.code, error.read()


def one(client, number, pictures, expected):
  """How one job ends."""
  which = number % len(pictures)
  data = pictures[which]
  broken = number % 10 == 3
  steps = 'fill' if number % 4 == 2 else 'restore'
  if broken:
    data = data[: len(data) // 2]
  while True:
    status, body = client.ask('POST', f'jobs?steps={steps}', data)
    if status != 429:
      break
    assert 'wait already' in json.loads(body)['error']
    time.sleep(0.3)
  if broken:
    assert status == 422 and json.loads(body)['error'], (status, body)
    return 'refused with a reason'
  assert status == 202, (status, body)
  job = json.loads(body)
  if number % 20 == 5:
    client.ask('POST', f'jobs/{job["id"]}/cancel')
  _, text = client.ask('GET', f'jobs/{job["id"]}/events')
  state = json.loads(text.decode().strip().splitlines()[-1][6:])
  if state['state'] == 'done':
    status, result = client.ask('GET', f'jobs/{job["id"]}/result')
    assert status == 200
    same = expected.setdefault((which, steps), result) == result
    assert same, f'job {number}, {steps}, differs'
    client.ask('DELETE', f'pictures/{state["result"]["id"]}')
  elif state['state'] == 'failed':
    assert state['reason'], state
  client.ask('DELETE', f'pictures/{job["picture"]}')
  return state['state']


def seconds(client, picture):
  """From the request to restore a picture to the first tile of the result."""
  start = time.time()
  _, body = client.ask('POST', f'jobs?steps=restore&picture={picture}')
  _, text = client.ask('GET', f'jobs/{json.loads(body)["id"]}/events')
  state = json.loads(text.decode().strip().splitlines()[-1][6:])
  status, _ = client.ask(
    'GET', f'pictures/{state["result"]["id"]}/tiles/picture/0/0_0.png'
  )
  assert status == 200
  return time.time() - start


def children(pid):
  """Of a process, as {pid: its command line}."""
  found = {}
  for path in pathlib.Path('/proc').glob('[0-9]*'):
    try:
      parent = int(
        re.search(r'PPid:\s+(\d+)', (path / 'status').read_text())[1]
      )
      if parent == pid:
        found[int(path.name)] = (path / 'cmdline').read_text()
    except OSError:
      pass
  return found


def resident(pid):
  """MiB of a process and its children."""
  total = 0
  for key in (pid, *children(pid)):
    text = pathlib.Path(f'/proc/{key}/status').read_text()
    total += int(re.search(r'VmRSS:\s+(\d+)', text)[1])
  return total / 1024


def main():
  """Runs it; the last line of stdout is JSON."""
  parser = argparse.ArgumentParser(
    description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
  )
  parser.add_argument('--clients', type=int, default=16)
  parser.add_argument('--jobs', type=int, default=200)
  parser.add_argument('--side', type=int, default=120, help='of a picture, px')
  args = parser.parse_args()
  pictures = [web.picture(args.side, args.side + 9 * i, i) for i in range(7)]
  process = subprocess.Popen(
    [sys.executable, 'scripts/serve.py', '--port=0'],
    cwd=ROOT,
    stdout=subprocess.PIPE,
    text=True,
  )
  try:
    address = re.search(r'http://\S+', process.stdout.readline())[0]
    expected, start = {}, time.time()
    clients = [Client(address) for _ in range(args.clients)]
    for which in range(len(pictures)):  # every shape compiled once
      for number in (0, 2):
        part = [pictures[which]] * 3
        assert one(clients[0], number, part, {}) == 'done'
    first = resident(process.pid)
    outcomes, killed = collections.Counter(), threading.Event()

    def work(number):
      if number == args.jobs // 2:
        hand = [
          pid
          for pid, line in children(process.pid).items()
          if f'--memory={8 << 30}' in line
        ]
        for pid in hand:
          os.kill(pid, signal.SIGKILL)
          killed.set()
      return one(clients[number % args.clients], number, pictures, expected)

    with concurrent.futures.ThreadPoolExecutor(args.clients) as pool:
      for outcome in pool.map(work, range(args.jobs)):
        outcomes[outcome] += 1
    last = resident(process.pid)
    assert killed.is_set()
    assert sum(outcomes.values()) == args.jobs
    _, body = clients[0].ask('POST', 'pictures', web.picture(600, 600))
    warm = [seconds(clients[0], json.loads(body)['id']) for _ in range(3)]
    print(
      json.dumps(
        {
          'clients': args.clients,
          'jobs': args.jobs,
          **outcomes,
          'seconds': round(time.time() - start, 1),
          'resident_mb': [round(first), round(last)],
          'growth': round(last / first - 1, 3),
          'warm_600x600_s': round(min(warm[1:]), 2),
        }
      )
    )
    return 0 if last < 1.1 * first else 1
  finally:
    process.send_signal(signal.SIGINT)
    try:
      process.wait(60)
    finally:
      process.kill()


if __name__ == '__main__':
  sys.exit(main())
