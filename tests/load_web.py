"""Many users of the web page at once, and whether every job ends as it should.

  python tests/load_web.py --clients=16 --jobs=400

Starts scripts/serve.py. Each client works through its own pictures in batches
of five, as the page does: it uploads them, restores one after the other, and
downloads all results as a zip; one batch in four finds and fills damage
instead. A tenth of the files are damaged, a twentieth of the jobs are
cancelled, and three times a child process is killed: its job alone may fail,
and is tried again.

Every job must end as it should, the results must be byte for byte those of
`artjax restore`, no client may see anything of another, and at the end the
server may have neither files nor more memory. The last line of stdout is a JSON
object; a violation ends with an exit status that is not 0.
"""

import argparse
import collections
import concurrent.futures
import http.cookiejar
import io
import itertools
import json
import os
import pathlib
import re
import signal
import subprocess
import sys
import tempfile
import threading
import time
import urllib.error
import urllib.request
import zipfile

ROOT = pathlib.Path(__file__).parent.parent

import web_client as web  # noqa: E402

BATCH = 5  # pictures
CHAINS = {'restore': 'structure', 'fill': 'detect,inpaint'}  # steps: --weights
# Children that are killed, by their limits of memory, and when: shares of jobs.
KILLED = ((0.1, 8 << 30), (0.2, 2 << 30), (0.4, 8 << 30))
GROWTH = 0.1  # of memory, at most


def steps_of(batch):
  """What is done with the pictures of a batch."""
  return 'fill' if batch % 4 == 2 else 'restore'


