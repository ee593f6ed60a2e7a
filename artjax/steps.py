"""The training step and the state it carries: pure JAX, one step for all tasks.

  train_step(state, batch, frozen) -> (state, metrics)

No device axis, no random key in the state: keys are folded from (seed, step,
device), so a run that is resumed draws what an unbroken run draws.
"""
from typing import Any

import flax
import jax
import jax.numpy as jnp
import optax

from artjax import losses
from artjax import parallel
from artjax import tasks


@flax.struct.dataclass
class Network:
  """A network that is being trained: its weights and its optimizer's state."""
  params: Any
  opt_state: Any


@flax.struct.dataclass
class TrainState:
  """All that a checkpoint holds and a step changes."""
  step: jax.Array  # i32[], steps taken, skipped ones included
  generator: Network
  ema: Any  # averaged generator weights, the ones that are evaluated


def create_state(config, model, optimizer):
  """The state before the first step; the same for the same `config.seed`."""
  channels = tasks.get(config.task).channels
  key = jax.random.fold_in(jax.random.key(config.seed), 0)
  picture = jnp.zeros([1, 64, 64, channels], jnp.float32)
  params = jax.jit(model.init)(key, picture)['params']
  return start_from(params, optimizer)


def start_from(params, optimizer):
  """The state at step 0 with these generator weights."""
  return TrainState(
      step=jnp.zeros([], jnp.int32),
      generator=Network(params, optimizer.init(params)),
      # A copy: a buffer that stands twice in a donated state is freed twice.
      ema=jax.tree.map(jnp.copy, params))


def make_train_step(config, model, optimizer, learning_rate):
  """The step of `config`, to be mapped by `parallel.map_step`.

  Args:
    config: reads seed, task, losses, ema_decay.
    model: linen module, see artjax/models.
    optimizer: optax transformation.
    learning_rate: step -> rate, only to report it.

  Returns:
    train_step(state, batch, frozen) -> (state, metrics). A step whose loss or
    gradient is not finite leaves weights, optimizer and average as they were
    and reports `skipped` 1; the step is counted all the same, so the data goes
    on to the next batch.
  """
  task = tasks.get(config.task)
  weights, options = dict(config.losses), config.loss_options.to_dict()

  def train_step(state, batch, frozen):
    key = jax.random.fold_in(jax.random.key(config.seed), state.step)
    key = jax.random.fold_in(key, jax.lax.axis_index(parallel.BATCH_AXIS))
    x = task.inputs(batch, key)
    context = batch.get('context')
    if context is not None:
      context = task.inputs({'image': context}, key)
    target = tasks.unit(batch['target'])

    def loss_fn(params):
      y = model.apply({'params': params}, x, train=True, context=context)
      total, terms = losses.total(
          weights, task.picture(batch, y), target, frozen, options)
      return total.mean(), jax.tree.map(jnp.mean, terms)

    (loss, terms), grads = jax.value_and_grad(loss_fn, has_aux=True)(
        state.generator.params)
    grads, loss, terms = parallel.mean((grads, loss, terms))
    grad_norm = optax.tree.norm(grads)
    finite = jnp.isfinite(loss) & jnp.isfinite(grad_norm)

    updates, opt_state = optimizer.update(
        grads, state.generator.opt_state, state.generator.params)
    params = optax.apply_updates(state.generator.params, updates)
    # The average warms up, or it would carry the random start for long.
    decay = jnp.minimum(config.ema_decay, (1 + state.step) / (10 + state.step))
    ema = jax.tree.map(
        lambda e, p: decay * e + (1 - decay) * p, state.ema, params)

    old = (state.generator.params, state.generator.opt_state, state.ema)
    params, opt_state, ema = jax.tree.map(
        lambda new, old: jnp.where(finite, new, old),
        (params, opt_state, ema), old)
    metrics = {
        'loss': loss,
        'grad_norm': grad_norm,
        'learning_rate': learning_rate(state.step),
        'skipped': 1.0 - finite,
        **{f'loss/{name}': value for name, value in terms.items()},
    }
    return TrainState(state.step + 1, Network(params, opt_state), ema), metrics

  return train_step
