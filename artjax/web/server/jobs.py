"""Jobs: a bounded queue, one worker, progress by tiles, cancellation.

Pictures are decoded and networks run in child processes (child.py). One that
dies takes its one job with it; the next job starts another.
"""

import asyncio
import collections
import contextlib
import json
import os
import pathlib
import secrets
import sys
import time

ROOT = pathlib.Path(__file__).parent.parent.parent.parent


class QueueFull(Exception):
  """So many wait already that another is refused."""


class Child:
  """A child process that answers one request at a time."""

  def __init__(self, memory, scratch):
    """Of a process with so many bytes; `scratch` is for temporary files."""
    self._memory = memory
    self._scratch = scratch
    self._process = None
    self._turn = asyncio.Lock()

  @property
  def pid(self):
    return self._process and self._process.pid

  async def ask(self, request, timeout, on_answer=lambda answer: None):
    """The last answer to a request, a dict with 'event' and, failed, 'reason'.

    Args:
      request: for child.py; gets an id if it has none.
      timeout: s without any answer, after which the process is ended.
      on_answer: called with those that come before the last.
    """
    request = {'id': secrets.token_hex(8), **request}
    async with self._turn:
      try:
        await self._start()
        self._process.stdin.write(json.dumps(request).encode() + b'\n')
        await self._process.stdin.drain()
        while True:
          # Not wait_for: before Python 3.12 it loses a cancellation that comes
          # together with the line.
          async with asyncio.timeout(timeout):
            line = await self._process.stdout.readline()
          if not line:
            raise ConnectionError
          answer = json.loads(line)
          if answer['event'] in ('done', 'failed', 'cancelled'):
            return answer
          on_answer(answer)
      except TimeoutError:
        await self.close()
        return {
          'event': 'failed',
          'reason': f'it took longer than {timeout:.0f} s',
        }
      except (ConnectionError, ValueError):
        await self.close()
        return {
          'event': 'failed',
          'reason': 'the process that worked on it '
          'ended, perhaps for want of memory; other jobs go on',
        }
      except asyncio.CancelledError:
        # Its answer would be taken for that to the next request.
        await self.close()
        raise

  def cancel(self, key):
    """Asks for the end of a request; it is answered with 'cancelled'."""
    if self._process and self._process.returncode is None:
      with contextlib.suppress(ConnectionError):
        self._process.stdin.write(
          json.dumps({'op': 'cancel', 'id': key}).encode() + b'\n'
        )

  async def close(self):
    """Ends the process."""
    process, self._process = self._process, None
    if process:
      with contextlib.suppress(ProcessLookupError):
        process.kill()
      process.stdin.close()
      await process.wait()

  async def _start(self):
    if self._process and self._process.returncode is None:
      return
    await self.close()
    self._process = await asyncio.create_subprocess_exec(
      sys.executable,
      '-m',
      'artjax.web.worker',
      f'--memory={self._memory}',
      stdin=asyncio.subprocess.PIPE,
      stdout=asyncio.subprocess.PIPE,
      cwd=ROOT,
      limit=1 << 20,
      start_new_session=True,
      env={
        **os.environ,
        'TMPDIR': self._scratch,
        'VIPS_WARNING': '0',
        'MALLOC_ARENA_MAX': '2',
      },
    )


