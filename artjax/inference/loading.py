"""Loads weights: shipped ones, workdirs, files, blends, parts.

  config, params = load('esrgan_psnr:0.3+esrgan:0.7')
  restorer = restorer('colorize')

weights.py explains how they are named.
"""

import os
from typing import Any

import jax
import ml_collections
import numpy as np

from artjax import registry
from artjax import tasks
from artjax.inference import base
from artjax.inference import detector_parts
from artjax.inference import weights as weights_lib
from artjax.interop import manifest
from artjax.interop import published
from artjax.interop import safetensors_io

Params = dict[str, Any]  # a tree of f32 arrays, as `safetensors_io.merge` has


def load(
  where: str | weights_lib.Weights, step: int | None = None
) -> tuple[ml_collections.ConfigDict, Params]:
  """Configuration (task, model) and generator weights, NumPy f32.

  Args:
    where: weights of one network, as text or parsed. A file listed in the
      manifest.json beside it must have the sha256 given there. A blend is the
      mean of its weights (network interpolation,
      https://arxiv.org/abs/1809.00219).
    step: of a workdir's checkpoint; None = the best.

  Raises:
    FileNotFoundError: there is no such name, workdir, checkpoint or file.
    ValueError: the name cannot be read; the file is damaged, or not what its
      manifest says; the parts of a blend do not go together.
  """
  named = weights_lib.single(where) if isinstance(where, str) else where
  loaded = [_load_source(source, step) for source in named.sources]
  if len(loaded) == 1:
    return loaded[0]
  first = loaded[0][0]
  mean = jax.tree.map(np.zeros_like, loaded[0][1])
  for source, share, (config, params) in zip(
    named.sources, named.shares, loaded
  ):
    if _network(config) != _network(first):
      ours, theirs = (' '.join(map(str, _network(c))) for c in (first, config))
      raise ValueError(
        ' '.join(
          f'{named}: {named.sources[0]} is {ours}, and {source} is '
          f'{theirs}'.split()
        )
      )
    safetensors_io.check(params, mean, f'{named}: {source}')
    mean = jax.tree.map(
      lambda a, b, s=np.float32(share): a + s * b, mean, params
    )
  first = first.copy_and_resolve_references()
  with first.unlocked():
    if 'calibration' in first:  # it is that of one file's errors
      del first.calibration
  return first, mean


def load_checked(
  where: str | weights_lib.Weights, step: int | None = None
) -> tuple[ml_collections.ConfigDict, Params]:
  """As `load`, of weights that restore pictures and fit their model.

  Raises:
    FileNotFoundError: as `load`.
    ValueError: as `load`; or they draw pictures from nothing; or tensors are
      missing, of another shape or not finite.
  """
  config, params = load(where, step)
  task = tasks.get(config.task)
  if not task.reads:
    raise ValueError(
      f'{where}: draws pictures from nothing (task={config.task}), it restores '
      'none'
    )
  expected = safetensors_io.merge(registry.variables(config, task.channels))
  safetensors_io.check(params, expected, str(where))
  return config, params


def restorer(
  where: str | weights_lib.Weights, step: int | None = None
) -> base.Restorer:
  """What runs weights on whole pictures, as their task wants it.

  Raises: as `load_checked`.
  """
  return of(*load_checked(where, step))


def of(config: ml_collections.ConfigDict, params: Params) -> base.Restorer:
  """The restorer of loaded weights: the class that their task names."""
  cls = registry.get('artjax.inference', tasks.get(config.task).restorer)
  return cls(config, params)


def _load_source(source, step):
  """(config, weights) of one source of a blend."""
  if source.part:
    whole = weights_lib.Source(source.where)
    return detector_parts.take(
      *_load_source(whole, step), source.part, source.where
    )
  path = weights_lib.find(source.where)
  if os.path.isdir(path):
    # Orbax is a third of the time to start.
    from artjax.training import checkpoint

    return checkpoint.load_generator(path, step)[:2]
  if not safetensors_io.is_ours(path):
    return published.load(path)
  manifest.check(path)
  return safetensors_io.load(path)[:2]


def _network(config):
  """Task, model and fields, which all weights of a network have in common."""
  fields = {
    key: tuple(value) if isinstance(value, (list, tuple)) else value
    for key, value in config.model.args.items()
  }
  return config.task, config.model.name, fields
