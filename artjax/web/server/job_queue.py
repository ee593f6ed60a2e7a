"""Jobs: a bounded queue, one at a time, progress by tiles, cancellation.

Pictures are decoded and networks run in worker processes (worker_process.py).
If a worker dies, only its job fails; the next job starts a new worker.
"""

import asyncio
import collections
from collections.abc import Callable, Iterable
import json
import os
import sys
import time

from artjax.web.server import jobs as jobs_lib
from artjax.web.server import limits as limits_lib
from artjax.web.server import messages
from artjax.web.server import store as store_lib
from artjax.web.server import worker_process


class QueueFull(Exception):
  """Too many jobs are waiting already."""


class JobQueue:
  """The queue, and the two processes that work on its jobs."""

  def __init__(
    self,
    store: store_lib.Store,
    limits: limits_lib.Limits,
    find_weights: Callable[[jobs_lib.Job], list[str]],
    usual_weights: Callable[[], list[str]] = list,
  ):
    """Starts nothing yet.

    Args:
      store: of the pictures.
      limits: of the queue and of the two processes.
      find_weights: gives the paths of the weights of a job.
      usual_weights: gives those to prepare before a job needs them: they are
        loaded at the start, and compiled for each uploaded picture.
    """
    self.limits = limits
    self.decoder = worker_process.WorkerProcess(
      limits.decode_memory, store.scratch
    )
    self.runner = worker_process.WorkerProcess(limits.run_memory, store.scratch)
    self.counts: collections.Counter[str] = collections.Counter()
    self.seconds = 0.0  # that jobs have run
    self._find_weights = find_weights
    self._usual_weights = usual_weights
    # What is to be warmed while nothing else is to be done: one request each,
    # so that a job waits for one network at most.
    self._cold: collections.deque[dict] = collections.deque()
    self._is_warming = False
    self._store = store
    self._waiting: collections.deque[jobs_lib.Job] = collections.deque()
    self._running: jobs_lib.Job | None = None
    self._wake = asyncio.Event()
    self._tasks: list[asyncio.Task] = []

  def start(self) -> None:
    """Starts work; call it within a running event loop."""
    self._tasks = [
      asyncio.create_task(self._work()),
      asyncio.create_task(self._watch()),
    ]

  async def close(self) -> None:
    """Ends the work and both processes."""
    for task in self._tasks:
      task.cancel()
    await asyncio.gather(*self._tasks, return_exceptions=True)
    await self.runner.close()
    await self.decoder.close()

  @property
  def length(self) -> int:
    """How many jobs wait."""
    return len(self._waiting)

  @property
  def running(self) -> int:
    """How many jobs run."""
    return int(self._running is not None)

  @property
  def warming(self) -> bool:
    """Whether networks are being loaded or compiled, or will be."""
    return self._is_warming or bool(self._cold)

  def check_room(self) -> None:
    """Raises `QueueFull` if another job would be refused."""
    if len(self._waiting) >= self.limits.queue:
      raise QueueFull(messages.Message('queue_full', jobs=len(self._waiting)))

  def warm(self, entry: store_lib.Entry | None = None) -> None:
    """Loads the usual networks, and compiles them for a picture, if idle."""
    weights = self._usual_weights()
    request = {'op': 'warm', 'weights': weights}
    self._cold.clear()  # Of earlier pictures: the latest is worked on next.
    if weights:
      self._cold.append(request)
    if entry:
      size = {key: entry.info[key] for key in ('height', 'width')}
      self._cold.extend(
        {**request, **size, 'stage': i} for i in range(len(weights))
      )
    self._wake.set()

  def submit(self, job: jobs_lib.Job) -> None:
    """Puts a job at the end of the queue; raises `QueueFull`."""
    self.check_room()
    job.cold = self._is_warming
    self._waiting.append(job)
    job.session.jobs[job.id] = job
    over = [key for key, other in job.session.jobs.items() if other.over]
    for key in over[:-50]:
      del job.session.jobs[key]
    self._places()
    self._wake.set()

  def cancel(self, job: jobs_lib.Job) -> None:
    """Ends a job: at once if it waits, within a tile if it runs."""
    if job in self._waiting:
      self._waiting.remove(job)
      self._end(job, 'cancelled')
      self._places()
    elif not job.over:
      job.update(stopping=True)
      self.runner.cancel(job.id)

  async def open(
    self,
    entry: store_lib.Entry,
    maps: Iterable[tuple[str, str]] = (),
    result: bool = False,
  ) -> str:
    """Checks a picture and makes the tiles of its view.

    Args:
      entry: of the picture; gets its `info`.
      maps: (path, folder of tiles) of maps that are shown over it.
      result: whether it is a result, which has wider limits.

    Returns:
      '', or the reason why it cannot be used.
    """
    answer = await self.decoder.ask(
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

  async def check_mask(
    self, entry: store_lib.Entry, source: store_lib.Entry, threshold: float
  ) -> str:
    """'' if a file is a mask of the picture `source`, or the reason why not."""
    return await self._check('mask', entry, source, threshold=threshold)

  async def check_hints(
    self, entry: store_lib.Entry, source: store_lib.Entry
  ) -> str:
    """'' if a file has hints for the picture `source`, or why it has not."""
    return await self._check('hints', entry, source)

  async def _check(self, op, entry, source, **more):
    answer = await self.decoder.ask(
      {
        'op': op,
        'path': entry.path(),
        'name': entry.name,
        'height': source.info['height'],
        'width': source.info['width'],
        'max_side': self.limits.side,
        'max_pixels': self.limits.pixels,
        **more,
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
    for entry in (job.mask, job.hints):
      if entry:
        self._store.drop(entry)
    job.update(state=state, reason=reason, place=0)

  async def _work(self):
    while True:
      if not self._waiting and self._cold:
        await self._warm(self._cold.popleft())
        continue
      if not self._waiting:
        self._wake.clear()
        await self._wake.wait()
        continue
      job = self._running = self._waiting.popleft()
      self._places()
      job.update(state='preparing', place=0)
      entry, start = None, time.monotonic()
      try:
        if not job.only_finds:
          entry = self._new_entry(job)
        state, reason = await self._run(job, entry)
      except asyncio.CancelledError:
        raise
      except Exception as error:  # pylint: disable=broad-except
        # One job must not end the others.
        print(f'artjax: job: {type(error).__name__}: {error}', file=sys.stderr)
        state, reason = 'failed', messages.Message('fault')
      if state != 'done' and entry:
        self._store.drop(entry)
      self._running = None
      self.seconds += time.monotonic() - start
      self._end(job, state, reason)

  async def _warm(self, request):
    self._is_warming = True
    try:
      answer = await self.runner.ask(request, self.limits.stall_time)
      reason = answer.get('reason', '')
    except OSError as error:
      reason = str(error)
    self._is_warming = False
    if reason:  # Not again and again; jobs will say what is wrong.
      print(f'artjax: loading networks: {reason}', file=sys.stderr)
      self._cold.clear()

  def _new_entry(self, job):
    source = job.source
    suffix = job.suffix()
    stem = os.path.splitext(source.name)[0]
    entry = self._store.add(
      f'{stem}_{"_".join(job.steps)}{suffix}'[-120:], suffix
    )
    entry.origin = source.id
    entry.made = {
      'steps': job.steps,
      **job.options,
      **({'mask': True} if job.mask else {}),
      **({'hints': True} if job.hints else {}),
      **({'weights': job.weights} if job.weights else {}),
    }
    return entry

  async def _run(self, job, entry):
    """(state, reason) at the end of a job; `entry` is None if it makes none."""
    # What was found in the picture itself belongs to it, and not to a result.
    finds = job.only_finds or (job.steps[0] == 'fill' and not job.mask)
    if finds:
      self._store.take(0)
    answer = await self.runner.ask(
      self._request(job, entry, finds), self.limits.stall_time, job.progress
    )
    if answer['event'] != 'done':
      return answer['event'], answer.get('reason', '')
    if finds:
      self._take_damage(job, answer['record'])
    if entry is None:
      job.result = job.source
      return 'done', ''
    job.update(state='finishing')
    entry.record = answer['record']
    if job.mask:  # What was found is what its filling has left.
      entry.record.pop('damage', None)
    _save_record(entry.path('report.json'), entry.record)
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

  def _request(self, job, entry, finds):
    """The request to worker.py; '' for files that are not wanted."""
    source = job.source
    made = lambda part, wanted=True: (
      entry.path(part) if entry and wanted else ''
    )
    found = lambda part: source.path(part) if finds else ''
    return {
      'op': 'run',
      'id': job.id,
      'path': source.path(),
      'name': source.name,
      'mask': job.mask.path() if job.mask else '',
      'mask_name': job.mask.name if job.mask else '',
      'hints': job.hints.path() if job.hints else '',
      'hints_name': job.hints.name if job.hints else '',
      'output': made('picture'),
      'output_name': entry.name if entry else '',
      'change': made('change.png'),
      'uncertainty': made('uncertainty.png', job.options.get('self_ensemble')),
      'hole': made('mask.png', 'fill' in job.steps),
      'damage': found('damage.png'),
      'damage_view': found('damage_view.png'),
      'steps': job.steps,
      'weights': self._find_weights(job),
      'height': source.info['height'],
      'width': source.info['width'],
      'max_pixels': self.limits.result_pixels,
      'options': job.options,
    }

  def _take_damage(self, job, record):
    """Stores found damage with the picture that it was found in."""
    source = job.source
    source.damage = {**record['damage'], 'threshold': job.options['threshold']}
    if job.only_finds:
      _save_record(source.path('damage.json'), record)
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


def _save_record(path, record):
  with open(path, 'w', encoding='utf-8') as file:
    json.dump(record, file, indent=2, ensure_ascii=False)
