"""The figures of one picture: metrics by name, what they need, and equality."""

from collections.abc import Callable, Iterable
import inspect

import numpy as np

from artjax import registry
from artjax import resampling
from artjax.evaluation import metrics

Figures = dict[str, float]  # by metric


def measure(
  names: Iterable[str],
  picture: np.ndarray,
  target: np.ndarray,
  crop: int = 0,
  low: np.ndarray | None = None,
  mask: np.ndarray | None = None,
) -> Figures:
  """{metric: number} of one picture.

  Args:
    names: functions of metrics.py.
    picture: u8[H, W, 3].
    target: u8[H, W, 3].
    crop: border that is left out, px.
    low: the low-resolution input u8[h, w, 3] of super-resolution: adds
      `consistency`, the PSNR in dB between it and the picture shrunk again:
      whether invented detail agrees with the input.
    mask: u8[H, W, C] of damage, for the metrics that take one.

  Raises:
    ValueError: a metric needs a mask, and there is none.
  """
  found = {}
  for name in names:
    function, more = metric(name), {}
    if _needs_mask(function):
      if mask is None:
        raise ValueError(
          f'eval.metrics: {name} needs a mask of the damage, and eval.ops make '
          'none'
        )
      more['mask'] = within(np.asarray(mask.max(-1) > 0), crop)[None]
    found[name] = float(
      function(picture[None], target[None], crop=crop, **more)[0]
    )
  if low is not None:
    again = resampling.imresize(picture, size=low.shape[:2])
    found['consistency'] = float(metrics.psnr_rgb(again[None], low[None])[0])
  return found


def metric(name: str) -> Callable[..., np.ndarray]:
  """The metric of this name, of metrics.py or a module of the user's.

  Raises:
    ValueError: there is none.
  """
  for module in registry.used():
    found = registry.public(module).get(name)
    if found and 'crop' in inspect.signature(found).parameters:
      return found
  return registry.get('artjax.evaluation.metrics', name)


def lower_is_better() -> set[str]:
  """Names of the metrics of which the smallest value is the best."""
  modules = (metrics, *registry.used())
  return {n for m in modules for n in getattr(m, 'LOWER_IS_BETTER', ())}


def _needs_mask(function):
  parameter = inspect.signature(function).parameters.get('mask')
  return parameter is not None and parameter.default is parameter.empty


def same(picture: np.ndarray, target: np.ndarray, crop: int = 0) -> bool:
  """Whether two pictures [H, W, C] are identical inside a border, px."""
  return np.array_equal(within(picture, crop), within(target, crop))


def within(picture: np.ndarray, crop: int) -> np.ndarray:
  """A picture [H, W, C] without a border, px."""
  height, width = picture.shape[:2]
  return picture[crop : height - crop, crop : width - crop]