class Job:
  """One picture to be worked on, and how far that is.

  Attributes:
    state: 'queued', 'preparing', 'running', 'finishing', and at the end 'done',
      'failed' or 'cancelled'.
  """

  def __init__(self, session, source, steps, options, tied, mask=None):
    self.id = secrets.token_hex(12)
    self.session = session
    self.source = source  # store.Entry
    self.steps = steps  # names of abilities
    self.options = options  # of restoration.Options, by name
    self.mask = mask  # store.Entry of what is to be filled; goes with the job
    self.tied = tied  # whether it ends with the page that asked for it
    self.state = 'queued'
    self.place = 0  # in the queue; 1 = next
    self.cold = False  # whether its network has to be loaded first
    self.done, self.total = 0, 0  # tiles
    self.reason = ''
    self.result = None  # store.Entry
    self.followers = 0
    self.stopping = False
    self.left = time.monotonic()  # since when nobody follows
    self._bell = asyncio.Event()
    self._start = None  # when the first tile was done

  @property
  def over(self):
    return self.state in ('done', 'failed', 'cancelled')

  @property
  def only_finds(self):
    return self.steps == ['detect']

  def update(self, **values):
    """Sets attributes and wakes who follows."""
    for name, value in values.items():
      setattr(self, name, value)
    self._bell.set()
    self._bell = asyncio.Event()

  def progress(self, answer):
    """Takes an answer of the child that runs it."""
    if answer['event'] == 'preparing':
      self.update(state='preparing', cold=answer['cold'])
      return
    if self._start is None:
      self._start = time.monotonic(), answer['done']
    self.update(state='running', done=answer['done'], total=answer['total'])

  async def changed(self, timeout):
    """Waits for an update, or so many seconds."""
    with contextlib.suppress(TimeoutError):
      async with asyncio.timeout(timeout):
        await self._bell.wait()

  def eta(self):
    """Seconds that are left, by the tiles since the first; None = unknown."""
    if not self._start or self.state != 'running':
      return None
    since, first = self._start
    if self.done <= first:
      return None
    spent = time.monotonic() - since
    return round(spent / (self.done - first) * (self.total - self.done), 1)

  def describe(self):
    """For the page, as JSON."""
    return {
      'id': self.id,
      'state': self.state,
      'place': self.place,
      'cold': self.cold,
      'done': self.done,
      'total': self.total,
      'eta': self.eta(),
      'stopping': self.stopping and not self.over,
      'reason': self.reason,
      'picture': self.source.id,
      'steps': self.steps,
      **self.options,
      'mask': bool(self.mask),
      'result': self.result.describe() if self.result else None,
    }


