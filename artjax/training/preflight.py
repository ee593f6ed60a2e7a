"""Checks of a configuration before the first step.

What can be known at the start is not found out at the first evaluation, hours
later and with nothing saved.
"""

from typing import Any

import ml_collections

from artjax import tasks

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
  'eval.crop': 0,
  'optimizer.warmup_steps': 0,
}


def check_fields(config: ml_collections.ConfigDict) -> None:
  """Refuses values that would fail later, or be taken for something else.

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


def check_evaluation(config: ml_collections.ConfigDict, evaluator: Any) -> None:
  """Makes and measures one example as the evaluations of the run will.

  What is measured is the target itself, in the place of the network's result.

  Args:
    config: reads task and eval.
    evaluator: of `evaluation.runner`, for the evaluations of the run.

  Raises:
    ValueError, OSError: there is no picture, or eval.ops or eval.metrics do
      not go together with the task.
  """
  example = next(iter(evaluator.examples()), None)
  if example is None:
    raise ValueError('no picture to evaluate on')
  reads = tasks.get(config.task).reads
  if not reads:  # pictures from nothing: there is no target
    return
  try:
    evaluator.measure(lambda *_, **__: example['target'], example, False)
  except KeyError as error:
    raise ValueError(
      f'eval.ops={config.eval.ops!r} leave no {error} in an example; the task '
      f'{config.task} needs {", ".join((*reads, "target"))}: '
      'copy("image", "target") keeps the picture as it was'
    ) from error
