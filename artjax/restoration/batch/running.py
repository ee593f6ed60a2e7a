"""A run over many pictures: what it skips, and what it reports."""

import collections
from collections.abc import Callable, Iterable
import dataclasses
import functools
import os

from artjax.restoration.batch import finding
from artjax.restoration.batch import interrupts as interrupts_lib
from artjax.restoration.batch import journal
from artjax.restoration.batch import progress
from artjax.restoration.batch import steps as steps_lib
from artjax.restoration.batch import turns
from artjax.restoration.batch import worker as worker_lib

# NumPy, JAX and libvips are imported where they are needed; see command.py.

_AGAIN = object()
_AHEAD = 100  # items that are looked at before the first of them is reported


@dataclasses.dataclass
class Outcome:
  """The outcome of a run."""

  done: int = 0
  skipped: int = 0
  failures: dict[str, str] = dataclasses.field(default_factory=dict)
  stopped: str = ''  # why it ended before all pictures were tried
  signal: int = 0  # that ended it

  @property
  def status(self) -> int:
    """Exit status of the process; after a signal, as shells report it."""
    if self.signal:
      return 128 + self.signal
    return 1 if self.failures or self.stopped else 0

  def add(self, picture: str, how: str, reason: str) -> None:
    """Counts a picture: 'done', 'skipped' or, for a reason, 'failed'."""
    if how == 'failed':
      self.failures[picture] = reason
    else:
      self.done += how == 'done'
      self.skipped += how == 'skipped'

  def counts(self, pictures: int) -> dict[str, int]:
    """How many pictures were done, skipped, failed and not tried."""
    failed = len(self.failures)
    return {
      'done': self.done,
      'skipped': self.skipped,
      'failed': failed,
      'not tried': pictures - self.done - self.skipped - failed,
    }


