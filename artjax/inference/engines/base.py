"""The interface of engines."""

from collections.abc import Callable, Mapping
import os
from typing import Any, NamedTuple, Protocol

import numpy as np

# {name of an input: array} -> f32 array: a graph that has been compiled.
Compiled = Callable[[Mapping[str, np.ndarray]], np.ndarray]


class CannotRun(ValueError):
  """An engine cannot run a network; one line says why."""


class Network(Protocol):
  """A network in an engine."""

  def __call__(
    self, params: Mapping[str, Any], tiles: np.ndarray, context: np.ndarray
  ) -> np.ndarray:
    """The network on tiles.

    Args:
      params: its weights. Only what `knobs` says of the picture may differ from
        those for which the engine has prepared the network.
      tiles: f32[B, H, W, C] in [0, 1]; every other shape is compiled anew.
      context: f32[1, h, w, 3], a thumbnail of the whole picture.

    Returns:
      f32[B, H', W', D].

    Raises:
      MemoryError: so many pixels at once do not fit.
      CannotRun: this engine cannot run this network.
    """


class Used(NamedTuple):
  """The engine that runs a network on a picture."""

  engine: str  # of names.ENGINES
  notice: str = ''  # for the user, one line; '' = nothing to say


def threads() -> int:
  """How many cores this process may use."""
  if hasattr(os, 'sched_getaffinity'):
    return len(os.sched_getaffinity(0))
  return os.cpu_count() or 1
