"""One job: the picture that is processed, and its progress."""

import asyncio
import contextlib
import secrets
import time
from typing import Any

from artjax.web.server import messages
from artjax.web.server import store as store_lib

# {format of a result in a query: suffix}; '' = what loses nothing.
FORMATS = {
  '': '',
  'same': '',
  'png': '.png',
  'tiff': '.tif',
  'jpeg': '.jpg',
  'webp': '.webp',
}


class Job:
  """A picture to process, and the progress.

  Attributes:
    state: 'queued', 'preparing', 'running', 'finishing', and at the end 'done',
      'failed' or 'cancelled'.
  """

  def __init__(
    self,
    session: store_lib.Session,
    source: store_lib.Entry,
    steps: list[str],
    options: dict[str, Any],
    tied: bool = False,
    mask: store_lib.Entry | None = None,
    format: str = '',
    hints: store_lib.Entry | None = None,
    weights: str = '',
  ):
    """A job that waits.

    Args:
      session: whose it is.
      source: the picture to work on.
      steps: names of abilities, in order.
      options: by their names in a query.
      tied: whether it ends when the page that started it is closed.
      mask: of pixels to fill; deleted with the job.
      format: of the result, of `FORMATS`.
      hints: of colours; deleted with the job.
      weights: those that are not the usual ones, see `choices.chosen`.
    """
    self.id = secrets.token_hex(12)
    self.session = session
    self.source = source
    self.steps = steps
    self.options = options
    self.mask = mask
    self.format = format
    self.hints = hints
    self.weights = weights
    self.tied = tied
    self.state = 'queued'
    self.place = 0  # in the queue; 1 = next
    self.cold = False  # whether its network has to be loaded first
    self.done, self.total = 0, 0  # tiles
    self.reason = ''
    self.result: store_lib.Entry | None = None
    self.followers = 0
    self.stopping = False
    self.left = time.monotonic()  # since when nobody follows
    self.updates = 0  # how many there were
    self._bell = asyncio.Event()
    # When the first tile was done, s, and how many that were.
    self._start: tuple[float, int] | None = None

  @property
  def over(self) -> bool:
    """Whether it has ended, well or not."""
    return self.state in ('done', 'failed', 'cancelled')

  @property
  def only_finds(self) -> bool:
    """Whether it only looks for damage, and makes no picture."""
    return self.steps == ['detect']

  def suffix(self) -> str:
    """Suffix of the result's file."""
    if self.format == 'same':
      return self.source.suffix
    if self.format:
      return FORMATS[self.format]
    # Lossless, and as deep as the source.
    info = self.source.info
    return {'PNG': '.png', 'TIFF': '.tif'}.get(
      info['format'], '.tif' if 'CMYK' in info['channels'] else '.png'
    )

  def update(self, **values: Any) -> None:
    """Sets attributes and notifies those who follow the job."""
    for name, value in values.items():
      setattr(self, name, value)
    self.updates += 1
    self._bell.set()
    self._bell = asyncio.Event()

  def progress(self, answer: dict[str, Any]) -> None:
    """Handles an answer of the process that runs it."""
    if answer['event'] == 'preparing':
      self.update(state='preparing', cold=answer['cold'])
      return
    if self._start is None:
      self._start = time.monotonic(), answer['done']
    self.update(state='running', done=answer['done'], total=answer['total'])

  async def changed(self, timeout: float) -> None:
    """Waits for an update, at most `timeout` s."""
    with contextlib.suppress(TimeoutError):
      async with asyncio.timeout(timeout):
        await self._bell.wait()

  def eta(self) -> float | None:
    """Seconds left, by the speed since the first tile; None = unknown."""
    if not self._start or self.state != 'running':
      return None
    since, first = self._start
    if self.done <= first:
      return None
    spent = time.monotonic() - since
    return round(spent / (self.done - first) * (self.total - self.done), 1)

  def describe(self) -> dict[str, Any]:
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
      'message': messages.describe(self.reason),
      'picture': self.source.id,
      'steps': self.steps,
      **self.options,
      'mask': bool(self.mask),
      'hints': bool(self.hints),
      'weights': self.weights,
      'result': self.result.describe() if self.result else None,
    }
