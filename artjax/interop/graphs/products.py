"""Sums, products and convolutions, as ONNX nodes.

TRANSLATIONS[primitive](graph, equation, *values) -> Value.
"""

from collections.abc import Callable
import math
from typing import Any

from artjax.interop.graphs import shapes
from artjax.interop.graphs import views
from artjax.interop.graphs.elementwise import translates
from artjax.interop.graphs.graph import Graph
from artjax.interop.graphs.graph import Unsupported
from artjax.interop.graphs.graph import Value

TRANSLATIONS: dict[str, Callable[..., Any]] = {}
_CHANNELS_FIRST = (0, 3, 1, 2)  # NCHW of NHWC
_REDUCED = {
  'reduce_sum': 'ReduceSum',
  'reduce_max': 'ReduceMax',
  'reduce_min': 'ReduceMin',
}


@translates(TRANSLATIONS, *_REDUCED)
def _reduced(graph, equation, x):
  axes = equation.params['axes']
  (x,) = shapes.given(graph, equation, x)
  held = sorted(axis for i in axes for axis in x.groups[i])
  if not held:
    kept = [side for i, side in enumerate(x.shape) if i not in axes]
    return views.reshape(graph, x, kept)
  left = [axis for axis in range(len(x.sides)) if axis not in held]
  groups = tuple(
    tuple(map(left.index, group))
    for i, group in enumerate(x.groups)
    if i not in axes
  )
  sides = tuple(x.sides[axis] for axis in left)
  y = graph.add(
    _REDUCED[equation.primitive.name],
    [x, graph.integers(held)],
    sides,
    keepdims=0,
  )
  return Value(y.name, sides, groups, y.dtype)


@translates(TRANSLATIONS, 'reduce_window_max')
def _max_pool(graph, equation, x):
  how = equation.params
  sides, strides = how['window_dimensions'], how['window_strides']
  padding = how['padding']
  if (
    len(sides) != 4
    or (sides[0], sides[3], strides[0], strides[3]) != (1,) * 4
    or any((*padding[0], *padding[3]))
    or any(d != 1 for d in (*how['base_dilation'], *how['window_dilation']))
  ):
    raise Unsupported('a maximum over other axes than height and width')
  (x,) = shapes.given(graph, equation, x)
  x = views.ordered(graph, x, _CHANNELS_FIRST)
  shape = equation.outvars[0].aval.shape
  return graph.add(
    'MaxPool',
    [x],
    [shape[axis] for axis in _CHANNELS_FIRST],
    x,
    kernel_shape=list(sides[1:3]),
    strides=list(strides[1:3]),
    pads=[*(p[0] for p in padding[1:3]), *(p[1] for p in padding[1:3])],
  )


@translates(TRANSLATIONS, 'dot_general')
def _dot(graph, equation, a, b):
  (over_a, over_b), (batch_a, batch_b) = equation.params['dimension_numbers']
  a, b = shapes.given(graph, equation, a, b)
  free_a = [i for i in range(len(a.shape)) if i not in (*over_a, *batch_a)]
  free_b = [i for i in range(len(b.shape)) if i not in (*over_b, *batch_b)]
  shape = equation.outvars[0].aval.shape
  if len(over_a) == 1 and len(b.shape) == 2 and not batch_a:
    pixels = [axis for i in free_a for axis in a.groups[i]]
    if len(pixels) == 3:
      return _per_pixel(graph, a, b, free_a, over_a[0], over_b[0])
  size = lambda value, axes: math.prod(value.shape[axis] for axis in axes)
  batch = [a.shape[axis] for axis in batch_a]
  inner = size(a, over_a)
  rows, columns = size(a, free_a), size(b, free_b)
  a = views.transpose(a, [*batch_a, *free_a, *over_a])
  b = views.transpose(b, [*batch_b, *over_b, *free_b])
  a = views.plain(graph, views.reshape(graph, a, [*batch, rows, inner]))
  b = views.plain(graph, views.reshape(graph, b, [*batch, inner, columns]))
  y = graph.add('MatMul', [a, b], [*batch, rows, columns])
  return views.reshape(graph, y, shape)