class Load:
  """What all clients share: the server, what is expected, what happened."""

  def __init__(self, address, pid, jobs, expected):
    self.address, self.pid, self.jobs = address, pid, jobs
    self.expected = expected  # {(steps, name of a picture): bytes}
    self.outcomes = collections.Counter()
    self.begun = itertools.count()
    self.kills = list(KILLED)
    self.resident = []  # MiB, from the last kill on
    self.lock = threading.Lock()
    self.ids = {}  # {client: an id of its picture, and one of its job}

  def begin(self):
    """The number of a new job; some of them cost a child its life."""
    with self.lock:
      number = next(self.begun)
      if self.kills and number >= self.kills[0][0] * self.jobs:
        _, memory = self.kills.pop(0)
        self.outcomes['children killed'] += kill(self.pid, memory)
      if number in (self.jobs * 6 // 10, self.jobs * 8 // 10):
        self.resident.append(resident(self.pid))
    return number


class Client:
  """A user with cookies and pictures of their own."""

  def __init__(self, load, number, pictures):
    self.load, self.number, self.pictures = load, number, pictures
    self.open = urllib.request.build_opener(
      urllib.request.HTTPCookieProcessor(http.cookiejar.CookieJar())
    ).open

  def ask(self, method, path, data=None):
    """(status, bytes)."""
    request = urllib.request.Request(
      f'{self.load.address}api/{path}', data, method=method
    )
    try:
      with self.open(request, timeout=600) as answer:
        return answer.status, answer.read()
    except urllib.error.HTTPError as error:
      return error.code, error.read()

  def post(self, path, data=None):
    """The same of a POST, again and again while the server is busy."""
    while True:
      status, body = self.ask('POST', path, data)
      if status == 429:
        assert 'wait already' in json.loads(body)['error'], body
        self.load.outcomes['busy'] += 1
        time.sleep(0.3)
      elif b'the process that worked on it ended' in body:
        self.load.outcomes['uploads that a kill ended'] += 1
      else:
        return status, json.loads(body)

  def work(self, batches):
    """Works through batches."""
    for batch in range(batches):
      self.batch(batch)

  def batch(self, batch):
    """Uploads, restores, compares and deletes the pictures of a batch."""
    steps, done, uploaded = steps_of(batch), [], []
    for name, data in self.pictures.items():
      number = self.load.begin()
      broken = number % 10 == 3
      status, picture = self.post(
        f'pictures?name={name}', data[: len(data) // 2] if broken else data
      )
      if broken:
        assert status == 422 and picture['error'], (status, picture)
        self.load.outcomes['refused'] += 1
      else:
        assert status == 201, (status, picture)
        uploaded.append((picture['id'], name, number % 20 == 5))
    for picture, name, stopped in uploaded:
      if self.job(picture, steps, stopped) == 'done':
        done.append(name)
    self.compare(steps, done)
    self.look_at_others()
    for picture in json.loads(self.ask('GET', 'pictures')[1]):
      assert self.ask('DELETE', f'pictures/{picture["id"]}')[0] == 204
    self.load.outcomes['zips'] += 1

  def job(self, picture, steps, stopped):
    """How a job ends; one whose process was killed is tried again."""
    while True:
      status, job = self.post(f'jobs?steps={steps}&picture={picture}')
      assert status == 202, (status, job)
      self.load.ids[self.number] = picture, job['id']
      if stopped:
        assert self.ask('POST', f'jobs/{job["id"]}/cancel')[0] == 200
      _, text = self.ask('GET', f'jobs/{job["id"]}/events')
      state = json.loads(text.decode().strip().splitlines()[-1][6:])
      if state['state'] == 'failed':
        assert 'the process that worked on it ended' in state['reason'], state
        self.load.outcomes['jobs that a kill ended'] += 1
        continue
      assert state['state'] == 'done' or stopped, state
      self.load.outcomes[state['state']] += 1
      return state['state']

  def compare(self, steps, done):
    """Asserts that the zip has what the command line makes, and no more."""
    status, data = self.ask('GET', 'results.zip')
    if not done:
      assert status == 404, status
      return
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
      got = {name: archive.read(name) for name in archive.namelist()}
    assert got == {
      f'{pathlib.Path(name).stem}_{steps}.png': self.load.expected[steps, name]
      for name in done
    }, (self.number, steps, done, sorted(got))

  def look_at_others(self):
    """Asserts that nothing of another client can be seen or changed."""
    own = json.loads(self.ask('GET', 'pictures')[1])
    names = tuple(pathlib.Path(name).stem for name in self.pictures)
    assert all(picture['name'].startswith(names) for picture in own), own
    for number, (picture, job) in list(self.load.ids.items()):
      if number != self.number:
        for method, path in (
          ('GET', f'pictures/{picture}/file'),
          ('GET', f'pictures/{picture}/tiles/picture/0/0_0.png'),
          ('DELETE', f'pictures/{picture}'),
          ('POST', f'jobs?steps=restore&picture={picture}'),
          ('GET', f'jobs/{job}/result'),
          ('POST', f'jobs/{job}/cancel'),
        ):
          while (status := self.ask(method, path)[0]) == 429:
            time.sleep(0.3)  # The queue is full for everybody.
          assert status == 404, (method, path, status)
          self.load.outcomes['looks at others'] += 1


def command_line(folder, pictures):
  """{(steps, name): bytes} of what `artjax restore` makes of pictures."""
  source, found = folder / 'in', {}
  source.mkdir()
  for name, data in pictures.items():
    (source / name).write_bytes(data)
  for steps, weights in CHAINS.items():
    subprocess.run(
      [
        sys.executable,
        'scripts/restore.py',
        source,
        f'--output={folder / steps}',
        f'--weights={weights}',
      ],
      cwd=ROOT,
      check=True,
      capture_output=True,
    )
    for name in pictures:
      found[steps, name] = (folder / steps / name).read_bytes()
  return found


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


def kill(pid, memory):
  """Kills the child of a process that may take so many bytes; how many."""
  found = [
    child
    for child, line in children(pid).items()
    if f'--memory={memory}' in line
  ]
  for child in found:
    os.kill(child, signal.SIGKILL)
  return len(found)


def resident(pid):
  """MiB of a process and its children."""
  total = 0
  for key in (pid, *children(pid)):
    text = pathlib.Path(f'/proc/{key}/status').read_text()
    total += int(re.search(r'VmRSS:\s+(\d+)', text)[1])
  return round(total / 1024)


def main():
  """Runs it; the last line of stdout is JSON."""
  parser = argparse.ArgumentParser(
    description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
  )
  parser.add_argument('--clients', type=int, default=16)
  parser.add_argument('--jobs', type=int, default=400)
  parser.add_argument('--side', type=int, default=120, help='of a picture, px')
  args = parser.parse_args()
  batches = -(-args.jobs // (args.clients * BATCH))
  jobs = batches * args.clients * BATCH
  side = args.side
  mine = [
    {
      f'client{client}_{i}.png': web.picture(
        side, side + 9 * i, client * BATCH + i
      )
      for i in range(BATCH)
    }
    for client in range(args.clients)
  ]
  process = subprocess.Popen(
    [sys.executable, 'scripts/serve.py', '--port=0', '--queue=8'],
    cwd=ROOT,
    stdout=subprocess.PIPE,
    text=True,
  )
  try:
    address = re.search(r'http://\S+', process.stdout.readline())[0]
    with tempfile.TemporaryDirectory() as folder:
      expected = command_line(
        pathlib.Path(folder), {k: v for own in mine for k, v in own.items()}
      )
    start = time.time()
    load = Load(address, process.pid, jobs, expected)
    clients = [Client(load, i, own) for i, own in enumerate(mine)]
    with concurrent.futures.ThreadPoolExecutor(args.clients) as pool:
      for _ in pool.map(lambda client: client.work(batches), clients):
        pass
    load.resident.append(resident(process.pid))
    ended = load.outcomes
    assert ended['refused'] + ended['done'] + ended['cancelled'] == jobs, ended
    assert ended['children killed'] == len(KILLED), ended
    # One kill ends one job, or the uploads that are being read.
    assert ended['jobs that a kill ended'] <= len(KILLED), ended
    seconds = time.time() - start
    with urllib.request.urlopen(f'{address}metrics') as answer:
      figures = answer.read().decode()
    assert '\nartjax_stored_bytes 0\n' in figures, figures
    assert f'\nartjax_sessions {args.clients}\n' in figures, figures
    growth = load.resident[-1] / load.resident[0] - 1
    print(
      json.dumps(
        {
          'clients': args.clients,
          'jobs': jobs,
          **ended,
          'seconds': round(seconds, 1),
          'resident_mb': load.resident,
          'growth': round(growth, 3),
        }
      )
    )
    return int(growth > GROWTH)
  finally:
    process.send_signal(signal.SIGINT)
    try:
      process.wait(60)
    finally:
      process.kill()


if __name__ == '__main__':
  sys.exit(main())
