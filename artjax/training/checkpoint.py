"""Checkpoints: every Orbax call of the project.

`<workdir>/checkpoints/<step>/` holds the training state and the configuration
it belongs to. Kept are the latest few and the best by a named metric. Saves are
asynchronous and atomic: a step's folder appears under its name when it is
whole.
"""

import json
import math
import os

import jax
import ml_collections
import numpy as np
import orbax.checkpoint as ocp
from orbax.checkpoint import checkpoint_managers


class Checkpoints:
  """The checkpoints of one working directory."""

  def __init__(self, workdir, *, keep=1, metric='psnr_rgb', mode='max'):
    """Opens (and makes) `<workdir>/checkpoints`.

    Args:
      workdir: folder of the run.
      keep: how many of the latest to keep; the best is kept besides.
      metric: name in `metrics` of `save` by which the best is chosen.
      mode: 'max' or 'min'.
    """
    if mode not in ('max', 'min'):
      raise ValueError(f"best_mode={mode!r} is not 'max' or 'min'")
    self._sign = 1.0 if mode == 'max' else -1.0
    self._metric = metric
    self._manager = ocp.CheckpointManager(
      os.path.join(os.path.abspath(workdir), 'checkpoints'),
      options=ocp.CheckpointManagerOptions(
        # Both are needed: the policy keeps, best_fn lets best_step find.
        best_fn=self._score,
        preservation_policy=checkpoint_managers.AnyPreservationPolicy(
          [
            checkpoint_managers.LatestN(max(keep, 1)),
            checkpoint_managers.BestN(
              get_metric_fn=self._score,
              n=1,
              keep_checkpoints_without_metrics=False,
            ),
          ]
        ),
      ),
    )

  def _score(self, metrics):
    # A run that goes on may choose by another metric than it did before.
    return self._sign * metrics.get(self._metric, -self._sign * math.inf)

  def latest_step(self):
    """The newest saved step, or None."""
    return self._manager.latest_step()

  def best_step(self):
    """The best saved step by the metric, or None where none was measured."""
    return self._manager.best_step()

  def save(self, step, state, config, metrics=None):
    """Starts to save `state` and `config` as `step`, with its metrics."""
    if jax.process_count() > 1:
      # Process-local device arrays cannot be saved by several processes.
      state = jax.device_get(state)
    measured = {
      name: value
      for name, value in (metrics or {}).items()
      if not math.isnan(value)
    }
    self._manager.save(
      step,
      metrics=measured if self._metric in measured else None,
      args=ocp.args.Composite(
        state=ocp.args.StandardSave(state),
        config=ocp.args.JsonSave(json.loads(config.to_json())),
      ),
    )

  def restore(self, state, step=None):
    """The saved state of `step` (default: the newest), shaped like `state`."""
    step = self.latest_step() if step is None else step
    template = jax.tree.map(ocp.utils.to_shape_dtype_struct, state)
    return self._manager.restore(
      step, args=ocp.args.Composite(state=ocp.args.StandardRestore(template))
    ).state

  def generator(self, step):
    """(config, averaged generator weights) of `step`, as numpy arrays."""
    saved = self._manager.restore(
      step,
      args=ocp.args.Composite(
        state=ocp.args.StandardRestore(), config=ocp.args.JsonRestore()
      ),
    )
    return (
      ml_collections.ConfigDict(saved.config),
      jax.tree.map(np.asarray, saved.state['ema']),
    )

  def wait(self):
    """Returns when all that was saved is on disk."""
    self._manager.wait_until_finished()

  def close(self):
    """Waits, then lets go of the folder."""
    self.wait()
    self._manager.close()


def load_generator(workdir, step=None):
  """(config, averaged weights, step) of a run: best, else newest, or `step`.

  Raises:
    FileNotFoundError: where `workdir` has no checkpoint (or not that one).
  """
  folder = os.path.join(workdir, 'checkpoints')
  if not os.path.isdir(folder):
    raise FileNotFoundError(
      f'{workdir}: no checkpoints here; train first, or name another --workdir'
    )
  checkpoints = Checkpoints(workdir, **_best_by(workdir))
  try:
    if step is None:
      step = checkpoints.best_step()
    if step is None:
      step = checkpoints.latest_step()
    if step is None:
      raise FileNotFoundError(f'{folder}: holds no finished checkpoint')
    config, params = checkpoints.generator(step)
    return config, params, step
  finally:
    checkpoints.close()


def _best_by(workdir):
  """The metric and mode that the run's own config chose its best by."""
  path = os.path.join(workdir, 'config.json')
  if not os.path.exists(path):
    return {}
  with open(path) as file:
    config = json.load(file)
  return {'metric': config['best_metric'], 'mode': config['best_mode']}
