"""What a family of published networks says of itself.

A `Row` joins a tensor's published name to its flax path, and says how its axes
are turned; one table of rows serves reading and writing.
"""

from collections.abc import Callable, Iterable, Mapping
import dataclasses
import re
from typing import Any, NamedTuple

import numpy as np

Tensors = Mapping[str, np.ndarray]


class Row(NamedTuple):
  """One tensor: its published name, its flax path, and what is between."""

  name: str
  path: str
  layout: str = 'as_is'  # of `_LAYOUTS`
  block: int | None = None  # of a leading axis that flax has and they have not


@dataclasses.dataclass(frozen=True)
class Family:
  """One architecture, in all the forms in which it was published.

  Attributes:
    title: its usual name.
    model: '<file>.<class>' of the network here.
    keys: names that all of its files have, in the form of `rows`.
    fields: tensors in that form -> the network's fields, from names and shapes.
    rows: the network (a linen module, not bound) -> its tensors.
    unify: tensors of any form -> those of the form of `rows`. It leaves those
      of other families as they are.
    marks: the network -> tensors that hold nothing but by being there say
      something of it.
    beside: the network -> {flax path: value} of what files have not: what it
      is told of a picture.
  """

  title: str
  model: str
  keys: tuple[str, ...]
  fields: Callable[[Tensors], dict[str, Any]]
  rows: Callable[[Any], list[Row]]
  unify: Callable[[Tensors], Tensors] = lambda tensors: tensors
  marks: Callable[[Any], Tensors] = lambda net: {}
  beside: Callable[[Any], dict[str, float]] = lambda net: {}


# {layout: (published -> flax, (flax, shape of the published one) -> it)}.
_LAYOUTS: dict[str, tuple[Callable, Callable]] = {
  'as_is': (lambda w: w, lambda w: w),
  # OIHW, HWIO.
  'conv': (
    lambda w: w.transpose(2, 3, 1, 0),
    lambda w: w.transpose(3, 2, 0, 1),
  ),
  # [out, in] of a dense layer.
  'dense': (lambda w: w.T, lambda w: w.T),
  # [out, in, 1, 1]: a dense layer of pixels.
  'pointwise': (lambda w: w[:, :, 0, 0].T, lambda w: w.T[:, :, None, None]),
  # [out, in, 2, 2], stride 2: a dense layer of unshuffled pixels.
  'down2': (
    lambda w: w.reshape(len(w), -1).T,
    lambda w: w.T.reshape(w.shape[1], -1, 2, 2),
  ),
  # [in, out, 2, 2], transposed, stride 2: a dense layer, then shuffled.
  'up2': (
    lambda w: w.reshape(len(w), -1),
    lambda w: w.reshape(len(w), -1, 2, 2),
  ),
  # [C, 1, 3, 3], [3, 3, C].
  'depthwise': (
    lambda w: w[:, 0].transpose(1, 2, 0),
    lambda w: w.transpose(2, 0, 1)[:, None],
  ),
  # [1, C, 1, 1], [1, 1, 1, C].
  'channels': (
    lambda w: w.transpose(0, 2, 3, 1),
    lambda w: w.transpose(0, 3, 1, 2),
  ),
}


def to_flax(value: np.ndarray, layout: str) -> np.ndarray:
  """A published tensor with its axes as flax has them."""
  return _LAYOUTS[layout][0](value)


def to_published(value: np.ndarray, layout: str) -> np.ndarray:
  """Undoes `to_flax`."""
  return _LAYOUTS[layout][1](value)


def layer(
  name: str,
  path: str,
  layout: str = 'conv',
  block: int | None = None,
  bias: bool = True,
) -> list[Row]:
  """Rows of a layer: its kernel, and its bias if it has one."""
  rows = [Row(f'{name}.weight', f'{path}/kernel', layout, block)]
  if bias:
    rows.append(Row(f'{name}.bias', f'{path}/bias', block=block))
  return rows


def norm(name: str, path: str) -> list[Row]:
  """Rows of a layer norm."""
  return [
    Row(f'{name}.weight', f'{path}/scale'),
    Row(f'{name}.bias', f'{path}/bias'),
  ]


def count(names: Iterable[str], pattern: str) -> int:
  """One more than the largest number where `pattern` has its group; or 0."""
  found = map(re.compile(pattern).match, names)
  return max((int(match[1]) + 1 for match in found if match), default=0)


def scale_of(outputs: int, channels: int = 3) -> int:
  """The scale of a pixel shuffle that so many features go into.

  Raises:
    ValueError: there is none.
  """
  scale = round((outputs / channels) ** 0.5)
  if scale < 1 or outputs != channels * scale**2:
    raise ValueError(f'{outputs} features are no pixels of {channels} channels')
  return scale
