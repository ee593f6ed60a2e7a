"""The optimizer and its learning-rate schedule, from the configuration.

The name of a parameter decides whether it is decayed and whether it is treated
as a matrix: a 'kernel' maps features to features. Biases, scales, slopes and
the modulations of blocks are vectors, whatever their shape. This holds under a
scan too, where every parameter has a leading axis of the blocks.
"""

from collections.abc import Callable, Sequence
from typing import Any

import jax
import ml_collections
import optax
import optax.contrib

OPTIMIZERS = ('adam', 'adamw', 'lion', 'muon')
SCHEDULES = ('cosine', 'constant', 'wsd')

_ONE_INPUT = ('query', 'key', 'value')  # attention: [in, heads, features]


def schedule(o: ml_collections.ConfigDict, steps: int) -> optax.Schedule:
  """step -> learning rate: a linear warm-up, then what `o.schedule` says.

  'cosine' falls from the peak to `o.final_fraction` of it at the last step.
  'constant' stays at the peak. 'wsd' (warm-up, stable, decay:
  https://arxiv.org/abs/2404.06395) stays there until the last
  `o.decay_share` of the steps, over which it falls linearly to the fraction:
  its rate before the decay does not depend on `steps`, so a run can be extended
  from a checkpoint of that time as if it had been planned so.

  Args:
    o: config.optimizer, or another of the same fields.
    steps: of the whole run.

  Raises:
    ValueError: an unknown schedule, or a share outside [0, 1].
  """
  peak = o.learning_rate
  warmup = min(o.warmup_steps, steps)
  rest = steps - warmup
  if o.schedule == 'cosine':
    main = optax.cosine_decay_schedule(peak, max(rest, 1), o.final_fraction)
  elif o.schedule == 'constant':
    main = optax.constant_schedule(peak)
  elif o.schedule == 'wsd':
    if not 0 <= o.decay_share <= 1:
      raise ValueError(
        f'optimizer.decay_share={o.decay_share} is outside [0, 1]'
      )
    decay = min(round(steps * o.decay_share), rest)
    main = optax.linear_schedule(
      peak, peak * o.final_fraction, max(decay, 1), rest - decay
    )
  else:
    raise ValueError(
      f'optimizer.schedule={o.schedule!r} is not one of {", ".join(SCHEDULES)}'
    )
  if not warmup:
    return main
  return optax.join_schedules(
    [optax.linear_schedule(0.0, peak, warmup), main], [warmup]
  )


def kernels(params: Any) -> Any:
  """Which parameters are kernels, and so are decayed: a tree of bool."""
  return jax.tree.map_with_path(lambda path, _: _is_kernel(path), params)


def matrices(params: Any) -> Any:
  """How Muon reads each kernel as a matrix of its inputs by its outputs.

  Args:
    params: tree of the parameters, or of their gradients.

  Returns:
    The tree with `optax.contrib.MuonDimensionNumbers`, or None for parameters
    that are no matrices: all but kernels, and kernels of depthwise
    convolutions, [3, 3, C], which have one input per channel. The leading axis
    of a kernel under a scan does not belong to its matrices: there is one for
    each block.
  """
  return jax.tree.map_with_path(
    lambda path, p: _matrix(path, p.ndim) if _is_kernel(path) else None, params
  )


def _is_kernel(path):
  return path[-1].key == 'kernel'


def _matrix(path, ndim):
  layer = path[-2].key if len(path) > 1 else ''
  if ndim == 2:
    return optax.contrib.MuonDimensionNumbers(0, 1)
  if ndim == 3 and layer in _ONE_INPUT:
    return optax.contrib.MuonDimensionNumbers(0, (1, 2))
  if ndim == 3 and layer == 'out':  # attention: [heads, features, out]
    return optax.contrib.MuonDimensionNumbers((0, 1), 2)
  if ndim >= 4:  # [blocks, ] height, width, in, out
    return optax.contrib.MuonDimensionNumbers((-4, -3, -2), -1)
  return None


def muon(
  rate: float | optax.Schedule, **settings: Any
) -> optax.GradientTransformation:
  """Muon for matrices, Adam for the rest (https://arxiv.org/abs/2502.16982).

  Steps are orthogonal matrices, so that all directions of a kernel's gradient
  count equally, not only the largest.

  Args:
    rate: learning rate of the matrices, a number or a schedule.
    **settings: of `optax.contrib.muon`.
  """
  return optax.contrib.muon(
    rate, muon_weight_dimension_numbers=matrices, **settings
  )


def optimizer(
  o: ml_collections.ConfigDict, steps: int, fixed: Sequence[str] = ()
) -> optax.GradientTransformation:
  """The optax transformation: clipping, then one of `OPTIMIZERS`.

  Muon's steps are scaled to the size of Adam's, so that the same learning rates
  suit both.

  Args:
    o: config.optimizer, or another of the same fields.
    steps: of the whole run.
    fixed: layers, by their names at the top of the parameters' tree, that are
      not changed, not even by weight decay.

  Raises:
    ValueError: for a name that is not one of `OPTIMIZERS`, or for weight decay
      with plain Adam, which would ignore it; for what `schedule` refuses.
  """
  rate = schedule(o, steps)
  if o.name == 'adam':
    if o.weight_decay:
      raise ValueError(
        'optimizer.weight_decay has no effect on adam: use '
        '--config.optimizer.name=adamw'
      )
    core = optax.adam(rate, o.b1, o.b2)
  elif o.name == 'adamw':
    core = optax.adamw(
      rate, o.b1, o.b2, weight_decay=o.weight_decay, mask=kernels
    )
  elif o.name == 'lion':
    core = optax.lion(
      rate, o.b1, o.b2, weight_decay=o.weight_decay, mask=kernels
    )
  elif o.name == 'muon':
    core = muon(
      rate,
      weight_decay=o.weight_decay,
      weight_decay_mask=kernels,
      adam_b1=o.b1,
      adam_b2=o.b2,
      consistent_rms=0.2,
    )
  else:
    raise ValueError(
      f'optimizer.name={o.name!r} is not one of {", ".join(OPTIMIZERS)}'
    )
  clip = (
    optax.clip_by_global_norm(o.clip_norm) if o.clip_norm else optax.identity()
  )
  return _holding(optax.chain(clip, core), fixed)


def _holding(transformation, fixed):
  """`transformation` with updates of zero for the layers `fixed`.

  It is not a part of the chain, so that the state, and so checkpoints, do not
  depend on it.
  """

  def update(gradients, state, params=None):
    updates, state = transformation.update(gradients, state, params)
    zeros = {name: optax.tree.zeros_like(updates[name]) for name in fixed}
    return {**updates, **zeros}, state

  if not fixed:
    return transformation
  return optax.GradientTransformation(transformation.init, update)


def rate_in_use(
  schedule: Callable[[jax.Array], jax.Array], opt_state: Any
) -> jax.Array:
  """The learning rate of an optimizer's next update, f32[].

  It uses the optimizer's own count, since skipped steps do not increase that.
  """
  counts = optax.tree.get_all_with_path(opt_state, 'count')
  return schedule(counts[0][1])