def _per_pixel(graph, a, b, free, over, over_b):
  """A matrix for each pixel, as a 1x1 convolution of NCHW."""
  pixels = [axis for i in free for axis in a.groups[i]]
  sides = [a.sides[axis] for axis in pixels]
  # The axes of the pixels, however JAX has joined them, and the channels.
  apart = Value(
    a.name, a.sides, (*((axis,) for axis in pixels), a.groups[over]), a.dtype
  )
  x = views.ordered(graph, apart, _CHANNELS_FIRST)
  kernel = b if over_b else views.transpose(b, (1, 0))  # [out, in]
  kernel = views.plain(
    graph, views.reshape(graph, kernel, (*kernel.shape, 1, 1))
  )
  y = graph.add('Conv', [x, kernel], [sides[0], kernel.sides[0], *sides[1:]], x)
  place = {axis: y.groups[i] for i, axis in enumerate(pixels)}
  groups = [tuple(g for axis in a.groups[i] for g in place[axis]) for i in free]
  return Value(y.name, y.sides, (*groups, y.groups[3]), y.dtype)


@translates(TRANSLATIONS, 'conv_general_dilated')
def _convolution(graph, equation, x, kernel):
  how = equation.params
  numbers, padding = how['dimension_numbers'], how['padding']
  if how['batch_group_count'] != 1 or len(how['window_strides']) != 2:
    raise Unsupported('a convolution of another kind than of pictures')
  if any(side < 0 for sides in padding for side in sides):
    raise Unsupported('a convolution with negative padding')
  x, kernel = shapes.given(graph, equation, x, kernel)
  x = views.ordered(graph, x, numbers.lhs_spec)
  kernel = views.ordered(graph, kernel, numbers.rhs_spec)
  x = _spread(graph, x, how['lhs_dilation'])
  order = [int(axis) for axis in numbers.out_spec]
  shape = equation.outvars[0].aval.shape
  y = graph.add(
    'Conv',
    [x, kernel],
    [shape[axis] for axis in order],
    strides=list(how['window_strides']),
    pads=[*(p[0] for p in padding), *(p[1] for p in padding)],
    dilations=list(how['rhs_dilation']),
    group=how['feature_group_count'],
  )
  groups = tuple((order.index(axis),) for axis in range(4))
  return Value(y.name, y.sides, groups, y.dtype)


def _spread(graph, x, steps):
  """Zeros between the pixels of an NCHW tensor, as in a transposed one."""
  for axis, step in enumerate(steps, 2):
    if step == 1:
      continue
    parts = list(x.sides)
    parts.insert(axis + 1, 1)
    x = graph.add('Reshape', [x, graph.integers(parts)], parts)
    pads = [0] * 10
    pads[5 + axis + 1] = step - 1
    parts[axis + 1] = step
    zero = graph.constant(0, x.dtype)
    x = graph.add('Pad', [x, graph.integers(pads), zero], parts)
    long = [*parts[:axis], parts[axis] * step, *parts[axis + 2 :]]
    x = graph.add('Reshape', [x, graph.integers(long)], long)
    stops = list(long)
    stops[axis] -= step - 1
    x = shapes.cut(graph, x, [0] * 4, stops, [1] * 4)
  return x


def depthwise(graph: Graph, x: Value, kernel: Value) -> Value:
  """A depthwise 3x3 convolution of [B, H, W, C] by [3, 3, C], zero padding."""
  x = views.ordered(graph, x, _CHANNELS_FIRST)
  channels = kernel.shape[-1]
  kernel = views.plain(graph, views.transpose(kernel, (2, 0, 1)))
  kernel = views.plain(graph, views.reshape(graph, kernel, (channels, 1, 3, 3)))
  return graph.add(
    'Conv', [x, kernel], x.sides, x, pads=[1] * 4, group=channels
  )
