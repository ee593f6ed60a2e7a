"""Operations that compute each element by itself, as ONNX nodes.

TRANSLATIONS[primitive](graph, equation, *values) -> Value.
"""

from collections.abc import Callable
from typing import Any

import numpy as np

from artjax.interop.graphs import views
from artjax.interop.graphs.graph import Graph
from artjax.interop.graphs.graph import Unsupported
from artjax.interop.graphs.graph import Value

TRANSLATIONS: dict[str, Callable[..., Any]] = {}


def node(
  graph: Graph, operation: str, *values: Value, dtype: Any = None, **how: Any
) -> Value:
  """Adds a node that broadcasts its inputs."""
  held = views.alike(graph, values)
  first = max(held, key=lambda value: len(value.sides))
  sides = np.broadcast_shapes(*(value.sides for value in held))
  return graph.add(operation, held, sides, first, dtype, **how)


def translates(table: dict, *names: str) -> Callable:
  """Declares a function as the translation of primitives."""

  def declare(function):
    table.update(dict.fromkeys(names, function))
    return function

  return declare


# One node of ONNX each.
_SAME = {
  'abs': 'Abs',
  'add': 'Add',
  'add_any': 'Add',
  'ceil': 'Ceil',
  'cos': 'Cos',
  'erf': 'Erf',
  'exp': 'Exp',
  'floor': 'Floor',
  'log': 'Log',
  'logistic': 'Sigmoid',
  'max': 'Max',
  'min': 'Min',
  'mul': 'Mul',
  'neg': 'Neg',
  'pow': 'Pow',
  'sign': 'Sign',
  'sin': 'Sin',
  'sqrt': 'Sqrt',
  'sub': 'Sub',
  'tanh': 'Tanh',
}
_COMPARED = {
  'eq': 'Equal',
  'ge': 'GreaterOrEqual',
  'gt': 'Greater',
  'le': 'LessOrEqual',
  'lt': 'Less',
}
_LOGICAL = {'and': 'And', 'not': 'Not', 'or': 'Or'}


@translates(TRANSLATIONS, *_SAME)
def _same(graph, equation, *values):
  return node(graph, _SAME[equation.primitive.name], *values)


@translates(TRANSLATIONS, *_COMPARED)
def _compared(graph, equation, *values):
  return node(graph, _COMPARED[equation.primitive.name], *values, dtype=bool)


@translates(TRANSLATIONS, 'ne')
def _differs(graph, equation, *values):
  return node(graph, 'Not', node(graph, 'Equal', *values, dtype=bool))


@translates(TRANSLATIONS, *_LOGICAL)
def _logical(graph, equation, *values):
  if any(value.dtype != bool for value in values):
    raise Unsupported(f'{equation.primitive.name} of bits')
  return node(graph, _LOGICAL[equation.primitive.name], *values)


@translates(TRANSLATIONS, 'div')
def _divided(graph, equation, a, b):
  if not np.issubdtype(a.dtype, np.floating):
    raise Unsupported('a division of integers')  # it rounds otherwise
  return node(graph, 'Div', a, b)


@translates(TRANSLATIONS, 'square')
def _square(graph, equation, x):
  return node(graph, 'Mul', x, x)


@translates(TRANSLATIONS, 'integer_pow')
def _integer_power(graph, equation, x):
  return node(graph, 'Pow', x, graph.constant(equation.params['y'], x.dtype))


@translates(TRANSLATIONS, 'rsqrt')
def _reciprocal_root(graph, equation, x):
  return node(graph, 'Reciprocal', node(graph, 'Sqrt', x))


@translates(TRANSLATIONS, 'log1p')
def _log1p(graph, equation, x):
  return node(graph, 'Log', node(graph, 'Add', x, graph.constant(1, x.dtype)))


@translates(TRANSLATIONS, 'erfc')
def _erfc(graph, equation, x):
  return node(graph, 'Sub', graph.constant(1, x.dtype), node(graph, 'Erf', x))


@translates(TRANSLATIONS, 'clamp')
def _clamp(graph, equation, least, x, most):
  return node(graph, 'Min', node(graph, 'Max', x, least), most)


@translates(TRANSLATIONS, 'convert_element_type')
def _cast(graph, equation, x):
  dtype = np.dtype(equation.params['new_dtype'])
  if dtype == x.dtype:
    return x
  to = graph.onnx.helper.np_dtype_to_tensor_dtype(dtype)
  return node(graph, 'Cast', x, dtype=dtype, to=int(to))


@translates(TRANSLATIONS, 'select_n')
def _select(graph, equation, which, *cases):
  if which.dtype != bool or len(cases) != 2:
    raise Unsupported('a choice among more than two')
  below, above = cases
  slope = _slope(graph, which, below, above)
  if slope is not None:
    return node(graph, 'PRelu', above, slope)
  return node(graph, 'Where', which, above, below, dtype=above.dtype)


def _slope(graph, which, below, above):
  """s in where(x > 0, x, s * x), which runtimes compute along with others."""
  compared, of = graph.made.get(which.name, ('', ()))
  product, factors = graph.made.get(below.name, ('', ()))
  if compared not in ('Greater', 'GreaterOrEqual') or product != 'Mul':
    return None
  if of[0].name != above.name or graph.number(of[1]) != 0:
    return None
  others = [value for value in factors if value.name != above.name]
  if len(others) != 1 or len(factors) != 2:
    return None
  (slope,) = others
  # As it was multiplied, so that its axes are those of x.
  groups = above.groups if len(slope.sides) == len(above.sides) else ()
  if slope.sides and not groups:
    return None
  return Value(slope.name, slope.sides, groups, slope.dtype)
