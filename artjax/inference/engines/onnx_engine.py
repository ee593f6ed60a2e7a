"""ONNX Runtime as an engine: https://onnxruntime.ai."""

from collections.abc import Mapping

import numpy as np

from artjax.inference.engines import base

_ERRORS = 3  # severity from which it logs


def load(graph: bytes) -> base.Compiled:
  """Compiles a serialized ONNX graph, for the CPU.

  Raises:
    RuntimeError: it cannot.
  """
  import onnxruntime  # an extra

  options = onnxruntime.SessionOptions()
  options.intra_op_num_threads = base.threads()
  options.log_severity_level = _ERRORS
  try:
    session = onnxruntime.InferenceSession(
      graph, options, providers=['CPUExecutionProvider']
    )
  except Exception as error:  # its exceptions have no common class
    raise RuntimeError(str(error)) from error
  names = {found.name for found in session.get_inputs()}

  def run(inputs: Mapping[str, np.ndarray]) -> np.ndarray:
    used = {name: x for name, x in inputs.items() if name in names}
    try:
      return session.run(None, used)[0]
    except Exception as error:
      raise RuntimeError(str(error)) from error

  return run
