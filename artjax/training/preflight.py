"""Checks of a configuration before the first step.

They find errors at the start that would otherwise appear at the first
evaluation, hours later and with nothing saved.
"""

import os
import shutil
from typing import Any

import jax
import ml_collections

from artjax import tasks
from artjax.data import pipeline
from artjax.training import checkpoint
from artjax.training.hosts import agreement
from artjax.training.reporting import trackers

# The least value of fields that are counts.
_LEAST = {
  'steps': 0,
  'batch_size': 1,
  'accumulate': 1,
  'max_bad_steps': 1,
  'log_every': 1,
  'checkpoint_every': 1,
  'keep_checkpoints': 1,
  'eval_every': 0,
  'eval.max_pictures': 0,
  'eval.training_pictures': 0,
  'eval.panels': 0,
  'eval.worst': 0,
  'eval.crop': 0,
  'optimizer.warmup_steps': 0,
}


def check_fields(config: ml_collections.ConfigDict) -> None:
  """Refuses values that would fail later, or be misunderstood.

  Raises:
    ValueError: naming the field.
  """
  for field, least in _LEAST.items():
    value: Any = config
    for name in field.split('.'):
      value = value[name]
    if value < least:
      raise ValueError(f'{field}={value} is less than {least}')
  if config.dtype not in ('float32', 'bfloat16', 'float16'):
    raise ValueError(
      f'dtype={config.dtype!r} is not float32, bfloat16 or float16'
    )
  if not 0 <= config.ema_decay < 1:
    raise ValueError(f'ema_decay={config.ema_decay} is not in [0, 1)')
  trackers.check(config.loggers)


def check_training(config: ml_collections.ConfigDict) -> None:
  """Makes one training example.

  Args:
    config: reads task, seed and data.

  Raises:
    ValueError, OSError: it cannot be made, or data.ops drop a field that the
      task needs.
  """
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
    reason = str(error.__cause__ or error).splitlines()[0]
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
      f'--workdir={workdir} has {free / 2**20:.0f} MiB left, and a checkpoint '
      f'takes {needed / 2**20:.0f} MiB'
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
  for part in evaluator.parts():
    _check_one(config, part)


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
