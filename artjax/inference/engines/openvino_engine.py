"""OpenVINO as an engine: https://docs.openvino.ai."""

from collections.abc import Mapping
import functools
import sys

import numpy as np

from artjax import environment
from artjax.inference.engines import base


def load(graph: bytes, precision: str = 'f32') -> base.Compiled:
  """Compiles a serialized ONNX graph for the CPU.

  What is compiled is kept in the folder of caches, and read from there by the
  next process.

  Args:
    graph: in float32.
    precision: of the computation: 'f32' or 'bf16'. Inputs and the result are
      float32.

  Raises:
    RuntimeError: it cannot.
  """
  core = _core()
  compiled = core.compile_model(
    core.read_model(graph), 'CPU', {'INFERENCE_PRECISION_HINT': precision}
  )
  names = {name for found in compiled.inputs for name in found.names}

  def run(inputs: Mapping[str, np.ndarray]) -> np.ndarray:
    used = {name: x for name, x in inputs.items() if name in names}
    # A copy: the next call writes into the same memory.
    return np.array(compiled(used)[0])

  return run


@functools.cache
def _core():
  # OpenVINO sends statistics of its use, from a process that it forks for it,
  # unless this package is missing.
  sys.modules.setdefault('openvino_telemetry', None)
  import openvino  # an extra

  core = openvino.Core()
  core.set_property(
    'CPU',
    {'INFERENCE_NUM_THREADS': base.threads(), 'PERFORMANCE_HINT': 'LATENCY'},
  )
  cache = environment.cache() / 'openvino'
  core.set_property({'CACHE_DIR': str(cache)})
  return core