class Run:
  """A run over many pictures.

  Attributes:
    interrupts: raise KeyboardInterrupt when a signal has come.
    over: whether no other picture is to be begun.
  """

  def __init__(
    self,
    outcome: Outcome,
    log: journal.Journal,
    bar: progress.Progress,
    interrupts: interrupts_lib.Interrupts,
    settings: str,
    finished: journal.Finished,
    general: list[str],
    fail_fast: bool = False,
    steps: steps_lib.Steps | None = None,
  ) -> None:
    """Prepares a run.

    Args:
      outcome: counts are added to it.
      log: gets an entry for each picture.
      bar: shows the progress.
      interrupts: as above.
      settings: of the workers.
      finished: what is done already.
      general: what was said of all pictures, so it is said of none.
      fail_fast: whether the first failure ends the run.
      steps: of a run that is continued after a crash.
    """
    self._outcome, self._log, self._bar = outcome, log, bar
    self.interrupts, self._settings = interrupts, settings
    self._finished, self._general = finished, {*general}
    self._fail_fast, self._steps = fail_fast, steps or steps_lib.Steps()
    self._alone: set[str] = set()
    self.over = False

  def restore(
    self,
    items: Iterable[finding.Item],
    worker: worker_lib.Worker,
    at_once: int = turns.AT_ONCE,
  ) -> None:
    """Restores items in this process; they are reported in their order.

    Args:
      items: planned by `outputs.plan`.
      worker: restores them.
      at_once: how many may be in work at the same time, see turns.py.

    Raises:
      KeyboardInterrupt: a signal came; no file is left half written.
    """
    left = collections.deque(items)
    with self.interrupts.held():
      while left and not self.over:
        with turns.Line(at_once, _has_failed) as line:
          _InWork(self, left, worker, line).restore()

  def last(self, item: finding.Item) -> str:
    """The key with which the files of an item were last made; '' = none."""
    return self._finished(item.outputs.values()).key

  def passed(self, item: finding.Item) -> bool:
    """Passes over an item that needs no worker: it is finished, or cannot be.

    An item whose source has changed its times is not finished: a worker looks
    at its content.
    """
    known = self.known(item)
    if known:
      known()
    return bool(known)

  def begin(self, item: finding.Item) -> None:
    """Begins the turn of an item: what is reported next is about it."""
    self._bar.start(os.path.basename(item.called))

  def say(self, line: str) -> None:
    """Tells the user something else."""
    self._bar.write(line)

  def take(self, item: finding.Item, result: worker_lib.Result) -> None:
    """Reports the result of an item, whose turn has begun."""
    from artjax.image_io import writer

    self._outcome.add(item.called, result.how, result.reason)
    if result.reason:
      self._bar.write(result.reason)
    for line in result.lines:
      if line not in self._general:
        self._bar.write(f'{item.called}: {line}')
      if line in (writer.LOSSY, writer.LOSSY_IN_PART):  # it is of all
        self._general.add(line)
    stop = result.stop
    if result.entry:
      try:
        self._log.write(result.entry, [*item.outputs.values()])
      except OSError as error:
        stop = f'{error.filename}: {error.strerror}'
    self._steps.end(item.called, result.how, result.reason)
    self._bar.finish(result.how)
    self._outcome.stopped = self._outcome.stopped or stop
    if stop or (result.how == 'failed' and self._fail_fast):
      self.over = True

  def end(self) -> None:
    """Ends the run: what the journal has kept back is written."""
    try:
      self._log.flush()
    except OSError as error:
      why = f'{error.filename}: {error.strerror}'
      self._outcome.stopped = self._outcome.stopped or why

  def start(
    self,
    item: finding.Item,
    worker: worker_lib.Worker,
    line: turns.Line[worker_lib.Result],
  ) -> turns.Turn[worker_lib.Result]:
    """Begins an item in a line, where it is reported later."""
    self._steps.begin(item.called)
    last, show = self.last(item), self._bar.tiles
    return line.begin(
      lambda turn: worker.restore(
        item, last, functools.partial(turn.tiles, show), turn
      ),
      self.suspects(item),
    )

  def suspects(self, item: finding.Item) -> bool:
    """Whether an item has to be restored alone, for what it has done."""
    return item.called in self._alone or self._steps.suspects(item.called)

  def suspect(self, item: finding.Item) -> None:
    """Notes that an item has to be restored alone."""
    self._alone.add(item.called)

  def known(self, item: finding.Item) -> Callable[[], None] | None:
    """What reports an item that needs no worker; None if it needs one."""
    how, reason = self._steps.ended.get(item.called, ('', ''))
    if how in ('done', 'skipped', 'failed'):  # before a crash
      return functools.partial(self._report, item, how, reason)
    if reason or item.problem:
      result = worker_lib.failed(item, reason or item.problem)
    elif self._is_finished(item):
      result = worker_lib.Result('skipped')
    else:
      return None
    return functools.partial(self._take_at_once, item, result)

  def _report(self, item, how, reason):
    """Counts an item that a process before this one has reported."""
    self.begin(item)
    self._outcome.add(item.called, how, reason)

  def _take_at_once(self, item, result):
    self.begin(item)
    self.take(item, result)

  def _is_finished(self, item):
    last = self._finished(item.outputs.values()).stamp
    try:
      return bool(last) and last == journal.stamp(
        self._settings,
        item.source,
        *item.brought.values(),
        version=item.version,
      )
    except OSError:  # it is said when the picture's turn comes
      return False


class _InWork:
  """The pictures of a run that are in work, or wait to be reported."""

  def __init__(self, run, left, worker, line):
    self._run, self._left = run, left
    self._worker, self._line = worker, line
    self._begun = collections.deque()  # (item, what reports it)

  def restore(self):
    """Restores what is left, or until one has to be tried again alone."""
    while (self._left or self._begun) and not self._run.over:
      self._run.interrupts.check()
      self._fill()
      item, report = self._begun.popleft()
      if report() is _AGAIN:
        self._line.stop()
        self._run.suspect(item)
        again = [item, *(one for one, _ in self._begun)]
        self._left.extendleft(reversed(again))
        return

  def _has_room(self):
    return (
      self._left
      and len(self._begun) < _AHEAD
      and self._line.has_room(self._run.suspects(self._left[0]))
    )

  def _fill(self):
    while self._has_room():
      item = self._left.popleft()
      report = self._run.known(item)
      if report is None:
        turn = self._run.start(item, self._worker, self._line)
        report = functools.partial(self._report, item, turn)
      self._begun.append((item, report))

  def _report(self, item, turn):
    check = self._run.interrupts.check
    self._run.begin(item)
    self._line.lead(turn)
    try:
      while not turn.ended:
        self._line.wait_until(lambda: turn.ended or self._has_room(), check)
        self._fill()
    except KeyboardInterrupt:
      self._line.stop()
      if turn.is_done:  # its files were being written
        self._run.take(item, turn.result())
      raise
    if self._line.failed_beside_others(turn):
      return _AGAIN
    return self._run.take(item, turn.result())


def _has_failed(result):
  return result.how == 'failed'
