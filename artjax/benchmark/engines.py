"""Seconds of a tile in each engine, in turn."""

import argparse
import re
import statistics
import sys
import time
from typing import Any

_MODEL = re.compile(r'\w+\.[A-Z]\w*')  # span.SPAN, as in configurations


def compare(args: argparse.Namespace) -> dict[str, Any]:
  """Runs networks on a tile in all engines that are installed.

  Prints a Markdown table. A ratio is the time of JAX divided by that of the
  engine: above 1 the engine is faster.

  Args:
    args: networks, size, rounds, processor_time.

  Raises:
    FileNotFoundError: there are no such weights.
    ValueError: they run in JAX only.
  """
  from artjax.inference.engines import names

  engines = names.installed()
  rows = []
  for name in args.networks:
    rows.append(_measured(name, engines, args))
    print(f'{name}: done', file=sys.stderr)
  print(_table(rows, engines))
  return {'size': args.size, 'threads': _threads(), 'networks': rows}


def _measured(name, engines, args):
  """{'name', 'seconds' and 'levels' by engine, 'cannot'} of a network."""
  import numpy as np

  from artjax.inference.engines import base

  restorer = _restorer(name)
  height, width = map(int, args.size.split('x'))
  rng = np.random.default_rng(0)
  tile = rng.random((1, height, width, 3 + restorer.fills), np.float32)
  tile[..., 3:] = tile[..., 3:] > 0.7
  context = rng.random((1, 64, 64, 3), np.float32)
  runs, cannot, levels, expected = {}, {}, {}, None
  for engine in engines:
    network = restorer.network(engine)
    try:
      result = network(restorer.params, tile, context)
    except base.CannotRun as error:
      cannot[engine] = str(error)
      continue
    expected = result if expected is None else expected
    levels[engine] = round(255 * float(np.abs(result - expected).max()), 4)
    runs[engine] = network
  clock = time.process_time if args.processor_time else time.perf_counter
  times: dict[str, list[float]] = {engine: [] for engine in runs}
  for _ in range(args.rounds):
    for engine, network in runs.items():
      start = clock()
      network(restorer.params, tile, context)
      times[engine].append(clock() - start)
  seconds = {name: statistics.median(found) for name, found in times.items()}
  ratios = {
    engine: statistics.median(a / b for a, b in zip(times['jax'], found))
    for engine, found in times.items()
  }
  return {
    'name': name,
    'seconds': seconds,
    'ratio': ratios,
    'levels': levels,
    'cannot': cannot,
  }


def _restorer(name):
  """Of weights, or of a model with random ones."""
  from artjax.inference import loading
  from artjax.inference import network

  if _MODEL.fullmatch(name):
    return network.Restorer(*_random(name))
  found = loading.restorer(name)
  if not isinstance(found, network.Restorer):
    raise ValueError(f'{name} runs in jax only')
  return found


def _random(name):
  """(config, weights) of a model with its usual fields."""
  import jax
  import ml_collections
  import numpy as np

  from artjax import registry
  from artjax.interop import safetensors_io

  config = ml_collections.ConfigDict(
    {'task': 'restore', 'model': {'name': name, 'args': {}}}
  )
  rng = np.random.default_rng(0)

  def draw(shape):
    size = np.prod(shape.shape[:-1]) if len(shape.shape) > 1 else 100
    # Not negative: variances are among them.
    return np.float32(rng.random(shape.shape) / max(1, size))

  shapes = safetensors_io.merge(registry.variables(config))
  return config, jax.tree.map(draw, shapes)


def _threads():
  from artjax.inference.engines import base

  return base.threads()


def _table(rows, engines):
  lines = [['network', 'jax', *(f'{e}, ratio' for e in engines[1:])]]
  lines.append(['---'] * len(lines[0]))
  for row in rows:
    cells = [row['name'], f'{1000 * row["seconds"]["jax"]:.0f} ms']
    for engine in engines[1:]:
      found = row['ratio'].get(engine)
      cells.append('–' if found is None else f'{found:.2f}')
    lines.append(cells)
  return '\n'.join(f'| {" | ".join(cells)} |' for cells in lines)
