"""Calibrates the errors that a network predicts against measured errors.

A network with `confidence` predicts for each pixel the scale b of its error.
The relation of b to true errors is measured once, on known damage, and stored
with the weights: `artjax calibrate` fits a `Calibration`. An error is that of a
pixel's worst channel, in levels of 255.
"""

import dataclasses
from typing import Any

import numpy as np

RIGHT = 5  # levels: an error of at most so many counts as right
SHARE = 0.8  # of the errors of pixels of one scale are at most their `within`
_BINS = 24
_FIELD = 'calibration'  # of a configuration


@dataclasses.dataclass(frozen=True)
class Calibration:
  """Tables over log b: the expected errors of pixels with that scale.

  Attributes:
    log_scale: ascending, of pictures in [0, 1].
    within: the error that 80 % of the pixels do not exceed, levels.
    right: share of the pixels whose error, rounded, is at most 5 levels.
    error: mean error, levels.
    square: mean square of the error of all channels, levels squared.
  """

  log_scale: tuple[float, ...]
  within: tuple[float, ...]
  right: tuple[float, ...]
  error: tuple[float, ...]
  square: tuple[float, ...]

  @classmethod
  def of(cls, config: Any) -> 'Calibration | None':
    """The calibration in the configuration of some weights, or None."""
    found = config.get(_FIELD)
    return cls(**{k: tuple(v) for k, v in found.items()}) if found else None

  @classmethod
  def fit(
    cls, log_scale: np.ndarray, error: np.ndarray, square: np.ndarray
  ) -> 'Calibration':
    """Fits tables to pixels, f32[N] each; N must exceed the size of the tables.

    Args:
      log_scale: predicted by the network.
      error: largest of the channels, levels.
      square: mean over the channels, levels squared.
    """
    order = np.argsort(log_scale, kind='stable')
    parts = np.array_split(order, _BINS)
    rising = lambda of: _rising(of, parts)
    return cls(
      log_scale=_rounded(log_scale[i].mean() for i in parts),
      within=_rounded(rising(lambda i: np.quantile(error[i], SHARE))),
      right=_rounded(1 - rising(lambda i: 1 - _right(error[i]).mean())),
      error=_rounded(rising(lambda i: error[i].mean())),
      square=_rounded(rising(lambda i: square[i].mean())),
    )

  def as_json(self) -> dict[str, Any]:
    """For a configuration: {field: {table: numbers}}."""
    tables = dataclasses.asdict(self)
    return {_FIELD: {name: list(table) for name, table in tables.items()}}

  def expected(self, table: str, log_scale: np.ndarray) -> np.ndarray:
    """The values of a table for pixels, in the shape of `log_scale`."""
    return np.interp(log_scale, self.log_scale, getattr(self, table))

  def measured(
    self, log_scale: np.ndarray, restored: np.ndarray, target: np.ndarray
  ) -> dict[str, float]:
    """Compares the expected errors of a picture with the true ones.

    Args:
      log_scale: f32[H, W].
      restored: f32[H, W, 3] in [0, 1], not rounded.
      target: u8[H, W, 3].

    Returns:
      within_80: share of the pixels with errors in the band that should contain
      80 %; and right (share), error (levels) and psnr (dB), true values and, as
      `*_expected`, expected ones.
    """
    error, square = errors(restored, target)
    mean = lambda table: float(self.expected(table, log_scale).mean())
    inside = error <= self.expected('within', log_scale)
    return {
      'within_80': float(inside.mean()),
      'right': float(_right(error).mean()),
      'right_expected': mean('right'),
      'error': float(error.mean()),
      'error_expected': mean('error'),
      'psnr': psnr(float(square.mean())),
      'psnr_expected': psnr(mean('square')),
    }


def errors(
  restored: np.ndarray, target: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
  """(largest error of the channels, mean square), f32[H, W], in levels.

  Args:
    restored: f32[H, W, 3] in [0, 1], not rounded.
    target: u8[H, W, 3].
  """
  moved = np.abs(np.clip(restored, 0, 1) * np.float32(255) - target)
  return moved.max(-1), (moved**2).mean(-1)


def psnr(square: float) -> float:
  """In dB, of a mean square of errors in levels."""
  return float(10 * np.log10(255**2 / max(square, 1e-12)))


def _right(error):
  return error < RIGHT + 0.5


def _rising(of, parts):
  """of(part) for each part; where it would decrease, parts are pooled.

  A larger scale must not mean a smaller error.
  """
  blocks: list[tuple[float, list]] = []
  for part in parts:
    value, together = of(part), [part]
    while blocks and blocks[-1][0] > value:
      together = blocks.pop()[1] + together
      value = of(np.concatenate(together))
    blocks.append((value, together))
  return np.repeat([v for v, _ in blocks], [len(t) for _, t in blocks])


def _rounded(table):
  return tuple(round(float(value), 5) for value in table)
