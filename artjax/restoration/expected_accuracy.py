"""The expected accuracy of a result: pixel by pixel, and in one sentence."""

from typing import Any

import numpy as np

from artjax.image_io import writer as image_writer
from artjax.inference import base
from artjax.inference import confidence

# What a byte stands for: log b from 1e-4 to 1, in equal steps.
_LEAST, _STEP = np.log(1e-4), -np.log(1e-4) / 255


class PredictedErrors:
  """The scales of errors that a network predicts, one byte per pixel.

  Filled pixels are conjecture, whatever a network predicts for them, and count
  as unknown.
  """

  def __init__(
    self, calibration: confidence.Calibration, height: int, width: int
  ) -> None:
    self._calibration = calibration
    self._levels = np.zeros([height, width], np.uint8)

  def taken_from(self, strips: base.Strips) -> base.Strips:
    """Strips without their last channel, log b, which is kept here."""
    for top, rows in strips:
      steps = np.rint((rows[..., -1] - _LEAST) / _STEP)
      self._levels[top : top + len(rows)] = np.clip(steps, 0, 255)
      yield top, rows[..., :-1]

  def describe(self, hole: np.ndarray | None) -> dict[str, Any]:
    """For the record.

    Args:
      hole: bool [height, width], the filled pixels, or None.

    Returns:
      right_within_5: expected share of all pixels that are right to within 5
      levels; psnr (dB) and mean_error (levels of the worst channel) of the
      pixels that are not filled; filled, a share; and the sentence. If all
      pixels are filled, only the last two.
    """
    known = self._levels if hole is None else self._levels[~hole]
    filled = 1 - known.size / self._levels.size
    if not known.size:
      return {'filled': 1.0, 'sentence': 'all of it is filled in: conjecture'}
    counts = np.bincount(known.ravel(), minlength=256) / known.size
    mean = lambda table: float(counts @ self._table(table))
    right = mean('right') * (1 - filled)
    psnr = confidence.psnr(mean('square'))
    return {
      'right_within_5': round(right, 4),
      'psnr': round(psnr, 2),
      'mean_error': round(mean('error'), 2),
      'filled': round(filled, 6),
      'sentence': _sentence(right, filled),
    }

  def save(self, path: str, hole: np.ndarray | None) -> None:
    """Writes a map: 80 % of the pixels of a grey level have at most that error.

    Filled pixels are white.
    """
    within = np.ceil(self._table('within'))
    grey = np.clip(within, 0, 255).astype(np.uint8)
    levels = grey[self._levels]
    if hole is not None:
      levels[hole] = 255
    image_writer.save_grey(levels, path)

  def _table(self, name):
    """f64[256], of each byte."""
    return self._calibration.expected(name, _LEAST + _STEP * np.arange(256))


def _sentence(right, filled):
  said = (
    f'about {100 * right:.0f} % of the pixels are expected to be right to '
    f'within {confidence.RIGHT} of 255 levels'
  )
  if not filled:
    return said
  share = f'{100 * filled:.0f} %' if filled >= 0.01 else 'less than 1 %'
  return f'{said}; {share} is filled in, which is conjecture and not known'
