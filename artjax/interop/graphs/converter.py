"""A JAX function of fixed shapes as an ONNX graph.

  closed = trace(run, {'picture': f32[1, 256, 256, 3], ...})
  proto = convert(closed, ['picture', ...])

The jaxpr of the function is translated primitive by primitive, see
elementwise.py, shapes.py, products.py and calls.py. interop/onnx.py writes
files for pictures of any size instead, with jax2onnx, which cannot translate
networks that pad their input or see the whole picture.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import jax
from jax.extend import core as jex
import numpy as np

from artjax.interop.graphs import views
from artjax.interop.graphs.graph import Graph
from artjax.interop.graphs.graph import Unsupported
from artjax.interop.graphs.graph import Value


def trace(run: Callable[..., Any], inputs: Mapping[str, Any]) -> Any:
  """The closed jaxpr of `run(*inputs.values())`; only shapes are used."""
  return jax.make_jaxpr(run)(
    *(jax.ShapeDtypeStruct(np.shape(x), np.float32) for x in inputs.values())
  )


def convert(closed: Any, names: Sequence[str]) -> Any:
  """A closed jaxpr with one output as an onnx.ModelProto.

  Args:
    closed: from `trace`.
    names: of its inputs.

  Raises:
    Unsupported: it has an operation that cannot be translated.
    ImportError: the package onnx is missing.
  """
  graph = Graph()
  inputs = {}
  for name, var in zip(names, closed.jaxpr.invars):
    shape = tuple(var.aval.shape)
    axes = tuple((i,) for i in range(len(shape)))
    inputs[name] = Value(name, shape, axes, np.dtype(var.aval.dtype))
  (output,) = inlined(graph, closed, inputs.values())
  (var,) = closed.jaxpr.outvars
  output = views.full(graph, output, var.aval.shape)
  return graph.finished(inputs, views.plain(graph, output))


def inlined(graph: Graph, closed: Any, values: Iterable[Value]) -> list[Value]:
  """Adds the operations of a closed jaxpr; returns its outputs."""
  from artjax.interop.graphs import calls

  known = dict(zip(closed.jaxpr.invars, values))
  for var, array in zip(closed.jaxpr.constvars, closed.consts):
    known[var] = graph.constant(array)

  def read(atom):
    if isinstance(atom, jex.Literal):
      return graph.constant(atom.val, atom.aval.dtype)
    return known[atom]

  for equation in _used(closed.jaxpr):
    name = equation.primitive.name
    translate = calls.TRANSLATIONS.get(name)
    if translate is None:
      raise Unsupported(f'the operation {name}')
    found = translate(graph, equation, *map(read, equation.invars))
    outputs = [found] if isinstance(found, Value) else found
    known |= dict(zip(equation.outvars, outputs))
  return [read(atom) for atom in closed.jaxpr.outvars]


def _used(jaxpr):
  """The equations with results that are used; loops of flax leave others."""
  variables = lambda atoms: {a for a in atoms if not isinstance(a, jex.Literal)}
  wanted, used = variables(jaxpr.outvars), []
  for equation in reversed(jaxpr.eqns):
    if wanted.intersection(equation.outvars):
      wanted |= variables(equation.invars)
      used.append(equation)
  return reversed(used)
