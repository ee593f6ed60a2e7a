"""The training step: pure JAX, one step for all tasks.

  train_step(state, batch, frozen) -> (state, metrics)

The state has no device axis and no random key: keys are folded from (seed,
step, device), so a resumed run draws the same random numbers as an
uninterrupted one. Without an adversary `state.discriminator` is None and
nothing of it is traced.
"""

from collections.abc import Callable

import jax
import jax.numpy as jnp
import ml_collections
import optax

from artjax import losses
from artjax import tasks
from artjax.interop import safetensors_io
from artjax.tasks import base
from artjax.training import accumulation
from artjax.training import adversarial_step
from artjax.training import distributed
from artjax.training import optim
from artjax.training import state as states
from artjax.training import teacher as teachers


def make_train_step(
  config: ml_collections.ConfigDict,
  generator: states.Player,
  adversary: states.Player | None,
  learning_rate: optax.Schedule,
  teacher: teachers.Teacher | None = None,
) -> Callable[..., tuple[states.TrainState, dict[str, jax.Array]]]:
  """The step of `config`, to be mapped by `distributed.map_step`.

  Args:
    config: reads seed, task, losses, loss_options, adversary, ema_decay and
      accumulate.
    generator: Player.
    adversary: Player, or None.
    learning_rate: update -> rate of the generator, only to report it.
    teacher: weights to learn from; `frozen` of a step has those of it.

  Returns:
    train_step(state, batch, frozen) -> (state, metrics). A step whose losses
    or gradients are not finite leaves weights, optimizers and average
    unchanged and reports `skipped` 1. It still counts as a step, so the next
    one gets the next batch.

    Raises:
      ValueError: an unknown loss; `accumulate` with an adversary.
  """
  if adversary and config.accumulate > 1:
    raise ValueError(
      f'accumulate={config.accumulate}: a discriminator has to see a batch '
      'whole, so it has to be 1 with an adversary'
    )
  task = tasks.get(config.task)
  weights, options = dict(config.losses), config.loss_options.to_dict()
  judge = (
    adversarial_step.Judge(config, adversary.module) if adversary else None
  )

  def train_step(state, batch, frozen):
    key = jax.random.fold_in(jax.random.key(config.seed), state.step)
    key = jax.random.fold_in(key, jax.lax.axis_index(distributed.BATCH_AXIS))
    x = task.inputs(batch, key)
    seen = adversarial_step.Seen(
      x, base.unit(batch['real' if 'real' in batch else 'target'])
    )

    def loss_fn(params, stats, part):
      batch, x = part
      context = base.unit(batch['context']) if 'context' in batch else None
      y, stats = states.apply(
        generator.module, params, stats, x, frozen, context=context
      )
      picture = task.to_image(batch, y)
      target = base.unit(batch['target'])
      mask = base.missing(batch) if 'mask' in batch else None
      degraded = base.unit(batch['image']) if 'image' in batch else None
      total, terms = losses.total(
        weights,
        picture,
        target,
        frozen,
        options,
        mask,
        task.log_scale(y),
        degraded,
      )
      total, terms = total.mean(), jax.tree.map(jnp.mean, terms)
      if teacher:
        terms['teacher'] = teacher.loss(picture, batch, frozen).mean()
        total += teacher.weight * terms['teacher']
      if judge:
        extra = judge.generator(state.discriminator, seen, picture)
        total += sum(w * term for w, term in extra.values())
        terms |= {name: term for name, (_, term) in extra.items()}
      return total, (terms, stats, picture)

    differentiate = jax.value_and_grad(loss_fn, has_aux=True)
    start = state.generator.params, state.generator.stats
    if config.accumulate > 1:
      (loss, terms, grads), stats = accumulation.over_parts(
        _without_pictures(differentiate), *start, (batch, x), config.accumulate
      )
    else:
      (loss, (terms, stats, picture)), grads = differentiate(*start, (batch, x))
    grads, loss, terms = distributed.mean((grads, loss, terms))
    made = states.update(state.generator, grads, stats, generator.optimizer)
    finite = jnp.isfinite(loss) & jnp.isfinite(optax.tree.norm(grads))
    metrics = {
      'loss': loss,
      'grad_norm': optax.tree.norm(grads),
      'learning_rate': optim.rate_in_use(
        learning_rate, state.generator.opt_state
      ),
      **{f'loss/{name}': value for name, value in terms.items()},
    }

    opponent = None
    if judge:
      opponent, d_metrics = judge.step(
        state.discriminator,
        seen,
        jax.lax.stop_gradient(picture),
        adversary.optimizer,
      )
      finite &= jnp.isfinite(d_metrics['discriminator/loss'])
      finite &= jnp.isfinite(d_metrics['discriminator/grad_norm'])
      metrics |= d_metrics
      shares = weights | judge.weights
      if teacher:
        shares |= {'teacher': teacher.weight}
      metrics |= {
        f'share/{name}': shares[name] * value / loss
        for name, value in terms.items()
      }

    # The average warms up, or it would carry the random start for long.
    decay = jnp.minimum(config.ema_decay, (1 + state.step) / (10 + state.step))
    now = safetensors_io.merge(
      {'params': made.params, 'batch_stats': made.stats}
    )
    ema = jax.tree.map(lambda e, p: decay * e + (1 - decay) * p, state.ema, now)
    new = states.TrainState(state.step, made, ema, opponent)
    new = jax.tree.map(lambda new, old: jnp.where(finite, new, old), new, state)
    metrics['skipped'] = 1.0 - finite
    return new.replace(step=state.step + 1), metrics

  return train_step


def _without_pictures(differentiate):
  """Drops the pictures, which cannot be summed over the parts of a batch."""

  def of(params, stats, part):
    (loss, (terms, stats, _)), gradients = differentiate(params, stats, part)
    return (loss, (terms, stats)), gradients

  return of
