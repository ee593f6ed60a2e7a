"""The description of a family of published networks.

A `Row` maps a tensor's published name to its flax path and gives the order of
its axes; the same rows serve for reading and writing.
"""

from collections.abc import Callable, Iterable, Mapping
import dataclasses
import re
from typing import Any, NamedTuple

import numpy as np

Tensors = Mapping[str, np.ndarray]
# Of networks that are conditioned on it, of [0, 1]: the usual 15 of 255.
NOISE_LEVEL = {'batch_stats/noise': 15 / 255}


class Row(NamedTuple):
  """One tensor: its published name, its flax path, and its layout."""

  name: str
  path: str
  layout: str = 'as_is'  # of `_LAYOUTS`
  block: int | None = None  # index in the leading axis of flax's tensor


@dataclasses.dataclass(frozen=True)
class Family:
  """One architecture, with all published forms of its names.

  Attributes:
    title: its usual name.
    model: '<file>.<class>' of the network in artjax.models.
    keys: names in all of its files, in the form of `rows`.
    fields: tensors in that form -> the network's fields, from names and shapes.
    rows: the network (an unbound linen module) -> its tensors.
    unify: tensors of any form -> the form of `rows`; those of other families
      are returned unchanged.
    marks: the network -> tensors without content, whose presence means
      something.
    derived: the network -> tensors that follow from its fields, such as the
      indices of windows. They are written, and ignored when read.
    beside: the network -> {flax path: initial value} of inputs that are not in
      files, such as the noise level.
    task: what its networks do, a file in artjax/tasks.
    channels: of a network's input in that task.
  """

  title: str
  model: str
  keys: tuple[str, ...]
  fields: Callable[[Tensors], dict[str, Any]]
  rows: Callable[[Any], list[Row]]
  unify: Callable[[Tensors], Tensors] = lambda tensors: tensors
  marks: Callable[[Any], Tensors] = lambda net: {}
  derived: Callable[[Any], Tensors] = lambda net: {}
  beside: Callable[[Any], dict[str, float]] = lambda net: {}
  task: str = 'restore'
  channels: int = 3


# {layout: (published -> flax, flax -> published)}.
_LAYOUTS: dict[str, tuple[Callable, Callable]] = {
  'as_is': (lambda w: w, lambda w: w),
  # OIHW -> HWIO.
  'conv': (
    lambda w: w.transpose(2, 3, 1, 0),
    lambda w: w.transpose(3, 2, 0, 1),
  ),
  # [out, in] -> [in, out].
  'dense': (lambda w: w.T, lambda w: w.T),
  # 1x1 convolution [out, in, 1, 1] -> dense layer [in, out].
  'pointwise': (lambda w: w[:, :, 0, 0].T, lambda w: w.T[:, :, None, None]),
  # Convolution [out, in, 2, 2] of stride 2 -> dense layer after an unshuffle.
  'down2': (
    lambda w: w.reshape(len(w), -1).T,
    lambda w: w.T.reshape(w.shape[1], -1, 2, 2),
  ),
  # Transposed convolution [in, out, 2, 2] of stride 2 -> dense layer before a
  # shuffle.
  'up2': (
    lambda w: w.reshape(len(w), -1),
    lambda w: w.reshape(len(w), -1, 2, 2),
  ),
  # Transposed convolution, IOHW -> HWIO; its taps are not turned round.
  'transposed': (
    lambda w: w.transpose(2, 3, 0, 1),
    lambda w: w.transpose(2, 3, 0, 1),
  ),
  # [C, 1, 3, 3] -> [3, 3, C].
  'depthwise': (
    lambda w: w[:, 0].transpose(1, 2, 0),
    lambda w: w.transpose(2, 0, 1)[:, None],
  ),
  # [heads, 1, 1] -> [heads].
  'heads': (lambda w: w[:, 0, 0], lambda w: w[:, None, None]),
  # [1, C, 1, 1] -> [1, 1, 1, C].
  'channels': (
    lambda w: w.transpose(0, 2, 3, 1),
    lambda w: w.transpose(0, 3, 1, 2),
  ),
}


def to_flax(value: np.ndarray, layout: str) -> np.ndarray:
  """A published tensor with its axes in flax's order."""
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
  """Rows of a layer: its kernel, and its bias if there is one."""
  rows = [Row(f'{name}.weight', f'{path}/kernel', layout, block)]
  if bias:
    rows.append(Row(f'{name}.bias', f'{path}/bias', block=block))
  return rows


def norm(name: str, path: str, block: int | None = None) -> list[Row]:
  """Rows of a norm: its scale and its bias."""
  return [
    Row(f'{name}.weight', f'{path}/scale', block=block),
    Row(f'{name}.bias', f'{path}/bias', block=block),
  ]


def count(names: Iterable[str], pattern: str) -> int:
  """1 + the largest number that the group of `pattern` matches, or 0."""
  found = map(re.compile(pattern).match, names)
  return max((int(match[1]) + 1 for match in found if match), default=0)


def scale_of(outputs: int, channels: int = 3) -> int:
  """The scale of a pixel shuffle with that many input features.

  Raises:
    ValueError: no scale gives that number.
  """
  scale = round((outputs / channels) ** 0.5)
  if scale < 1 or outputs != channels * scale**2:
    raise ValueError(
      f'{outputs} features cannot be shuffled to {channels} channels'
    )
  return scale
