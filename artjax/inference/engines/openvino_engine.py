"""OpenVINO as an engine: https://docs.openvino.ai."""

from collections.abc import Mapping
import functools
import sys

import numpy as np

from artjax import environment
from artjax.inference.engines import base


def load(graph: bytes) -> base.Compiled:
  """Compiles a serialized ONNX graph; float32 on the CPU.

  What is compiled is kept in the folder of caches, and read from there by the
  next process.

  Raises:
    RuntimeError: it cannot.
  """
  core = _core()
  compiled = core.compile_model(core.read_model(graph), 'CPU')
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
    {
      # Not bfloat16, which is the default where the processor has it.
      'INFERENCE_PRECISION_HINT': 'f32',
      'INFERENCE_NUM_THREADS': base.threads(),
      'PERFORMANCE_HINT': 'LATENCY',
    },
  )
  cache = environment.cache() / 'openvino'
  core.set_property({'CACHE_DIR': str(cache)})
  return core
