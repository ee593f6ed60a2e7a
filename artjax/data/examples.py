"""The format of an example, and the decorator that declares an op.

An example is a dict of 'name' and of pictures, arrays [H, W, C], u8 in [0, 255]
or f32 in [0, 1]:

  image    what the network sees
  target   the clean picture
  mask     u8, 255 = damaged: one channel per class of damage, or three equal
  real     what a discriminator sees instead of 'target', where they differ
  hints    u8 RGBA: colours that the user gives, alpha 255 where there are any

It may also hold 'context', a thumbnail of 'image' before it was cropped,
'label', an int given by the source, and 'class_label', u8[].

An op is `fn(example, rng) -> example`. It never writes into the arrays it was
given, since a source may return the same arrays again.

In pairs for super-resolution 'image' is smaller than the others by an integer
factor.
"""

from collections.abc import Callable
from typing import Any, TypeVar

import numpy as np

Example = dict[str, Any]
Op = Callable[[Example, np.random.Generator], Example]
_Factory = TypeVar('_Factory', bound=Callable[..., Op])

PICTURES = ('image', 'target', 'mask', 'real', 'hints')
KEYS = PICTURES + ('context', 'class_label')  # what may become part of a batch


def op(factory: _Factory) -> _Factory:
  """Declares a function that returns an op, whose name ops strings can use.

  `artjax.registry` finds the functions declared in this way in all modules of
  `artjax.data.ops` and `artjax.data.degradations`.
  """
  factory.makes_op = True  # type: ignore[attr-defined]
  return factory


def extent(example: Example) -> tuple[int, int, int]:
  """The size of an example.

  Args:
    example: with 'image'.

  Returns:
    (height, width, factor): size of 'target' and 'mask', px, and the factor by
    which 'image' is smaller.

  Raises:
    ValueError: the sizes of the pictures differ in another way.
  """
  sizes = {key: example[key].shape[:2] for key in PICTURES if key in example}
  height, width = max(sizes.values())
  factor = height // sizes['image'][0]
  expected = {
    **dict.fromkeys(sizes, (height, width)),
    'image': (height / factor, width / factor),
  }
  if sizes != expected:
    raise ValueError(
      f'pictures of different sizes {sizes}: geometry comes before ops that '
      'resize one of them'
    )
  return height, width, factor


def same_extent(example: Example) -> tuple[int, int]:
  """(height, width) px, for ops on pictures of one size.

  Raises:
    ValueError: 'image' is smaller than 'target'.
  """
  height, width, factor = extent(example)
  if factor > 1:
    raise ValueError(
      f"'image' is {factor} times smaller than 'target', and this op is for "
      'pictures of one size: use random_crop, center_crop or mod_crop'
    )
  return height, width


def each(
  example: Example,
  view: Callable[[np.ndarray, int], np.ndarray] = lambda x, unit: x,
  then: Callable[[np.ndarray, str], np.ndarray] | None = None,
) -> Example:
  """Applies a geometry to all pictures of an example.

  Args:
    example: of any pictures.
    view: fn(array, unit) -> array; one px of the array is `unit` px of
      'target'.
    then: fn(array, key) -> array, applied to the view; None = a contiguous
      copy, so that the memory of the picture behind a window can be freed.

  Returns:
    The new example; pictures that shared an array still do.
  """
  _, _, factor = extent(example)
  done, result = {}, dict(example)
  for key in PICTURES:
    if key not in example:
      continue
    # 'image' and 'target' are often one array still: the work is done once.
    identity = id(example[key]), key == 'mask'
    if identity not in done:
      array = view(example[key], factor if key == 'image' else 1)
      done[identity] = (
        np.ascontiguousarray(array) if then is None else then(array, key)
      )
    result[key] = done[identity]
  return result


def mask_of(example: Example) -> np.ndarray:
  """The damage mask u8[H, W, 3], all zero where no op has drawn one."""
  if 'mask' in example:
    return example['mask']
  height, width, _ = extent(example)
  return np.zeros([height, width, 3], np.uint8)


def positive(name: str, value: int) -> None:
  """Checks an argument.

  Raises:
    ValueError: `value` is not a positive integer.
  """
  if not isinstance(value, int) or value < 1:
    raise ValueError(f'{name} must be a whole number above 0, got {value!r}')


def multiple(name: str, value: int, factor: int) -> None:
  """Checks an argument of an op on pairs for super-resolution.

  Raises:
    ValueError: `value`, in px of 'target', is not a multiple of `factor`.
  """
  if value % factor:
    raise ValueError(
      f'{name} {value} is no multiple of {factor}, by which '
      "'target' is larger than 'image'"
    )
