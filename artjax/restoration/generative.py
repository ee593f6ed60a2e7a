"""One picture whose colours are made anew: what it is told, what is said of it.

Colours of a grey picture and photographs of drawings are no restorations: they
are not a change of what the file holds, and nobody can know whether they are
right. The record says so.
"""

import os

from artjax.inference import colorizer
from artjax.inference import tiling
from artjax.interop import safetensors_io
from artjax.restoration import hints_file
from artjax.restoration import line_art

# What of a result is conjecture, by task.
TASKS = {
  'colorize': 'all colours: plausible ones, not what was there',
  'sketch2image': 'all but the drawn shapes: nothing of it was ever seen',
}


class Conjecture:
  """What is made anew of a picture by the tasks of a chain; perhaps nothing."""

  def __init__(self, picture, tasks, saturation=1.0, hints=''):
    """Prepares an `image_file.Picture` for new colours, if it gets any.

    Args:
      picture: gets notices of what is dropped of it.
      tasks: names, in the order in which they are done.
      saturation: of what is colorized.
      hints: path of a file of them, or ''; raises `hints_file.BadHints`.
    """
    self._tasks = [task for task in tasks if task in TASKS]
    self._picture, self._saturation = picture, saturation
    self._path, self._hints, self._inverted = hints, None, False
    if not self._tasks:
      return
    if 'colorize' in self._tasks:
      dropped = colorizer.notice(picture.thumbnail(colorizer.WORKING))
      picture.notices += [dropped] if dropped else []
    if hints:
      self._hints, notices = hints_file.load(
        hints, picture.height, picture.width
      )
      picture.notices += notices
    picture.to_rgb(paper='sketch2image' in self._tasks)

  def strips(self, restorer, read, height, width, whole, **settings):
    """`Restorer.strips` with all that its task wants to be told."""
    task, notices = restorer.config.task, self._picture.notices
    if task == 'sketch2image' and line_art.white_on_black(whole):
      notices.append('light lines on dark paper: inverted')
      self._inverted = True
      whole = line_art.invert(whole)
      drawn = read
      read = lambda *box: line_art.invert(drawn(*box))
    if restorer.config.model.args.get('coordinates'):
      tiles = restorer.tiles(height, width, settings['tile'])
      if tiles > 1:
        notices.append(
          f'seen in {tiles} parts by a network that knows '
          'drawings seen whole: shrink it to '
          f'{tiling.CORES[-1]} px a side'
        )
    if task == 'colorize':
      settings = {
        'hints': self._hints,
        'saturation': self._saturation,
        'on_tiles': settings['on_tiles'],
      }
    return restorer.strips(read, height, width, whole, **settings)

  def describe(self):
    """What was made anew, and of what, for the record."""
    if not self._tasks:
      return {}
    record = {'conjectural': [TASKS[task] for task in self._tasks]}
    if self._path:
      record |= {
        'hints': os.path.abspath(self._path),
        'hints_sha256': safetensors_io.file_sha256(self._path),
      }
    if 'sketch2image' in self._tasks:
      record['inverted'] = self._inverted
    return record
