"""The optimizer and its learning-rate schedule, from the configuration."""
import jax
import optax

OPTIMIZERS = ('adam', 'adamw', 'lion')


def schedule(o, steps):
  """step -> learning rate: linear warm-up, then a cosine to a fraction.

  Args:
    o: config.optimizer, or another of the same fields.
    steps: of the whole run.
  """
  peak = o.learning_rate
  warmup = min(o.warmup_steps, steps)
  cosine = optax.cosine_decay_schedule(
      peak, max(steps - warmup, 1), o.final_fraction)
  if not warmup:
    return cosine
  return optax.join_schedules(
      [optax.linear_schedule(0.0, peak, warmup), cosine], [warmup])


def _kernels(params):
  # Biases, scales and modulations are not decayed: only matrices and kernels.
  return jax.tree.map(lambda p: p.ndim > 1, params)


def optimizer(o, steps):
  """The optax transformation: clipping, then Adam, AdamW or Lion.

  Args: as for `schedule`.

  Raises:
    ValueError: for a name that is not one of `OPTIMIZERS`, or for weight decay
      with plain Adam, which would ignore it.
  """
  rate = schedule(o, steps)
  if o.name == 'adam':
    if o.weight_decay:
      raise ValueError('optimizer.weight_decay has no effect on adam: use '
                       '--config.optimizer.name=adamw')
    core = optax.adam(rate, o.b1, o.b2)
  elif o.name == 'adamw':
    core = optax.adamw(rate, o.b1, o.b2, weight_decay=o.weight_decay,
                       mask=_kernels)
  elif o.name == 'lion':
    core = optax.lion(rate, o.b1, o.b2, weight_decay=o.weight_decay,
                      mask=_kernels)
  else:
    raise ValueError(f'optimizer.name={o.name!r} is not one of '
                     f'{", ".join(OPTIMIZERS)}')
  clip = optax.clip_by_global_norm(o.clip_norm) if o.clip_norm else (
      optax.identity())
  return optax.chain(clip, core)