class Jobs:
  """The queue and its one worker."""

  def __init__(self, store, limits, find_weights):
    """`find_weights(job)` gives the paths of its weights."""
    self.limits = limits
    self.eye = Child(limits.decode_memory, store.scratch)
    self.hand = Child(limits.run_memory, store.scratch)
    self.counts = collections.Counter()
    self._find_weights = find_weights
    self._store = store
    self._waiting = collections.deque()
    self._running = None
    self._wake = asyncio.Event()
    self._tasks = []

  def start(self):
    """Begins to work; within a running event loop."""
    self._tasks = [
      asyncio.create_task(self._work()),
      asyncio.create_task(self._watch()),
    ]

  async def close(self):
    """Ends the worker and both children."""
    for task in self._tasks:
      task.cancel()
    await asyncio.gather(*self._tasks, return_exceptions=True)
    await self.hand.close()
    await self.eye.close()

  def check_room(self):
    """Raises `QueueFull` if another job would be refused."""
    if len(self._waiting) >= self.limits.queue:
      raise QueueFull(
        f'{len(self._waiting)} jobs wait already, which is the '
        'most; try again in a minute'
      )

  def submit(self, job):
    """Puts a job at the end of the queue."""
    self.check_room()
    self._waiting.append(job)
    job.session.jobs[job.id] = job
    over = [key for key, other in job.session.jobs.items() if other.over]
    for key in over[:-50]:
      del job.session.jobs[key]
    self._places()
    self._wake.set()

  def cancel(self, job):
    """Ends a job: at once if it waits, within a tile if it runs."""
    if job in self._waiting:
      self._waiting.remove(job)
      self._end(job, 'cancelled')
      self._places()
    elif not job.over:
      job.update(stopping=True)
      self.hand.cancel(job.id)

  async def open(self, entry, maps=(), result=False):
    """Checks a picture and makes the tiles of its view; '' or the reason."""
    answer = await self.eye.ask(
      {
        'op': 'open',
        'path': entry.path(),
        'name': entry.name,
        'tiles': entry.tiles('picture'),
        'maps': list(maps),
        'max_side': self.limits.side * (4 if result else 1),
        'max_pixels': (
          self.limits.result_pixels if result else self.limits.pixels
        ),
      },
      self.limits.decode_time,
    )
    if answer['event'] != 'done':
      return answer['reason']
    entry.info = answer['info']
    return ''

  async def check_mask(self, entry, source, threshold):
    """Whether a file is a mask of a picture; '' or the reason."""
    answer = await self.eye.ask(
      {
        'op': 'mask',
        'path': entry.path(),
        'name': entry.name,
        'height': source.info['height'],
        'width': source.info['width'],
        'threshold': threshold,
        'max_side': self.limits.side,
        'max_pixels': self.limits.pixels,
      },
      self.limits.decode_time,
    )
    return answer.get('reason', '')

  def _places(self):
    for i, job in enumerate(self._waiting):
      if job.place != i + 1:
        job.update(place=i + 1)

  def _end(self, job, state, reason=''):
    self.counts[state] += 1
    if job.mask:
      self._store.drop(job.mask)
    job.update(state=state, reason=reason, place=0)

  async def _work(self):
    while True:
      if not self._waiting:
        self._wake.clear()
        await self._wake.wait()
        continue
      job = self._running = self._waiting.popleft()
      self._places()
      job.update(state='preparing', place=0)
      entry = None
      try:
        if not job.only_finds:
          entry = self._new_entry(job)
        state, reason = await self._run(job, entry)
      except asyncio.CancelledError:
        raise
      except Exception as error:  # pylint: disable=broad-except
        # One job must not end the others.
        print(f'artjax: job: {type(error).__name__}: {error}', file=sys.stderr)
        state, reason = 'failed', 'something went wrong on the server'
      if state != 'done' and entry:
        self._store.drop(entry)
      self._running = None
      self._end(job, state, reason)

  def _new_entry(self, job):
    source = job.source
    # Lossless, and as deep as the source.
    suffix = {'PNG': '.png', 'TIFF': '.tif'}.get(
      source.info['format'],
      '.tif' if 'CMYK' in source.info['channels'] else '.png',
    )
    stem = os.path.splitext(source.name)[0]
    entry = self._store.add(
      f'{stem}_{"_".join(job.steps)}{suffix}'[-120:], suffix
    )
    entry.origin = source.id
    entry.made = {
      'steps': job.steps,
      **job.options,
      **({'mask': True} if job.mask else {}),
    }
    return entry

  async def _run(self, job, entry):
    """(state, reason) at the end of a job; `entry` None: it makes none."""
    source = job.source
    # What was found in the picture itself belongs to it, and not to a result.
    finds = job.only_finds or (job.steps[0] == 'fill' and not job.mask)
    if finds:
      self._store.take(0)
    made = lambda part, wanted=True: (
      entry.path(part) if entry and wanted else ''
    )
    found = lambda part: source.path(part) if finds else ''
    answer = await self.hand.ask(
      {
        'op': 'run',
        'id': job.id,
        'path': source.path(),
        'name': source.name,
        'mask': job.mask.path() if job.mask else '',
        'mask_name': job.mask.name if job.mask else '',
        'output': made('picture'),
        'output_name': entry.name if entry else '',
        'change': made('change.png'),
        'uncertainty': made('uncertainty.png', job.options['self_ensemble']),
        'hole': made('mask.png', 'fill' in job.steps),
        'damage': found('damage.png'),
        'damage_view': found('damage_view.png'),
        'steps': job.steps,
        'weights': self._find_weights(job),
        'height': source.info['height'],
        'width': source.info['width'],
        'max_pixels': self.limits.result_pixels,
        'threshold': 0.5,
        'saturation': 1.0,
        **job.options,
      },
      self.limits.stall_time,
      job.progress,
    )
    if answer['event'] != 'done':
      return answer['event'], answer.get('reason', '')
    if finds:
      self._take_damage(job, answer['record'])
    if entry is None:
      job.result = source
      return 'done', ''
    job.update(state='finishing')
    entry.record = answer['record']
    with open(entry.path('report.json'), 'w', encoding='utf-8') as file:
      json.dump(entry.record, file, indent=2, ensure_ascii=False)
    maps = [
      (entry.path(f'{layer}.png'), entry.tiles(layer))
      for layer in ('change', 'uncertainty')
      if os.path.exists(entry.path(f'{layer}.png'))
    ]
    reason = await self.open(entry, maps, result=True)
    if reason:
      return 'failed', reason
    if job.stopping:
      return 'cancelled', ''
    self._store.keep(job.session, entry)
    job.result = entry
    return 'done', ''

  def _take_damage(self, job, record):
    """Puts what was found on record with the picture that it was found in."""
    source = job.source
    source.damage = {**record['damage'], 'threshold': job.options['threshold']}
    if job.only_finds:
      with open(source.path('damage.json'), 'w', encoding='utf-8') as file:
        json.dump(record, file, indent=2, ensure_ascii=False)
    self._store.keep(job.session, source)

  async def _watch(self):
    """Cancels the jobs of closed pages and deletes what has expired."""
    expired = time.monotonic()
    while True:
      await asyncio.sleep(min(0.5, self.limits.leave / 2))
      now = time.monotonic()
      for job in [*self._waiting, *([self._running] if self._running else [])]:
        if (
          job.tied
          and not job.followers
          and not job.stopping
          and (now - job.left > self.limits.leave)
        ):
          self.cancel(job)
      if now - expired > min(60, self.limits.ttl / 4):
        self._store.expire()
        expired = now
