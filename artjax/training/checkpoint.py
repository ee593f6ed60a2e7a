"""Checkpoints: every Orbax call of the project.

`<workdir>/checkpoints/<step>/` holds the training state, its configuration, and
fingerprints of its tensors. The latest few are kept, and the best by the metric
of the configuration (`best_metric`). Saves are asynchronous and atomic: the
folder of a step gets its name when it is complete.
"""

import contextlib
import json
import math
import os
from typing import Any

from absl import logging
import jax
import ml_collections
import numpy as np
import orbax.checkpoint as ocp
from orbax.checkpoint import checkpoint_managers

from artjax import atomic_files
from artjax.training import fingerprint
from artjax.training.hosts import agreement

# Where the fields of a configuration are whose change makes another state.
_FIELDS = {
  'ema': 'model',
  'generator/params': 'model',
  'generator/stats': 'model',
  'generator/opt_state': 'optimizer',
  'discriminator': 'adversary',
}
# Errors of reading that are no fault of the files.
_NO_DAMAGE = (PermissionError, MemoryError, jax.errors.JaxRuntimeError)


class Checkpoints:
  """The checkpoints of one working directory."""

  def __init__(
    self,
    workdir: str | os.PathLike,
    *,
    keep: int = 1,
    metric: str = 'psnr_rgb',
    mode: str = 'max',
  ):
    """Opens (and makes) `<workdir>/checkpoints`.

    Args:
      workdir: folder of the run.
      keep: how many of the latest to keep, in addition to the best.
      metric: name in `metrics` of `save` by which the best is chosen.
      mode: 'max' or 'min'.
    """
    if mode not in ('max', 'min'):
      raise ValueError(f"best_mode={mode!r} is not 'max' or 'min'")
    self._sign = 1.0 if mode == 'max' else -1.0
    self._metric = metric
    self._folder = os.path.join(os.path.abspath(workdir), 'checkpoints')
    # Orbax's own exchange waits for half a minute only, and some processes
    # compile longer than others before they come here.
    agreement.barrier('opening the checkpoints')
    self._manager = ocp.CheckpointManager(
      self._folder,
      item_handlers={
        'state': ocp.PyTreeCheckpointHandler(),
        'config': ocp.JsonCheckpointHandler(),
        'fingerprint': ocp.JsonCheckpointHandler(),
      },
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

  def latest_step(self) -> int | None:
    """The newest saved step, or None."""
    return self._manager.latest_step()

  def best_step(self) -> int | None:
    """The best saved step by the metric, or None if none was measured."""
    best = self._manager.best_step()
    known = {} if best is None else self._manager.metrics(best)
    return best if self._metric in (known or {}) else None

  def save(
    self,
    step: int,
    state: Any,
    config: ml_collections.ConfigDict,
    metrics: dict[str, float] | None = None,
  ) -> None:
    """Starts to save `state` and `config` as `step`, with its metrics.

    Raises:
      ValueError: this step, or the one before it, cannot be written.
    """
    prints = fingerprint.of(state)
    if jax.process_count() > 1:
      # Process-local device arrays cannot be saved by several processes, and
      # those of the next step take the place of these.
      state = jax.tree.map(np.array, state)
    else:
      state = jax.tree.map(_one_copy, state)
    with self._written(step):
      self._manager.save(
        step,
        metrics=self._known(metrics or {}),
        args=ocp.args.Composite(
          state=ocp.args.PyTreeSave(state),
          config=ocp.args.JsonSave(json.loads(config.to_json())),
          fingerprint=ocp.args.JsonSave(prints),
        ),
      )

  def _known(self, metrics):
    """The metrics that are not nan; None if the deciding one is missing."""
    found = {k: value for k, value in metrics.items() if not math.isnan(value)}
    return found if self._metric in found else None

  @contextlib.contextmanager
  def _written(self, step):
    """Context for writing; turns its errors into one line."""
    try:
      yield
    except Exception as error:  # of many types, of threads that write
      raise ValueError(
        f'{self._folder}: step {step} cannot be saved: {_reason(error)}; whole '
        f'are the steps {", ".join(map(str, self._manager.all_steps(True)))}'
      ) from error

  def is_measured(self, step: int) -> bool:
    """Whether `measured` was called for a saved step."""
    return self._manager.metrics(step) is not None

  def measured(self, step: int, metrics: dict[str, float]) -> None:
    """Adds metrics to a step that is already saved."""
    self.wait()
    known = self._known(metrics) or {}
    if jax.process_index() == 0:
      # The file that Orbax reads them from.
      path = os.path.join(self._folder, str(step), 'metrics', 'metrics')
      atomic_files.write_text(path, json.dumps(known))
    agreement.barrier(f'the figures of step {step}')
    self._manager.reload()

  def restore(self, state: Any) -> Any:
    """The newest saved state that can be read, shaped like `state`.

    A newer one that cannot be read, as its files are truncated or missing, is
    moved to `<workdir>/checkpoints_damaged`, with a warning, so that training
    can save that step anew.

    Raises:
      ValueError: it was saved by another model, optimizer or adversary, whose
        field is named; or none of those that are there can be read.
    """
    template = jax.tree.map(ocp.utils.to_shape_dtype_struct, state)
    damaged = {}  # step: what is wrong with it
    for step in sorted(self._manager.all_steps(), reverse=True):
      try:
        saved = self._shapes(step)
      except Exception as error:  # of many types: what is damaged is anywhere
        damaged[step] = _reason(error)
        continue
      self._check_same(step, saved, template)
      try:
        restored = self._read(step, template)
      except Exception as error:
        damaged[step] = _reason(error)
        continue
      self._put_aside(damaged, step)
      return restored
    raise ValueError(
      f'{self._folder}: no checkpoint can be read: '
      + '; '.join(f'{step}: {reason}' for step, reason in damaged.items())
    )

  def _shapes(self, step):
    """{path: object with a shape} of a saved state."""
    metadata = self._manager.item_metadata(step).state
    if metadata is None:
      raise FileNotFoundError('its state is missing')
    return _flat(metadata.tree)

  def _check_same(self, step, saved, template):
    """Refuses a state of another structure."""
    wanted = _flat(ocp.tree.serialize_tree(template, keep_empty_nodes=True))
    odd = sorted(
      path
      for path in {*saved, *wanted}
      if _shape(saved, path) != _shape(wanted, path)
    )
    if not odd:
      return
    field = next(
      (f for prefix, f in _FIELDS.items() if odd[0].startswith(prefix)), 'model'
    )
    raise ValueError(
      f'{self._folder}/{step} was saved with another config.{field} '
      f'({odd[0]} and {len(odd) - 1} more differ): use another --workdir, or '
      f'the config it was made with'
    )

  def _read(self, step, template):
    found = self._manager.restore(
      step,
      args=ocp.args.Composite(
        state=ocp.args.PyTreeRestore(
          template,
          restore_args=ocp.checkpoint_utils.construct_restore_args(template),
        ),
        **self._fingerprint(step),
      ),
    )
    _check(found.state, found)
    return found.state

  def _fingerprint(self, step):
    """The arguments to restore it; old checkpoints have none."""
    there = os.path.isdir(os.path.join(self._folder, str(step), 'fingerprint'))
    return {'fingerprint': ocp.args.JsonRestore()} if there else {}

  def _put_aside(self, damaged, step):
    """Moves damaged checkpoints away; the run resumes from `step`."""
    agreement.barrier('the end of restoring')  # nobody still reads them
    for newer, reason in damaged.items():
      logging.warning(
        '%s/%d cannot be read (%s): going on from step %d instead. It is now '
        'in %s_damaged.',
        self._folder,
        newer,
        reason,
        step,
        self._folder,
      )
      if jax.process_index() == 0:
        os.makedirs(f'{self._folder}_damaged', exist_ok=True)
        os.replace(
          os.path.join(self._folder, str(newer)),
          os.path.join(f'{self._folder}_damaged', str(newer)),
        )
    agreement.barrier('the newest checkpoint')
    if damaged:
      self._manager.reload()

  def generator(self, step: int) -> tuple[ml_collections.ConfigDict, Any]:
    """(config, averaged generator weights) of `step`, as numpy arrays.

    The rest of the state is not read, as it may be many times as large.
    """
    try:
      return self._generator(step)
    except Exception as error:
      raise ValueError(
        f'{self._folder}/{step} cannot be read: {_reason(error)}'
      ) from error

  def _generator(self, step):
    saved = self._manager.item_metadata(step).state.tree['ema']
    found = self._manager.restore(
      step,
      args=ocp.args.Composite(
        state=ocp.args.PyTreeRestore(
          {
            'ema': jax.tree.map(
              lambda x: jax.ShapeDtypeStruct(x.shape, x.dtype), saved
            )
          },
          restore_args={
            'ema': jax.tree.map(
              lambda _: ocp.RestoreArgs(restore_type=np.ndarray), saved
            )
          },
          partial_restore=True,
        ),
        config=ocp.args.JsonRestore(),
        **self._fingerprint(step),
      ),
    )
    _check({'ema': found.state['ema']}, found)
    return ml_collections.ConfigDict(found.config), found.state['ema']

  def wait(self) -> None:
    """Returns when all saved steps are on disk.

    Raises:
      ValueError: it cannot be written.
    """
    with self._written(self._manager.latest_step()):
      self._manager.wait_until_finished()

  def close(self) -> None:
    """Waits, then closes the folder."""
    self.wait()
    self._manager.close()


def _check(tree, found):
  if 'fingerprint' in found.keys():
    fingerprint.check(tree, found.fingerprint)


def _flat(tree):
  """{'a/b': leaf}, with empty nodes."""
  return {
    '/'.join(map(str, path)): leaf
    for path, leaf in ocp.tree.to_flat_dict(tree, keep_empty_nodes=True).items()
  }


def _shape(flat, path):
  """The shape of an array, () for an empty node, None if there is none."""
  return tuple(getattr(flat[path], 'shape', ())) if path in flat else None


def _one_copy(leaf):
  """An array on one device alone.

  Of one that several devices have Orbax saves a part from each, and compiles a
  program for every part of another shape.
  """
  return leaf.addressable_data(0) if isinstance(leaf, jax.Array) else leaf


def in_short(error: BaseException) -> str:
  """What an error of reading or writing says, in a part of a line.

  Tensorstore's messages are long; they begin with what it did and end with what
  the system said, before details in brackets.
  """
  text = (str(error).splitlines() or [''])[0].partition(' [')[0]
  if len(text) > 160:
    text = f'{text[:60]} ... {text[-90:]}'
  return text or type(error).__name__


def _reason(error):
  """`in_short` of what is wrong with files; other errors are raised."""
  if isinstance(error, _NO_DAMAGE):
    raise error
  return in_short(error)


def load_generator(
  workdir: str | os.PathLike, step: int | None = None
) -> tuple[ml_collections.ConfigDict, Any, int]:
  """(config, averaged weights, step) of a run: best, else newest, or `step`.

  Raises:
    FileNotFoundError: where `workdir` has no checkpoint (or not that one).
    ValueError: its files are damaged.
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
  """The metric and mode by which the run's own config chooses the best."""
  path = os.path.join(workdir, 'config.json')
  if not os.path.exists(path):
    return {}
  with open(path) as file:
    config = json.load(file)
  return {'metric': config['best_metric'], 'mode': config['best_mode']}
