"""Networks in engines that read ONNX graphs."""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from artjax.inference import knobs
from artjax.inference.engines import base
from artjax.interop import safetensors_io
from artjax.interop.graphs import converter
from artjax.interop.graphs import graph as graphs

_PICTURE, _CONTEXT = 'picture', 'context'


class Network:
  """A network whose weights are constants of a graph, see `base.Network`.

  A graph is made and compiled for each shape of tiles, when it first comes.
  """

  def __init__(
    self,
    run: Callable[..., Any],
    params: Mapping[str, Any],
    load: Callable[[bytes], base.Compiled],
  ) -> None:
    """Prepares a network.

    Args:
      run: (params, tiles, context) -> a result, in JAX.
      params: its weights.
      load: compiles a serialized ONNX graph.
    """
    self._run, self._load = run, load
    self._params = dict(params)
    self._told = knobs.of(params)
    self._compiled: dict[Any, base.Compiled] = {}

  def __call__(
    self, params: Mapping[str, Any], tiles: np.ndarray, context: np.ndarray
  ) -> np.ndarray:
    """See `base.Network`."""
    inputs = self._inputs(params, tiles, context)
    shapes = tuple(x.shape for x in inputs.values())
    if shapes not in self._compiled:
      self._compiled[shapes] = self._compile(inputs)
    try:
      return self._compiled[shapes](inputs)
    except RuntimeError as error:
      if 'alloc' in str(error):  # neither of them has a type for it
        raise MemoryError(str(error).splitlines()[0]) from error
      raise

  def check(self, tiles: np.ndarray, context: np.ndarray) -> None:
    """Raises `base.CannotRun` if it cannot be converted; compiles nothing."""
    self._graph(self._inputs(self._params, tiles, context))

  def _inputs(self, params, tiles, context):
    inputs = {_PICTURE: tiles, _CONTEXT: context}
    stats = params.get(safetensors_io.STATS, {})
    inputs |= {name: stats[name] for name in self._told}
    return {
      name: np.ascontiguousarray(x, np.float32) for name, x in inputs.items()
    }

  def _compile(self, inputs):
    graph = self._graph(inputs)
    try:
      return self._load(graph)
    except RuntimeError as error:
      if 'alloc' in str(error):
        raise MemoryError(str(error).splitlines()[0]) from error
      line = (str(error).strip().splitlines() or [type(error).__name__])[-1]
      raise base.CannotRun(line) from error

  def _graph(self, inputs):
    """The serialized ONNX graph for inputs of these shapes."""

    def run(tiles, context, *told):
      stats = self._params.get(safetensors_io.STATS, {})
      now = dict(stats) | dict(zip(self._told, told))
      params = self._params | ({safetensors_io.STATS: now} if now else {})
      return self._run(params, tiles, context)

    try:
      closed = converter.trace(run, inputs)
      return converter.convert(closed, list(inputs)).SerializeToString()
    except graphs.Unsupported as error:
      raise base.CannotRun(f'{error} cannot be converted') from error
