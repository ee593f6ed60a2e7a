"""The fastest engine for a network on this machine, measured once."""

from collections.abc import Callable, Mapping
import hashlib
import json
import math
import pathlib
import platform
import time
from typing import Any

import numpy as np

from artjax import atomic_files
from artjax import environment
from artjax.inference.engines import base
from artjax.inference.engines import names

# Results of the same network must not differ by more, in levels of 255.
TOLERANCE = 1.0
# In bfloat16 they may differ so much that a result of 34 dB, as good as any
# here, would lose 0.02 dB; that is the PSNR between both, dB.
_CLOSE = 57.4
_REPEATS = 3  # of each engine, in turn; the fastest counts
# An engine must be faster by so much: it has to be prepared, and times vary.
_MARGIN = 0.9


def fastest(
  networks: Mapping[str, base.Network],
  params: Mapping[str, Any],
  tile: np.ndarray,
  context: np.ndarray,
  identity: Any,
) -> base.Used:
  """The engine to use, which is measured where no result is known.

  The result is kept in the folder of caches, by network and machine. An engine
  whose result differs from that of JAX by more than a level is not chosen; in
  bfloat16, one that would cost more than 0.02 dB.

  Args:
    networks: {engine: the network in it}; JAX is the first.
    params: weights.
    tile: f32[1, H, W, C], what to measure on.
    context: f32[1, h, w, 3].
    identity: of the network, as JSON.
  """
  if len(networks) < 2:
    return base.Used(
      names.JAX,
      'engine=auto: only JAX is installed; pip install "artjax[openvino]" adds '
      'another',
    )
  path = _path(identity, networks, tile.shape)
  try:
    found = json.loads(path.read_text())
  except (OSError, ValueError):
    found = measure(networks, params, tile, context)
    path.parent.mkdir(parents=True, exist_ok=True)
    atomic_files.write_text(str(path), json.dumps(found) + '\n')
  return base.Used(found['engine'], _said(found))


def measure(
  networks: Mapping[str, base.Network],
  params: Mapping[str, Any],
  tile: np.ndarray,
  context: np.ndarray,
  clock: Callable[[], float] = time.perf_counter,
) -> dict[str, Any]:
  """Runs a network in all engines, in turn.

  Returns:
    {'engine': the one to use, 'seconds': {engine: of a tile}, 'cannot':
    {engine: why}}.
  """
  seconds: dict[str, float] = {}
  cannot: dict[str, str] = {}
  expected = None
  for engine, network in networks.items():
    try:
      result = network(params, tile, context)  # compiles
    except (base.CannotRun, MemoryError) as error:
      if engine == names.JAX:
        raise
      cannot[engine] = str(error) or 'out of memory'
      continue
    if expected is None:
      expected = result
    if reason := _differs(engine, result, expected):
      cannot[engine] = reason
      continue
    seconds[engine] = float('inf')
  for _ in range(_REPEATS):
    for engine in seconds:
      start = clock()
      networks[engine](params, tile, context)
      seconds[engine] = min(seconds[engine], clock() - start)
  best = min(seconds, key=seconds.__getitem__)
  if seconds[best] > _MARGIN * seconds[names.JAX]:
    best = names.JAX
  return {
    'engine': best,
    'seconds': {engine: round(s, 5) for engine, s in seconds.items()},
    'cannot': cannot,
  }


def _differs(engine, result, expected):
  """Why a result differs too much; '' = it does not."""
  if engine == names.OPENVINO_BF16:
    # Of colours: what else there is, is an estimate.
    error = np.square(result - expected, dtype=np.float32)[..., :3].mean()
    close = -10 * math.log10(max(float(error), 1e-12))
    return (
      '' if close >= _CLOSE else f'rounding costs too much ({close:.0f} dB)'
    )
  levels = 255 * float(np.abs(result - expected).max())
  return (
    '' if levels <= TOLERANCE else f'its result differs by {levels:.1f} levels'
  )


def _said(found):
  """The measurement in one line."""
  parts = [
    f'{engine} {1000 * seconds:.0f} ms a tile'
    for engine, seconds in found['seconds'].items()
  ]
  parts += [f'{engine}: {why}' for engine, why in found['cannot'].items()]
  return f'engine=auto: {found["engine"]} ({", ".join(parts)})'


def _path(identity, networks, shape):
  """Where the choice for a network on this machine is kept."""
  known = [
    identity,
    [names.called(engine) for engine in networks],
    [platform.node(), _processor(), base.threads()],
    list(shape),
  ]
  text = json.dumps(known, sort_keys=True, default=str)
  digest = hashlib.sha256(text.encode()).hexdigest()[:32]
  return environment.cache() / 'engines' / f'{digest}.json'


def _processor():
  """The model of the processor."""
  try:
    lines = pathlib.Path('/proc/cpuinfo').read_text().splitlines()
  except OSError:
    return platform.processor()
  return next(
    (line for line in lines if line.startswith('model name')),
    platform.processor(),
  )
