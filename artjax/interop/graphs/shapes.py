"""Operations that move elements, as ONNX nodes.

TRANSLATIONS[primitive](graph, equation, *values) -> Value or a list of them.
"""

from collections.abc import Callable
import math
from typing import Any

import numpy as np

from artjax.interop.graphs import views
from artjax.interop.graphs.elementwise import node
from artjax.interop.graphs.elementwise import translates
from artjax.interop.graphs.graph import Unsupported
from artjax.interop.graphs.graph import Value

TRANSLATIONS: dict[str, Callable[..., Any]] = {}


def given(graph: Any, equation: Any, *values: Value) -> list[Value]:
  """The inputs of an equation with all that JAX has of them."""
  return [
    views.full(graph, value, atom.aval.shape)
    for value, atom in zip(values, equation.invars)
  ]


@translates(TRANSLATIONS, 'stop_gradient', 'copy', 'optimization_barrier')
def _unchanged(graph, equation, *values):
  return list(values)


@translates(TRANSLATIONS, 'broadcast_in_dim')
def _broadcast(graph, equation, x):
  shape = [1] * len(equation.params['shape'])
  for side, axis in zip(x.shape, equation.params['broadcast_dimensions']):
    shape[axis] = side
  return views.reshape(graph, x, shape)  # the rest is broadcast when needed


@translates(TRANSLATIONS, 'reshape', 'squeeze', 'expand_dims')
def _reshape(graph, equation, x):
  (x,) = given(graph, equation, x)
  return views.reshape(graph, x, equation.outvars[0].aval.shape)


@translates(TRANSLATIONS, 'transpose')
def _transpose(graph, equation, x):
  return views.transpose(x, equation.params['permutation'])


@translates(TRANSLATIONS, 'concatenate')
def _concatenate(graph, equation, *values):
  axis = equation.params['dimension']
  return joined(graph, given(graph, equation, *values), axis)


def joined(graph: Any, parts: list[Value], axis: int) -> Value:
  """Parts one after the other along an axis in JAX."""
  first = views.single(graph, max(parts, key=lambda p: math.prod(p.sides)))
  order = sorted(range(len(first.groups)), key=first.at)
  parts = [views.ordered(graph, part, order) for part in parts]
  at = first.at(axis)
  sides = list(parts[0].sides)
  sides[at] = sum(part.sides[at] for part in parts)
  return graph.add('Concat', parts, sides, parts[0], axis=at)


@translates(TRANSLATIONS, 'stack')
def _stack(graph, equation, *values):
  axis = equation.params['axis']
  return stacked(graph, given(graph, equation, *values), axis)


def stacked(graph: Any, parts: list[Value], axis: int) -> Value:
  """Parts along a new axis in JAX, held right after the one before it."""
  first = views.single(graph, parts[0])
  order = sorted(range(len(first.groups)), key=first.at)
  at = first.at(axis - 1) + 1 if axis else 0
  groups = [(i + (i >= at),) for (i,) in first.groups]
  groups.insert(axis, (at,))
  rows = []
  for part in parts:
    held = views.ordered(graph, part, order)
    sides = [*held.sides[:at], 1, *held.sides[at:]]
    rows.append(graph.add('Reshape', [held, graph.integers(sides)], sides))
  sides[at] = len(parts)
  like = Value('', tuple(sides), tuple(groups), first.dtype)
  return graph.add('Concat', rows, sides, like, axis=at)


def cut(graph: Any, x: Value, starts: Any, stops: Any, steps: Any) -> Value:
  """x[start:stop:step, ...], with an entry for each axis in JAX."""
  x = views.single(graph, x)
  axes = [
    axis
    for axis, side in enumerate(x.shape)
    if (starts[axis], stops[axis], steps[axis]) != (0, side, 1)
  ]
  if not axes:
    return x
  sides = list(x.sides)
  for axis in axes:
    sides[x.at(axis)] = math.ceil((stops[axis] - starts[axis]) / steps[axis])
  arguments = [
    graph.integers([numbers[axis] for axis in axes])
    for numbers in (starts, stops)
  ]
  arguments.append(graph.integers([x.at(axis) for axis in axes]))
  arguments.append(graph.integers([steps[axis] for axis in axes]))
  return graph.add('Slice', [x, *arguments], sides, x)


