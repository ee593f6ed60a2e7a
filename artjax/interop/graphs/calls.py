"""Calls of functions and loops, and the translations of all primitives."""

from collections.abc import Callable
from typing import Any

from jax.extend import core as jex

from artjax.interop.graphs import converter
from artjax.interop.graphs import elementwise
from artjax.interop.graphs import products
from artjax.interop.graphs import shapes
from artjax.interop.graphs import views
from artjax.interop.graphs.elementwise import translates

TRANSLATIONS: dict[str, Callable[..., Any]] = {
  **elementwise.TRANSLATIONS,
  **shapes.TRANSLATIONS,
  **products.TRANSLATIONS,
}


@translates(TRANSLATIONS, 'jit', 'pjit', 'closed_call', 'remat2', 'checkpoint')
def _call(graph, equation, *values):
  inner = equation.params['jaxpr']
  if not hasattr(inner, 'consts'):
    inner = jex.ClosedJaxpr(inner, ())
  return converter.inlined(graph, inner, values)


@translates(TRANSLATIONS, 'custom_jvp_call', 'custom_vjp_call')
def _call_with_gradient(graph, equation, *values):
  inner = equation.params['call_jaxpr']
  # By its name: nine multiplications are fast in XLA, and slow elsewhere.
  if inner.jaxpr.debug_info.func_name == 'depthwise3x3':
    return products.depthwise(graph, *shapes.given(graph, equation, *values))
  return converter.inlined(graph, inner, values)


@translates(TRANSLATIONS, 'scan')
def _unrolled(graph, equation, *values):
  how = equation.params
  fixed, carried = how['num_consts'], how['num_carry']
  values = shapes.given(graph, equation, *values)
  constants, carry = values[:fixed], values[fixed : fixed + carried]
  sequences = values[fixed + carried :]
  outputs = []
  steps = range(how['length'])
  for i in reversed(steps) if how['reverse'] else steps:
    now = [_row(graph, sequence, i) for sequence in sequences]
    found = converter.inlined(graph, how['jaxpr'], [*constants, *carry, *now])
    carry = found[:carried]
    outputs.append(found[carried:])
  if how['reverse']:
    outputs.reverse()
  stacked = []
  for parts, var in zip(zip(*outputs), equation.outvars[carried:]):
    rows = [views.full(graph, part, var.aval.shape[1:]) for part in parts]
    stacked.append(shapes.stacked(graph, rows, 0))
  return [*carry, *stacked]


def _row(graph, value, i):
  starts = [i] + [0] * (len(value.shape) - 1)
  stops = [i + 1, *value.shape[1:]]
  row = shapes.cut(graph, value, starts, stops, [1] * len(starts))
  return views.reshape(graph, row, value.shape[1:])
