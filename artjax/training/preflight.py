"""Checks of a configuration before the first step.

They find errors at the start that would otherwise appear at the first
evaluation, hours later and with nothing saved.
"""

from collections.abc import Iterator
import contextlib
import math
import os
import shutil
from typing import Any

import jax
import ml_collections

from artjax import tasks
from artjax.data import loaders
from artjax.data import pipeline
from artjax.evaluation import runner
from artjax.training import checkpoint
from artjax.training.hosts import agreement
from artjax.training.reporting import progress
from artjax.training.reporting import trackers

# The least value of fields that are counts or weights.
_LEAST = {
  'seed': 0,
  'steps': 0,
  'batch_size': 1,
  'accumulate': 1,
  'max_bad_steps': 1,
  'log_every': 1,
  'checkpoint_every': 1,
  'keep_checkpoints': 1,
  'eval_every': 0,
  'data.min_size': 0,
  'data.workers': 0,
  'data.cache_mb': 0,
  'data.prefetch': 0,
  'adversary.size': 1,
  'adversary.weight': 0,
  'teacher.weight': 0,
  'adversary.feature_matching': 0,
  'adversary.r1': 0,
  'eval.max_pictures': 0,
  'eval.training_pictures': 0,
  'eval.min_size': 0,
  'eval.panels': 0,
  'eval.worst': 0,
  'eval.crop': 0,
}
# Of both optimizers.
_LEAST |= {
  f'{optimizer}.{field}': 0
  for optimizer in ('optimizer', 'adversary.optimizer')
  for field in ('learning_rate', 'warmup_steps', 'weight_decay', 'clip_norm')
}
# Fields in [0, 1), and in [0, 1].
_BELOW_1 = ('ema_decay',) + tuple(
  f'{optimizer}.{field}'
  for optimizer in ('optimizer', 'adversary.optimizer')
  for field in ('b1', 'b2')
)
_SHARES = ('data.validation', 'eval.threshold') + tuple(
  f'{optimizer}.{field}'
  for optimizer in ('optimizer', 'adversary.optimizer')
  for field in ('decay_share', 'final_fraction')
)
_CHOICES = {
  'dtype': ('float32', 'bfloat16', 'float16'),
  'data.loader': tuple(loaders.DRIVERS),
  'best_mode': ('', 'max', 'min'),
}


def check_fields(config: ml_collections.ConfigDict) -> None:
  """Refuses values that would fail later, or be misunderstood.

  Raises:
    ValueError: naming the field.
  """
  fields = dict(_fields(config))
  for field, value in fields.items():
    if isinstance(value, float) and not math.isfinite(value):
      raise ValueError(f'{field}={value} is not a finite number')
  weights = {name: 0 for name in fields if name.startswith('losses.')}
  for field, least in (_LEAST | weights).items():
    if fields[field] < least:
      raise ValueError(f'{field}={fields[field]} is less than {least}')
  for field in _BELOW_1:
    if not 0 <= fields[field] < 1:
      raise ValueError(f'{field}={fields[field]} is not in [0, 1)')
  for field in _SHARES:
    if not 0 <= fields[field] <= 1:
      raise ValueError(f'{field}={fields[field]} is not in [0, 1]')
  for field, known in _CHOICES.items():
    if fields[field] not in known:
      names = ', '.join(filter(None, known))
      raise ValueError(f'{field}={fields[field]!r} is not one of {names}')
  taught = config.teacher.weights and config.teacher.weight
  other = config.adversary.weight or taught
  if not other and not any(map(fields.get, weights)):
    raise ValueError(
      'all weights in losses are 0, so nothing would be learned: set one, such '
      'as --config.losses.charbonnier=1.0'
    )
  progress.profiled(config)
  trackers.check(config.loggers)


def _fields(
  config: ml_collections.ConfigDict, prefix: str = ''
) -> Iterator[tuple[str, Any]]:
  """(dotted name, value) of every field."""
  for name, value in config.items():
    if isinstance(value, ml_collections.ConfigDict):
      yield from _fields(value, f'{prefix}{name}.')
    else:
      yield prefix + name, value


def check_training(config: ml_collections.ConfigDict) -> None:
  """Makes one training example.

  Args:
    config: reads task, seed, batch_size and data.

  Raises:
    ValueError, OSError: it cannot be made, data.ops drop a field that the task
      needs, or a batch does not divide by the devices.
  """
  pipeline.local_batch(config, jax.local_device_count(), jax.process_count())
  example = pipeline.builder(config)(0)
  _check_parts(config.task, 'data.ops', config.data.ops, example)


