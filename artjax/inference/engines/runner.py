"""A network in whichever engine is asked for."""

from collections.abc import Callable, Mapping
import functools
from typing import Any

import cv2
import jax
import numpy as np

from artjax.inference.engines import base
from artjax.inference.engines import choice
from artjax.inference.engines import converted
from artjax.inference.engines import jax_engine
from artjax.inference.engines import names
from artjax.inference.engines import onnx_engine
from artjax.inference.engines import openvino_engine
from artjax.interop import safetensors_io

_LOADERS: dict[str, Callable[[bytes], base.Compiled]] = {
  names.ONNX: onnx_engine.load,
  names.OPENVINO: openvino_engine.load,
  names.OPENVINO_BF16: functools.partial(
    openvino_engine.load, precision='bf16'
  ),
}
_SIDE = 128  # px, of the tile on which engines are compared


class Runner:
  """One network with its weights, in all engines; each is made when needed."""

  def __init__(
    self,
    run: Callable[..., Any],
    params: Mapping[str, Any],
    *,
    channels: int,
    context: int,
    multiple: int,
    identity: Any,
  ) -> None:
    """Takes a network; nothing is compiled yet.

    Args:
      run: (params, f32[B, H, W, channels], f32[B, h, w, 3]) -> result, jitted.
      params: its weights.
      channels: of a tile.
      context: side of the thumbnail, px.
      multiple: sides of a tile are multiples of it, px.
      identity: of the network besides its weights, as JSON.
    """
    self._run, self._params = run, params
    side = -(-_SIDE // multiple) * multiple
    self._shapes = (1, side, side, channels), (1, context, context, 3)
    self._identity = identity
    self._networks: dict[str, Any] = {}
    self._used: dict[str, base.Used] = {}

  def network(self, engine: str) -> Any:
    """The network in an engine, see `base.Network`.

    Raises:
      ValueError: the engine is not installed.
    """
    names.check(engine)
    if engine not in self._networks:
      self._networks[engine] = (
        jax_engine.Network(self._run)
        if engine == names.JAX
        else converted.Network(self._run, self._params, _LOADERS[engine])
      )
    return self._networks[engine]

  def use(self, engine: str) -> base.Used:
    """Which engine runs it, if `engine` is asked for.

    Raises:
      ValueError: it is not installed, or cannot run this network.
    """
    if engine not in names.CHOICES:
      raise ValueError(
        f'engine={engine} is not one of {", ".join(names.CHOICES)}'
      )
    if engine not in self._used:
      self._used[engine] = self._tried(engine)
    return self._used[engine]

  def _tried(self, engine):
    if engine == names.JAX:
      return base.Used(engine)
    tile, context = self._example()
    if engine != names.AUTO:
      try:
        self.network(engine).check(tile, context)
      except base.CannotRun as error:
        raise ValueError(
          f'engine={engine} cannot run {self._identity["model"]["name"]}: '
          f'{error}; engine=jax can'
        ) from error
      return base.Used(engine)
    if jax.default_backend() != 'cpu':  # the others run on the CPU
      return base.Used(names.JAX)
    networks = {name: self.network(name) for name in names.installed()}
    identity = [self._identity, safetensors_io.sha256(self._params)]
    return choice.fastest(networks, self._params, tile, context, identity)

  def _example(self):
    """A tile and a thumbnail, as coarse and fine as pictures are."""
    rng = np.random.default_rng(0)
    tile, context = (_picture(rng, s) for s in self._shapes)
    tile[..., 3:] = tile[..., 3:] > 0.7  # a mask
    return tile, context


def _picture(rng, shape):
  """f32[1, H, W, C] in [0, 1]: sums of noise of all sizes."""
  _, height, width, channels = shape
  total = np.zeros(shape[1:], np.float32)
  side = 2
  while side <= height:
    coarse = rng.random((side, side, channels), np.float32)
    total += cv2.resize(coarse, (width, height)) / side**0.5
    side *= 2
  total -= total.min()
  return (total / total.max())[None]