@translates(TRANSLATIONS, 'slice')
def _slice(graph, equation, x):
  how, (x,) = equation.params, given(graph, equation, x)
  steps = how['strides'] or [1] * len(x.shape)
  return cut(graph, x, how['start_indices'], how['limit_indices'], steps)


@translates(TRANSLATIONS, 'split')
def _split(graph, equation, x):
  axis, (x,) = equation.params['axis'], given(graph, equation, x)
  outputs, start = [], 0
  for size in equation.params['sizes']:
    starts, stops = [0] * len(x.shape), list(x.shape)
    starts[axis], stops[axis] = start, start + size
    outputs.append(cut(graph, x, starts, stops, [1] * len(starts)))
    start += size
  return outputs


@translates(TRANSLATIONS, 'rev')
def _reverse(graph, equation, x):
  axes = equation.params['dimensions']
  x = views.single(graph, *given(graph, equation, x))
  held = [x.at(axis) for axis in axes]
  back = [-1] * len(axes)
  before = [-(side + 1) for side in (x.sides[axis] for axis in held)]
  arguments = map(graph.integers, (back, before, held, back))
  return graph.add('Slice', [x, *arguments], x.sides, x)


@translates(TRANSLATIONS, 'pad')
def _pad(graph, equation, x, value):
  config = equation.params['padding_config']
  if any(between for _, _, between in config):
    raise Unsupported('padding between values')
  (x,) = given(graph, equation, x)
  x = cut(
    graph,
    x,
    [max(0, -before) for before, _, _ in config],
    [side - max(0, -after) for side, (_, after, _) in zip(x.shape, config)],
    [1] * len(config),
  )
  pads = [0] * (2 * len(config))
  sides = list(x.sides)
  for axis, (before, after, _) in enumerate(config):
    pads[x.at(axis)] = max(0, before)
    pads[len(config) + x.at(axis)] = max(0, after)
    sides[x.at(axis)] += max(0, before) + max(0, after)
  if not any(pads):
    return x
  return graph.add('Pad', [x, graph.integers(pads), value], sides, x)


@translates(TRANSLATIONS, 'iota')
def _iota(graph, equation):
  how = equation.params
  shape, axis = how['shape'], how['dimension']
  sides = [side if i == axis else 1 for i, side in enumerate(shape)]
  return graph.constant(np.arange(shape[axis]).reshape(sides), how['dtype'])


@translates(TRANSLATIONS, 'gather')
def _gather(graph, equation, x, indices):
  """Whole slices along one axis, one for each index."""
  x, indices = given(graph, equation, x, indices)
  how, where = equation.params, indices.shape
  numbers = how['dimension_numbers']
  if (
    len(numbers.start_index_map) != 1
    or where[-1] != 1
    or numbers.operand_batching_dims
  ):
    raise Unsupported('a gather of several axes')
  (axis,) = numbers.start_index_map
  sizes = [side if i != axis else 1 for i, side in enumerate(x.shape)]
  rank = len(equation.outvars[0].aval.shape)
  kept = [i for i in range(rank) if i not in numbers.offset_dims]
  if (
    list(how['slice_sizes']) != sizes
    or list(numbers.collapsed_slice_dims) != [axis]
    or kept != list(range(axis, axis + len(where) - 1))
  ):
    raise Unsupported('a gather of parts')
  x, most = views.plain(graph, x), x.shape[axis] - 1
  indices = views.reshape(graph, views.plain(graph, indices), where[:-1])
  least, most = (graph.constant(n, indices.dtype) for n in (0, most))
  indices = node(graph, 'Min', node(graph, 'Max', indices, least), most)
  shape = equation.outvars[0].aval.shape
  indices = views.plain(graph, indices)
  return graph.add('Gather', [x, indices], shape, dtype=x.dtype, axis=axis)


@translates(TRANSLATIONS, 'sort')
def _sort(graph, equation, *values):
  if len(values) != 1:
    raise Unsupported('a sort of several arrays')
  x = views.single(graph, *given(graph, equation, *values))
  axis = x.at(equation.params['dimension'])
  count = graph.integers([x.sides[axis]])
  both = [x.sides, x.sides]  # the values and their indices
  how = {'axis': axis, 'largest': 0, 'sorted': 1}
  return graph.add_many('TopK', [x, count], both, x, **how)[:1]
