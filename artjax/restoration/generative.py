"""Stages that invent content: colorizing, and pictures from drawings.

Their results do not correct the content of the file, and nobody can know
whether they are right. The record says so (`conjecture` of their tasks).
"""

import os
from typing import Any

import numpy as np

from artjax.image_io import reader
from artjax.inference import base
from artjax.inference import colorizer
from artjax.inference import tiling
from artjax.interop import safetensors_io
from artjax.restoration import stages
from artjax.restoration.masks import user_inputs

_LUMA = np.array([0.299, 0.587, 0.114])  # BT.601
_DARK = 0.4  # of the full range: lighter than ink, darker than paper


class Colorize(stages.Stage):
  """Drops the colours of a picture and predicts new ones."""

  kind = 'colorize'
  refuses = {'self_ensemble': 'processes a picture once, upright'}

  def prepare(self, picture: reader.Picture, work: stages.Work) -> None:
    """Reads hints, reports dropped colours, and makes the file RGB.

    Raises:
      user_inputs.BadInput: hints that cannot be used.
    """
    dropped = colorizer.notice(picture.thumbnail(colorizer.WORKING))
    work.notices += [dropped] if dropped else []
    if work.hints_path and work.hints is None:
      work.hints, notices = user_inputs.load_hints(
        work.hints_path, picture.height, picture.width
      )
      work.notices += notices
    picture.to_rgb()

  def strips(self, view: stages.View, work: stages.Work) -> base.Strips:
    """See `stages.Stage`."""
    return self.restorer.strips(
      view.read,
      view.height,
      view.width,
      view.thumbnail(self.restorer.view),
      hints=work.hints,
      saturation=work.options.saturation,
      on_tiles=work.on_tiles,
    )

  def provenance(self, work: stages.Work) -> dict[str, Any]:
    """The hints that were given."""
    if not work.hints_path:
      return {}
    return {
      'hints': os.path.abspath(work.hints_path),
      'hints_sha256': safetensors_io.file_sha256(work.hints_path),
    }


class Draw(stages.Network):
  """Makes a photograph or a painting from a drawing: dark lines on paper."""

  def prepare(self, picture: reader.Picture, work: stages.Work) -> None:
    """Puts the drawing on white paper."""
    del work
    picture.to_rgb(paper=True)

  def strips(self, view: stages.View, work: stages.Work) -> base.Strips:
    """See `stages.Stage`; light lines on dark paper are inverted."""
    drawn, whole = view, view.thumbnail(self.restorer.view)
    if white_on_black(whole):
      work.notices.append('light lines on dark paper: inverted')
      work.inverted = True
      view = stages.View(
        lambda *box: invert(drawn.read(*box)),
        lambda side: invert(drawn.thumbnail(side)),
        *view[2:],
      )
    if self.restorer.config.model.args.get('coordinates'):
      tiles = self.tiles(view.height, view.width, work)
      if tiles > 1:
        work.notices.append(
          f'seen in {tiles} parts by a network that knows drawings seen whole: '
          f'shrink it to {tiling.CORES[-1]} px a side'
        )
    return super().strips(view, work)

  def provenance(self, work: stages.Work) -> dict[str, Any]:
    """Whether light and dark were inverted."""
    return {'inverted': work.inverted}


def white_on_black(picture: np.ndarray) -> bool:
  """Whether a drawing is light on dark, such as chalk or a blueprint.

  Most of the picture, and most of its border, are paper. Both must be dark, and
  light pixels the smaller part: a heavy charcoal drawing on white paper does
  not count.

  Args:
    picture: u8 or u16 [H, W, 3], or float in [0, 1].
  """
  full = 1 if picture.dtype.kind == 'f' else np.iinfo(picture.dtype).max
  luma = picture @ _LUMA / full
  edge = max(1, min(luma.shape) // 50)
  border = np.concatenate(
    [
      luma[:edge].ravel(),
      luma[-edge:].ravel(),
      luma[:, :edge].ravel(),
      luma[:, -edge:].ravel(),
    ]
  )
  return bool(
    np.median(luma) < _DARK
    and np.median(border) < _DARK
    and np.mean(luma > 1 - _DARK) < 0.4
  )


def invert(picture: np.ndarray) -> np.ndarray:
  """The negative, of the same type."""
  full = 1 if picture.dtype.kind == 'f' else np.iinfo(picture.dtype).max
  return (full - picture).astype(picture.dtype)
