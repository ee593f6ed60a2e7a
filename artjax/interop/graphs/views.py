"""Axes of arrays: what of a reshape or transpose needs a node, and which."""

from collections.abc import Sequence
import math

import numpy as np

from artjax.interop.graphs.graph import Graph
from artjax.interop.graphs.graph import Unsupported
from artjax.interop.graphs.graph import Value


def transpose(value: Value, order: Sequence[int]) -> Value:
  """The axes in another order; adds no node."""
  groups = tuple(value.groups[axis] for axis in order)
  return Value(value.name, value.sides, groups, value.dtype)


def reshape(graph: Graph, value: Value, shape: Sequence[int]) -> Value:
  """Another shape in JAX; adds a node only where an axis is divided."""
  shape = tuple(map(int, shape))
  if value.shape == shape and all(value.groups):
    return value
  # The axes of the tensor in the order of the array, divided where the axes of
  # the new shape begin.
  pieces: list[list[int]] = [[] for _ in value.sides]  # of each axis
  groups: list[list[tuple[int, int]]] = [[] for _ in shape]  # (axis, piece)
  target, left = 0, shape[0] if shape else 1
  for axis in (axis for group in value.groups for axis in group):
    rest = value.sides[axis]
    while rest > 1:
      while left == 1:
        target, left = target + 1, shape[target + 1]
      side = math.gcd(rest, left)
      if side not in (rest, left):
        raise Unsupported(f'a reshape of {value.shape} to {shape}')
      groups[target].append((axis, len(pieces[axis])))
      pieces[axis].append(side)
      rest, left = rest // side, left // side
    if not pieces[axis] and shape:  # a side of 1 stays where it is
      groups[target].append((axis, 0))
      pieces[axis].append(1)
  if not shape:
    return graph.add('Reshape', [_as_held(value), graph.integers([])], [])
  sides = tuple(side for found in pieces for side in found)
  starts = np.cumsum([0, *(len(found) for found in pieces)])
  placed = tuple(
    tuple(int(starts[axis]) + i for axis, i in group) for group in groups
  )
  name = value.name
  if sides != value.sides:
    held = [_as_held(value), graph.integers(sides)]
    name = graph.add('Reshape', held, sides).name
  return Value(name, sides, placed, value.dtype)


def full(graph: Graph, value: Value, shape: Sequence[int]) -> Value:
  """With the sides of 1 repeated up to `shape`."""
  shape = tuple(map(int, shape))
  if value.shape == shape:
    return value
  value = ordered(graph, value, range(len(shape)))
  return graph.add('Expand', [value, graph.integers(shape)], shape)


def ordered(graph: Graph, value: Value, order: Sequence[int]) -> Value:
  """Held with one axis for each in JAX, and these in `order`."""
  order = [int(axis) for axis in order]
  wanted = [axis for i in order for axis in value.groups[i]]
  real = [axis for axis in wanted if value.sides[axis] > 1]
  held = _as_held(value)
  if real != sorted(real):
    sides = [value.sides[axis] for axis in wanted]
    held = graph.add('Transpose', [held], sides, perm=wanted)
  shape = [value.shape[i] for i in order]
  if list(held.sides) != shape:
    held = graph.add('Reshape', [held, graph.integers(shape)], shape)
  groups = tuple((order.index(axis),) for axis in range(len(order)))
  return Value(held.name, tuple(shape), groups, value.dtype)


def single(graph: Graph, value: Value) -> Value:
  """Held with one axis for each in JAX, in the order that costs least."""
  if value.simple:
    return value
  axes = range(len(value.groups))
  return ordered(graph, value, sorted(axes, key=lambda i: value.groups[i]))


def plain(graph: Graph, value: Value) -> Value:
  """Held as it is in JAX."""
  return ordered(graph, value, range(len(value.groups)))


def alike(graph: Graph, values: Sequence[Value]) -> list[Value]:
  """Held in such ways that the graph can broadcast them with one another.

  The order of axes is that of the largest; numbers stay as they are.
  """
  first = max(values, key=lambda v: (math.prod(v.sides), v.simple))
  shape = np.broadcast_shapes(*(value.shape for value in values))
  if first.shape != shape:  # they broadcast each other
    return [plain(graph, v) if v.groups else v for v in values]
  return [v if not v.groups else _like(graph, v, first) for v in values]


def _like(graph, value, first):
  """`value`, held as `first` is; its sides are those in JAX, or 1."""
  if (
    value.groups == first.groups
    and all(side in (1, other) for side, other in zip(value.sides, first.sides))
    and len(value.sides) == len(first.sides)
  ):
    return value
  axes = [axis for group in first.groups for axis in group]
  shape = [
    1 if side == 1 else first.sides[axis]
    for side, group in zip(value.shape, first.groups)
    for axis in group
  ]
  found = reshape(graph, value, shape)
  order = np.argsort(axes)
  held = ordered(graph, found, order)
  return Value(held.name, held.sides, first.groups, value.dtype)


def _as_held(value):
  """The tensor itself."""
  axes = tuple((i,) for i in range(len(value.sides)))
  return Value(value.name, value.sides, axes, value.dtype)
