"""Restores pictures one after the other, even if some of them fail."""

from collections.abc import Mapping
import dataclasses
import json
import os
import traceback
from typing import Any, TYPE_CHECKING

from artjax.restoration import options as options_lib
from artjax.restoration.batch import finding
from artjax.restoration.batch import interrupts as interrupts_lib
from artjax.restoration.batch import journal
from artjax.restoration.batch import progress
from artjax.restoration.batch import steps as steps_lib

if TYPE_CHECKING:
  from artjax.restoration import chain as chain_lib
  from artjax.restoration.provenance import credentials

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
  """One run of a chain over many pictures."""

  def __init__(
    self,
    chain: 'chain_lib.Chain',
    options: options_lib.Options,
    log: journal.Journal,
    bar: progress.Progress,
    interrupts: interrupts_lib.Interrupts,
    fail_fast: bool,
    signer: 'credentials.Signer | None' = None,
    steps: steps_lib.Steps | None = None,
  ) -> None:
    self._chain, self._options = chain, options
    self._log, self._bar, self._interrupts = log, bar, interrupts
    self._fail_fast, self._signer = fail_fast, signer
    self._steps = steps or steps_lib.Steps()
    settings = [options.as_json(), chain.describe()]
    self._settings = json.dumps(settings + ['signed'] * bool(signer))
    self._general = {*chain.notices(options)}  # said already, of all of them

  def restore(
    self, items: list[finding.Item], made: Mapping[str, str], outcome: Outcome
  ) -> None:
    """Restores items; reports and skips those that cannot be restored.

    Args:
      items: planned by `outputs.plan`.
      made: from `journal.read`; files made with the same key are skipped.
      outcome: counts are added to it.

    Raises:
      KeyboardInterrupt: a signal came; no file is left half written.
    """
    for item in items:
      self._interrupts.check()
      self._bar.start(os.path.basename(item.called))
      how, reason = self._steps.ended.get(item.called, ('', ''))
      if how in ('done', 'skipped', 'failed'):  # before a crash
        outcome.add(item.called, how, reason)
        continue
      if not how:
        self._steps.begin(item.called)
      try:
        how = self._try(item, made, outcome, reason)
      except _Stop as stop:
        outcome.stopped = str(stop)
        how = 'failed' if item.called in outcome.failures else 'done'
      self._steps.end(item.called, how, outcome.failures.get(item.called, ''))
      self._bar.finish(how)
      if outcome.stopped or (how == 'failed' and self._fail_fast):
        break

  def _try(self, item, made, outcome, crash):
    """Restores one, unless that crashed; 'done', 'skipped' or 'failed'."""
    from artjax.image_io import vips

    vips.forget_files()
    entry = {'source': item.name or os.path.abspath(item.source)}
    paths = [*item.outputs.values()]
    try:
      if crash or item.problem:
        raise ValueError(crash or item.problem)
      entry['key'] = journal.key(
        self._settings, item.source, *item.brought.values()
      )
      if _is_made(paths, entry['key'], made):
        outcome.skipped += 1
        return 'skipped'
      record = self._restore(item)
    except Exception as error:  # of whatever library: the others go on
      reason = outcome.failures[item.called] = _one_line(error, item)
      if not _is_expected(error):
        entry['traceback'] = traceback.format_exc()
      self._bar.write(reason)
      self._write(entry | {'status': 'failed', 'reason': reason}, paths)
      if vips.is_full(error):
        raise _Stop('the disk is full') from error
      return 'failed'
    outcome.done += 1
    self._say(item, record)
    self._write(entry | {'status': 'done', **record}, paths)
    return 'done'

  def _restore(self, item):
    from artjax.restoration import restore_file

    brought = [item.brought.get(kind, '') for kind in ('mask', 'hints')]
    return restore_file.restore_file(
      item.source,
      self._chain,
      restore_file.Outputs(**{'picture': '', **item.outputs}),
      self._options,
      *brought,
      self._bar.tiles,
      item.name,
      self._signer,
      item.page,
    )

  def _say(self, item, record):
    """What a user should know of a result."""
    from artjax.image_io import writer

    lines = [*item.notices, *record['notices'], *record['tiling']]
    if 'confidence' in record:
      lines.append(record['confidence']['sentence'])
    for line in lines:
      if line not in self._general:
        self._bar.write(f'{item.called}: {line}')
      if line in (writer.LOSSY, writer.LOSSY_IN_PART):  # it is of all
        self._general.add(line)

  def _write(self, entry: dict[str, Any], paths: list[str]) -> None:
    try:
      self._log.write(entry, paths)
    except OSError as error:
      raise _Stop(f'{error.filename}: {error.strerror}') from error


class _Stop(Exception):
  """An error that every other picture would have too."""


def _is_made(paths, key, made):
  return bool(paths) and all(
    made.get(os.path.realpath(path)) == key and os.path.exists(path)
    for path in paths
  )


def _is_expected(error):
  return isinstance(error, (ValueError, OSError, MemoryError)) or (
    type(error).__name__ == 'OutOfMemory'
  )


def _one_line(error, item):
  """What is wrong with a file, in one line that names it."""
  path = item.source
  text = ' '.join(str(error).split()) or type(error).__name__
  if isinstance(error, OSError) and error.strerror:
    text = f'{error.filename or path}: {error.strerror}'
  elif type(error).__name__ == 'OutOfMemory':
    text = f'not enough memory even for the smallest tiles ({text})'
  elif isinstance(error, MemoryError):
    text = f'not enough memory ({text})'
  elif not _is_expected(error):
    text = f'failed unexpectedly ({type(error).__name__}: {text})'
  if item.called != path:
    text, path = text.replace(path, item.called), item.called
  return text if path in text else f'{path}: {text}'
