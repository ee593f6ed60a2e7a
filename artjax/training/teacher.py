"""A teacher: other weights, whose results a network learns to match.

Knowledge distillation (https://arxiv.org/abs/1503.02531) of networks that
restore pictures: beside the truth, the student is compared with what the
teacher makes of the same input.
"""

from collections.abc import Mapping
from typing import Any

import jax
import ml_collections

from artjax import losses
from artjax import registry
from artjax import tasks
from artjax.inference import loading
from artjax.interop import safetensors_io
from artjax.tasks import base

FROZEN = 'teacher'  # its weights among the frozen networks of a step


class Teacher:
  """The teacher that `config.teacher` names.

  Attributes:
    frozen: {network: weights} that its loss needs, for the `frozen` of a step.
    weight: of its loss.
  """

  def __init__(self, config: ml_collections.ConfigDict) -> None:
    """Loads it; `config` is that of the student.

    Raises:
      FileNotFoundError: there are no such weights.
      ValueError: they are damaged, of another task or scale, or the loss is
        unknown.
    """
    chosen = config.teacher
    mine, params = loading.load_checked(chosen.weights)
    if mine.task != config.task:
      raise ValueError(
        f'teacher.weights={chosen.weights} are of the task {mine.task}, but '
        f'the network has the task {config.task}'
      )
    self._task = tasks.get(mine.task)
    with mine.unlocked():
      mine.dtype = config.dtype
    self._module = registry.model(mine)
    scales = [
      getattr(model, 'scale', 1)
      for model in (self._module, registry.model(config))
    ]
    if scales[0] != scales[1]:
      raise ValueError(
        f'teacher.weights={chosen.weights} enlarge {scales[0]} times, but the '
        f'network {scales[1]} times'
      )
    self.weight = chosen.weight
    self._loss = {chosen.loss: 1.0}
    self._options = config.loss_options.to_dict()
    self.frozen: dict[str, Any] = {
      **losses.frozen(self._loss, self._options),
      FROZEN: params,
    }

  def loss(
    self, picture: jax.Array, batch: base.Batch, frozen: Mapping[str, Any]
  ) -> jax.Array:
    """f32[B]: how far `picture` f32[B, H, W, 3] is from the teacher's.

    Args:
      picture: what the student makes of the batch.
      batch: see `tasks.base`.
      frozen: with those of `self.frozen`.
    """
    context = base.unit(batch['context']) if 'context' in batch else None
    y = self._module.apply(
      safetensors_io.variables(frozen[FROZEN]),
      self._task.inputs(batch, None),
      context=context,
    )
    taught = jax.lax.stop_gradient(self._task.to_image(batch, y))
    return losses.total(self._loss, picture, taught, frozen, self._options)[0]
