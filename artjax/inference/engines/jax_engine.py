"""JAX itself as an engine."""

from collections.abc import Callable, Mapping
from typing import Any

import jax
import numpy as np


class Network:
  """A compiled function, see `base.Network`."""

  def __init__(self, run: Callable[..., Any]) -> None:
    """Takes run(params, tiles, context), under `jax.jit`."""
    self._run = run

  def __call__(
    self, params: Mapping[str, Any], tiles: np.ndarray, context: np.ndarray
  ) -> np.ndarray:
    """See `base.Network`."""
    try:
      return np.asarray(self._run(params, *jax.device_put((tiles, context))))
    except jax.errors.JaxRuntimeError as error:
      if 'RESOURCE_EXHAUSTED' in str(error) or 'out of memory' in str(error):
        raise MemoryError(str(error).splitlines()[0]) from error
      raise
