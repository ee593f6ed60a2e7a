"""An ONNX graph that is being made, node by node."""

from collections.abc import Mapping, Sequence
import dataclasses
import math
from typing import Any

import numpy as np

OPSET = 18
OUTPUT = 'output'
_IR = 8  # of the age of the operations, so that older runtimes read it too


class Unsupported(ValueError):
  """The function has an operation that cannot be translated."""


@dataclasses.dataclass(frozen=True)
class Value:
  """An array as JAX sees it, and how the graph holds it.

  Networks are NHWC in JAX, and runtimes compute NCHW. So the order of the axes
  in the graph is left as it is, and only noted, until an operation needs
  another one. A reshape that joins axes is noted too.

  Attributes:
    name: in the graph.
    sides: shape of the tensor in the graph. A side may be 1 where that of the
      array in JAX is larger: elementwise operations broadcast.
    groups: for each axis in JAX the axes of the tensor that form it, from the
      slowest to the fastest; none for a side of 1 without an axis.
    dtype: of NumPy.
  """

  name: str
  sides: tuple[int, ...]
  groups: tuple[tuple[int, ...], ...]
  dtype: np.dtype

  @property
  def shape(self) -> tuple[int, ...]:
    """Shape in JAX, with a side of 1 where the array repeats itself."""
    return tuple(
      math.prod(self.sides[axis] for axis in group) for group in self.groups
    )

  @property
  def simple(self) -> bool:
    """Whether each axis in JAX is one axis of the tensor."""
    return all(len(group) == 1 for group in self.groups)

  def at(self, axis: int) -> int:
    """The axis of the tensor that is `axis` in JAX, if `simple`."""
    return self.groups[axis][0]


class Graph:
  """Nodes and constants; the methods add to them."""

  def __init__(self) -> None:
    """An empty graph.

    Raises:
      ImportError: the package onnx is missing.
    """
    import onnx  # an extra

    self.onnx = onnx
    self.made: dict[str, tuple[str, tuple[Value, ...]]] = {}  # by which node
    self._nodes: list[Any] = []
    self._constants: dict[str, np.ndarray] = {}
    self._same: dict[Any, str] = {}  # (operation, inputs) -> output

  def add(
    self,
    operation: str,
    inputs: Sequence[Value],
    sides: Sequence[int],
    like: Value | None = None,
    dtype: Any = None,
    **attributes: Any,
  ) -> Value:
    """Adds a node with one output.

    Args:
      operation: of ONNX.
      inputs: its arguments, as the graph holds them.
      sides: of the output in the graph.
      like: the output has its groups; None = the axes of the output.
      dtype: of the output; None = that of the first input.
      **attributes: of the node.
    """
    (out,) = self.add_many(
      operation, inputs, [sides], like, dtype, **attributes
    )
    return out

  def add_many(
    self,
    operation: str,
    inputs: Sequence[Value],
    sides: Sequence[Sequence[int]],
    like: Value | None = None,
    dtype: Any = None,
    **attributes: Any,
  ) -> list[Value]:
    """As `add`, with an output for each of `sides`."""
    dtype = np.dtype(inputs[0].dtype if dtype is None else dtype)
    names = [value.name for value in inputs]
    key = operation, *names, repr(attributes)
    outs = []
    for i, one in enumerate(sides):
      shape = tuple(map(int, one))
      groups = like.groups if like else tuple((i,) for i in range(len(shape)))
      # The same node is not added twice.
      name = self._same.setdefault((*key, i), f'v{len(self._same)}')
      outs.append(Value(name, shape, groups, dtype))
    if outs[0].name not in self.made:
      self.made[outs[0].name] = operation, tuple(inputs)
      self._nodes.append(
        self.onnx.helper.make_node(
          operation, names, [value.name for value in outs], **attributes
        )
      )
    return outs

  def constant(self, array: Any, dtype: Any = None) -> Value:
    """An array that is part of the graph."""
    array = np.asarray(array, dtype)
    small = array.size <= 16
    key = (
      (array.dtype.str, array.shape, array.tobytes()) if small else id(array)
    )
    name = self._same.setdefault(key, f'v{len(self._same)}')
    self._constants[name] = array  # also keeps its id from being used again
    return Value(
      name, array.shape, tuple((i,) for i in range(array.ndim)), array.dtype
    )

  def integers(self, numbers: Sequence[int]) -> Value:
    """i64[N], as the arguments of many operations."""
    return self.constant([int(number) for number in numbers], np.int64)

  def number(self, value: Value) -> float | None:
    """The value, if it is a constant of one number."""
    array = self._constants.get(value.name)
    return None if array is None or array.size != 1 else float(array.item())

  def finished(self, inputs: Mapping[str, Value], output: Value) -> Any:
    """The onnx.ModelProto; inputs that nothing uses are left out."""
    helper = self.onnx.helper
    self._nodes.append(helper.make_node('Identity', [output.name], [OUTPUT]))
    used = {name for node in self._nodes for name in node.input}
    about = lambda name, value: helper.make_tensor_value_info(
      name, helper.np_dtype_to_tensor_dtype(value.dtype), value.sides
    )
    graph = helper.make_graph(
      self._nodes,
      'artjax',
      [about(n, value) for n, value in inputs.items() if n in used],
      [about(OUTPUT, output)],
      [
        self.onnx.numpy_helper.from_array(array, name)
        for name, array in self._constants.items()
        if name in used
      ],
    )
    return helper.make_model(
      graph, opset_imports=[helper.make_opsetid('', OPSET)], ir_version=_IR
    )
