"""Restores pictures, each to a result that says how it went."""

from collections.abc import Callable
import dataclasses
import json
import os
import traceback
from typing import Any, TYPE_CHECKING

from artjax.restoration import options as options_lib
from artjax.restoration.batch import finding
from artjax.restoration.batch import journal
from artjax.restoration.batch import turns

if TYPE_CHECKING:
  from artjax.restoration import chain as chain_lib
  from artjax.restoration.provenance import credentials

# NumPy, JAX and libvips are imported where they are needed; see command.py.


@dataclasses.dataclass
class Result:
  """How it went with a picture.

  Attributes:
    how: 'done', 'skipped' or 'failed'.
    entry: for the journal; {} if it was skipped.
    lines: what a user should know of it.
    reason: of a failure, one line.
    stop: why every other picture would fail too; '' = they would not.
  """

  how: str
  entry: dict[str, Any] = dataclasses.field(default_factory=dict)
  lines: list[str] = dataclasses.field(default_factory=list)
  reason: str = ''
  stop: str = ''


class Worker:
  """Restores pictures with a chain.

  Attributes:
    settings: all that a result depends on besides its inputs, as text.
  """

  def __init__(
    self,
    chain: 'chain_lib.Chain',
    options: options_lib.Options,
    signer: 'credentials.Signer | None' = None,
  ) -> None:
    self._chain, self._options, self._signer = chain, options, signer
    settings = [options.as_json(), chain.describe()]
    self.settings = json.dumps(settings + ['signed'] * bool(signer))

  def restore(
    self,
    item: finding.Item,
    last: str = '',
    on_tiles: Callable[[int, int], None] = lambda done, total: None,
    turn: turns.Alone = turns.Alone(),
  ) -> Result:
    """Restores an item; an error of whatever library is a failure.

    Args:
      item: planned by `outputs.plan`.
      last: the key with which all its files were last made; '' = none. With
        the same key it is skipped.
      on_tiles: called with the number of tiles done and the total.
      turn: waits for other pictures that are in work.
    """
    from artjax.image_io import vips

    vips.forget_files()
    vips.forget_errors()
    inputs = item.source, *item.brought.values()
    entry = {'source': item.name or os.path.abspath(item.source)}
    try:
      entry['stamp'] = journal.stamp(self.settings, *inputs)
      entry['key'] = journal.key(self.settings, *inputs)
      if entry['key'] == last:
        return Result('skipped')
      record = self._restore(item, on_tiles, turn)
    except Exception as error:  # the others go on
      if not _is_expected(error):
        entry['traceback'] = traceback.format_exc()
      stop = 'the disk is full' if vips.is_full(error) else ''
      return failed(item, error, entry, stop)
    lines = [*item.notices, *record['notices'], *record['tiling']]
    if 'confidence' in record:
      lines.append(record['confidence']['sentence'])
    return Result('done', entry | {'status': 'done', **record}, lines)

  def _restore(self, item, on_tiles, turn):
    from artjax.restoration import restore_file

    brought = [item.brought.get(kind, '') for kind in ('mask', 'hints')]
    return restore_file.restore_file(
      item.source,
      self._chain,
      restore_file.Outputs(**{'picture': '', **item.outputs}),
      self._options,
      *brought,
      on_tiles,
      item.name,
      self._signer,
      item.page,
      turn,
    )


def load(weights: str, options: options_lib.Options, c2pa: str = '') -> Worker:
  """A worker with the chain of `weights` that signs with the file `c2pa`.

  Raises:
    OSError: there are no such weights, or no such file.
    ValueError: they cannot be used.
  """
  from artjax.restoration import chain as chain_lib
  from artjax.restoration.provenance import credentials

  signer = credentials.Signer(c2pa) if c2pa else None
  return Worker(chain_lib.Chain(weights), options, signer)


def failed(
  item: finding.Item,
  error: Exception | str,
  entry: dict[str, Any] | None = None,
  stop: str = '',
) -> Result:
  """The result of a picture that cannot be restored.

  Args:
    item: the picture.
    error: why.
    entry: of the journal, as far as it is known.
    stop: see `Result`.
  """
  if isinstance(error, str):
    error = ValueError(error)
  reason = _one_line(error, item)
  source = {'source': item.name or os.path.abspath(item.source)}
  entry = source | (entry or {}) | {'status': 'failed', 'reason': reason}
  return Result('failed', entry, [], reason, stop)


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
