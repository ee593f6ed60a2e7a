"""A run over many pictures: what it skips, and what it reports."""

import dataclasses
import os

from artjax.restoration.batch import finding
from artjax.restoration.batch import interrupts as interrupts_lib
from artjax.restoration.batch import journal
from artjax.restoration.batch import progress
from artjax.restoration.batch import steps as steps_lib
from artjax.restoration.batch import worker as worker_lib

# NumPy, JAX and libvips are imported where they are needed; see command.py.


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
    self.over = False

  def restore(
    self, items: list[finding.Item], worker: worker_lib.Worker
  ) -> None:
    """Restores items in this process, one after the other.

    Args:
      items: planned by `outputs.plan`.
      worker: restores them.

    Raises:
      KeyboardInterrupt: a signal came; no file is left half written.
    """
    for item in items:
      self.interrupts.check()
      if not self.passed(item):
        self.begin(item)
        self._steps.begin(item.called)
        self.take(item, worker.restore(item, self.last(item), self._bar.tiles))
      if self.over:
        break

  def last(self, item: finding.Item) -> str:
    """The key with which the files of an item were last made; '' = none."""
    return self._finished(item.outputs.values()).key

  def passed(self, item: finding.Item) -> bool:
    """Passes over an item that needs no worker: it is finished, or cannot be.

    An item whose source has changed its times is not finished: a worker looks
    at its content.
    """
    how, reason = self._steps.ended.get(item.called, ('', ''))
    if how in ('done', 'skipped', 'failed'):  # before a crash
      self.begin(item)
      self._outcome.add(item.called, how, reason)
    elif reason or item.problem:
      self.begin(item)
      self.take(item, worker_lib.failed(item, reason or item.problem))
    elif self._is_finished(item):
      self.begin(item)
      self.take(item, worker_lib.Result('skipped'))
    else:
      return False
    return True

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
