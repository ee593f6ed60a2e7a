"""Decorators that turn plain functions of arrays into ops with a severity.

    @tonal
    def fading(image, severity, rng, *, kind='any'): ...        -> image
    @local('crack')
    def scratches(image, severity, rng, *, width=2): ...        -> image, mask
    @preset
    def old_photo(example, severity, rng): ...                  -> example

Each name becomes a factory: `scratches(severity=0.5, width=3)` is an op,
`fn(example, rng) -> example`, and `scratches.__wrapped__` is the plain
function. Images are float32 [H, W, 3] in [0, 1]; an op converts a u8 image once
and returns float32. Severity is a number in [0, 1], or a pair (low, high) from
which it is drawn uniformly for each example. At severity 0 the arrays of the
example are returned unchanged.
"""

from collections.abc import Callable
import functools
import inspect

import cv2
import numpy as np

from artjax import damage_classes
from artjax.data import examples
from artjax.data.examples import Example
from artjax.data.examples import Op

# What changes no channel of a pixel by more, of 1, is neither seen nor in a
# mask: 8 of 255. (Of craquelure that may be half: dark cracks in dark paint.)
VISIBLE = 8 / 255


def tonal(function: Callable[..., np.ndarray]) -> Callable[..., Op]:
  """Makes ops of fn(image, severity, rng, *, ...) -> image."""

  def apply(example, severity, rng, parameters):
    image = as_float(example['image'])
    image = function(image, severity, rng, **parameters)
    return {**example, 'image': clip(image)}

  return _factory(function, apply)


def local(part: str) -> Callable[[Callable], Callable[..., Op]]:
  """Makes ops of fn(image, severity, rng, *, ...) -> (image, weight).

  Args:
    part: 'crack', 'loss' or 'stain', the channel of example['mask'].

  Returns:
    A decorator of functions whose weight f32[H, W], in [0, 1], bounds what
    changed in each pixel. The mask is 255 where a channel changed by more than
    `VISIBLE`, and is ORed into the example's.
  """
  channel = damage_classes.index(part)

  def decorate(function):
    def apply(example, severity, rng, parameters):
      image = as_float(example['image'])
      before = image
      image, _ = function(image, severity, rng, **parameters)
      image = clip(image)
      old = example.get('mask')
      mask = np.zeros(image.shape, np.uint8) if old is None else old.copy()
      # Ten times as fast as numpy's maximum over the last axis, and more.
      red, green, blue = cv2.split(cv2.absdiff(image, before))
      seen = cv2.max(cv2.max(red, green), blue) > VISIBLE
      mask[..., channel] |= seen.view(np.uint8) * np.uint8(255)
      return {**example, 'image': image, 'mask': mask}

    factory = _factory(function, apply)
    factory.part = part
    return factory

  return decorate


def preset(function: Callable[..., Example]) -> Callable[..., Op]:
  """Makes ops of fn(example, severity, rng, *, ...) -> example."""
  return _factory(
    function,
    lambda example, severity, rng, parameters: function(
      example, severity, rng, **parameters
    ),
  )


def as_float(image: np.ndarray) -> np.ndarray:
  """A picture as float32 in [0, 1].

  Args:
    image: u8 in [0, 255], or f32, which is returned unchanged.

  Raises:
    ValueError: another dtype.
  """
  if image.dtype == np.uint8:
    return np.multiply(image, np.float32(1 / 255), dtype=np.float32)
  if image.dtype == np.float32:
    return image
  raise ValueError(f'an image must be uint8 or float32, not {image.dtype}')


def clip(image: np.ndarray) -> np.ndarray:
  """Clips f32 of up to four channels to [0, 1]; thrice as fast as np.clip."""
  _, image = cv2.threshold(image, 1, 0, cv2.THRESH_TRUNC)
  return cv2.threshold(image, 0, 0, cv2.THRESH_TOZERO, image)[1]


def _factory(function, apply):
  """A factory of ops: the function's name and parameters, with a severity."""
  signature = inspect.signature(function)
  known = [
    name
    for name, parameter in signature.parameters.items()
    if parameter.kind is parameter.KEYWORD_ONLY
  ]

  @examples.op
  @functools.wraps(function)
  def factory(severity=0.5, **parameters):
    unknown = [name for name in parameters if name not in known]
    if unknown:
      raise ValueError(
        f'{function.__name__} has no {", ".join(unknown)}; it has '
        f'{", ".join(["severity", *known])}'
      )
    low, high = _range(severity, function.__name__)

    def op(example, rng):
      drawn = low if low == high else rng.uniform(low, high)
      if drawn == 0:
        return example
      return apply(example, drawn, rng, parameters)

    return op

  return factory


def _range(severity, name):
  """A number or a pair -> (low, high)."""
  if isinstance(severity, (tuple, list)) and len(severity) == 2:
    low, high = severity
  else:
    low = high = severity
  numbers = all(isinstance(value, (int, float)) for value in (low, high))
  if not numbers or not 0 <= low <= high <= 1:
    raise ValueError(
      f'severity of {name} must be a number in [0, 1] or a '
      f'pair (low, high) of such, got {severity!r}'
    )
  return low, high