def check_writing(
  workdir: str, state: Any, config: ml_collections.ConfigDict
) -> None:
  """Writes and removes a checkpoint, if the disk has room for one.

  Every process has to call it.

  Args:
    workdir: folder of the run.
    state: what is saved.
    config: of the run.

  Raises:
    ValueError: saying what is needed and what is free, or what went wrong.
  """
  check_space(workdir, state)
  folder, primary = os.path.join(workdir, 'trial'), jax.process_index() == 0
  try:
    if primary:  # of a trial that was killed
      shutil.rmtree(folder, ignore_errors=True)
    agreement.barrier('a trial checkpoint')
    trial = checkpoint.Checkpoints(folder)
    trial.save(0, state, config)
    trial.close()
  except Exception as error:  # of many types, of threads that write
    reason = checkpoint.in_short(error.__cause__ or error)
    raise ValueError(
      f'--workdir={workdir} takes no checkpoint: {reason}'
    ) from error
  finally:
    if primary:
      shutil.rmtree(folder, ignore_errors=True)


def check_space(workdir: str, state: Any) -> None:
  """Refuses a disk that has no room for a checkpoint.

  Args:
    workdir: folder of the run.
    state: what is saved, arrays or their shapes.

  Raises:
    ValueError: saying what is needed and what is free.
  """
  needed = sum(
    leaf.size * leaf.dtype.itemsize for leaf in jax.tree.leaves(state)
  )
  free = shutil.disk_usage(workdir).free
  if free < needed:
    raise ValueError(
      f'--workdir={workdir} has {free // 2**20} MiB left, and a checkpoint '
      f'takes {math.ceil(needed / 2**20)} MiB'
    )


def _check_parts(task, field, ops, example):
  """Refuses an example that lacks something."""
  needed = *tasks.get(task).reads, 'target'
  for part in needed:
    if part not in example:
      raise ValueError(
        f'{field}={ops!r} leave no {part!r} in an example; the task {task} '
        f'needs {", ".join(needed)}: copy("image", "target") keeps the picture '
        'as it was'
      )


def check_evaluation(config: ml_collections.ConfigDict, evaluator: Any) -> None:
  """Makes and measures one example as the evaluations of the run will.

  It measures the target itself instead of a network's result.

  Args:
    config: reads task and eval.
    evaluator: from `evaluation.runner`, for the evaluations of the run.

  Raises:
    ValueError, OSError: there is no picture, or eval.ops or eval.metrics do
      not fit the task.
  """
  with _as_evaluations():
    for part in evaluator.parts():
      _check_one(config, part)


def _as_evaluations():
  """Context of the first device's share of an evaluation.

  In another one JAX would trace and compile all anew.
  """
  first, *others = jax.local_devices()
  return jax.default_device(first) if others else contextlib.nullcontext()


def _check_one(config, evaluator):
  example = next(iter(evaluator.examples()), None)
  if example is None:
    source = evaluator.config.eval.source
    raise ValueError(
      f'no picture to evaluate on in {source or "the held-out part"}'
    )
  if not tasks.get(config.task).reads:  # pictures from nothing: no target
    return
  try:
    evaluator.measure(lambda *_, **__: example['target'], example, False)
  except KeyError:
    _check_parts(config.task, 'eval.ops', config.eval.ops, example)
    raise


def check_network(
  config: ml_collections.ConfigDict, evaluator: Any, params: Any
) -> None:
  """Evaluates the network on one picture, as the evaluations of the run will.

  What it compiles is used again by the first of them.

  Args:
    config: reads task, model and eval.
    evaluator: that `check_evaluation` has passed.
    params: the generator's weights.

  Raises:
    ValueError: the network does not run on whole pictures, its result has
      another size than the target, or it has no self-ensemble.
  """
  part = evaluator.parts()[0]
  example = next(iter(part.examples()))
  try:
    restorers = runner.on_devices(config, params, jax.local_devices()[:1])
    [restorer] = runner.as_configured(part.config, restorers)
    with _as_evaluations():
      part.measure(restorer, example, False)
  except Exception as error:  # of many types: the network may be the user's
    reason = (str(error).splitlines() or [type(error).__name__])[0]
    raise ValueError(
      f'{config.model.name} cannot be evaluated on a whole picture: {reason}'
    ) from error
