"""The optimizer and its learning-rate schedule, from the configuration."""

import jax
import optax
import optax.contrib

OPTIMIZERS = ('adam', 'adamw', 'lion', 'muon')


def schedule(o, steps):
  """step -> learning rate: linear warm-up, then a cosine to a fraction.

  Args:
    o: config.optimizer, or another of the same fields.
    steps: of the whole run.
  """
  peak = o.learning_rate
  warmup = min(o.warmup_steps, steps)
  cosine = optax.cosine_decay_schedule(
    peak, max(steps - warmup, 1), o.final_fraction
  )
  if not warmup:
    return cosine
  return optax.join_schedules(
    [optax.linear_schedule(0.0, peak, warmup), cosine], [warmup]
  )


def _kernels(params):
  # Biases, scales and modulations are not decayed: only matrices and kernels.
  return jax.tree.map(lambda p: p.ndim > 1, params)


def muon(rate, **settings):
  """Muon for kernels, Adam for vectors (https://arxiv.org/abs/2502.16982).

  Steps of orthogonal matrices: all that a kernel's gradient says counts as
  much, not only what it says loudest.

  Args:
    rate: learning rate of the kernels, a number or a schedule.
    **settings: of `optax.contrib.muon`.
  """

  # All axes of a kernel but the last are what it sums over.
  def dimensions(params):
    return jax.tree.map(
      lambda p: (
        optax.contrib.MuonDimensionNumbers(tuple(range(p.ndim - 1)), p.ndim - 1)
        if p.ndim > 1
        else None
      ),
      params,
    )

  return optax.contrib.muon(
    rate, muon_weight_dimension_numbers=dimensions, **settings
  )


def optimizer(o, steps):
  """The optax transformation: clipping, then one of `OPTIMIZERS`.

  Muon's steps are as large as Adam's are, so that rates of one suit the other.

  Args: as for `schedule`.

  Raises:
    ValueError: for a name that is not one of `OPTIMIZERS`, or for weight decay
      with plain Adam, which would ignore it.
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
      rate, o.b1, o.b2, weight_decay=o.weight_decay, mask=_kernels
    )
  elif o.name == 'lion':
    core = optax.lion(
      rate, o.b1, o.b2, weight_decay=o.weight_decay, mask=_kernels
    )
  elif o.name == 'muon':
    core = muon(
      rate,
      weight_decay=o.weight_decay,
      weight_decay_mask=_kernels,
      adam_b1=o.b1,
      adam_b2=o.b2,
      consistent_rms=0.2,
    )
  else:
    raise ValueError(
      f'optimizer.name={o.name!r} is not one of {", ".join(OPTIMIZERS)}'
    )
  clip = (
    optax.clip_by_global_norm(o.clip_norm)
    if o.clip_norm
    else (optax.identity())
  )
  return optax.chain(clip, core)
