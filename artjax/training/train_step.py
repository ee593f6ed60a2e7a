"""The training step and the state it carries: pure JAX, one step for all tasks.

  train_step(state, batch, frozen) -> (state, metrics)

No device axis, no random key in the state: keys are folded from (seed, step,
device), so a run that is resumed draws what an unbroken run draws. Without an
adversary `state.discriminator` is None and nothing of it is traced.
"""

from typing import Any, NamedTuple

import flax
import jax
import jax.numpy as jnp
import optax

from artjax.interop import safetensors_io as weights_lib
from artjax.losses import adversarial
from artjax.losses import pixel
from artjax.tasks import base
from artjax.training import distributed


class Player(NamedTuple):
  """A network and how it learns; the static half of a `Network`."""

  module: Any  # linen
  optimizer: Any  # optax


@flax.struct.dataclass
class Network:
  """A network that is being trained: its weights and its optimizer's state."""

  params: Any
  opt_state: Any
  stats: Any  # running statistics of its norms, often {}


@flax.struct.dataclass
class TrainState:
  """All that a checkpoint holds and a step changes."""

  step: jax.Array  # i32[], steps taken, skipped ones included
  generator: Network
  ema: Any  # averaged generator weights, the ones that are evaluated
  discriminator: Any  # Network | None


def create_state(config, generator, adversary=None):
  """The state before the first step; the same for the same `config.seed`."""
  task = base.get(config.task)
  key = jax.random.fold_in(jax.random.key(config.seed), 0)
  x = jnp.zeros([1, 64, 64, task.channels], jnp.float32)
  start = jax.jit(generator.module.init)(key, x)
  discriminator = None
  if adversary:
    side = config.adversary.size
    channels = 3 + task.channels * config.adversary.condition
    found = jax.jit(adversary.module.init)(
      jax.random.fold_in(key, 1), jnp.zeros([1, side, side, channels])
    )
    discriminator = _network(found, adversary.optimizer)
  return TrainState(
    step=jnp.zeros([], jnp.int32),
    generator=_network(start, generator.optimizer),
    # A copy: a buffer that stands twice in a donated state is freed twice.
    ema=jax.tree.map(jnp.copy, weights_lib.merge(start)),
    discriminator=discriminator,
  )


def start_from(state, merged, optimizer):
  """The state at step 0 with these generator weights, see `weights.merge`."""
  return state.replace(
    generator=_network(weights_lib.variables(merged), optimizer),
    ema=jax.tree.map(jnp.copy, merged),
  )


def _network(variables, optimizer):
  return Network(
    variables['params'],
    optimizer.init(variables['params']),
    variables.get('batch_stats', {}),
  )


def make_train_step(config, generator, adversary, learning_rate):
  """The step of `config`, to be mapped by `parallel.map_step`.

  Args:
    config: reads seed, task, losses, loss_options, adversary, ema_decay.
    generator: Player.
    adversary: Player, or None.
    learning_rate: step -> rate of the generator, only to report it.

  Returns:
    train_step(state, batch, frozen) -> (state, metrics). A step whose losses
    or gradients are not finite leaves weights, optimizers and average as they
    were and reports `skipped` 1; the step is counted all the same, so the data
    goes on to the next batch.
  """
  task = base.get(config.task)
  weights, options = dict(config.losses), config.loss_options.to_dict()
  judge = _judge(config, adversary.module) if adversary else None

  def train_step(state, batch, frozen):
    key = jax.random.fold_in(jax.random.key(config.seed), state.step)
    key = jax.random.fold_in(key, jax.lax.axis_index(distributed.BATCH_AXIS))
    x = task.inputs(batch, key)
    context = batch.get('context')
    if context is not None:
      context = base.unit(context)
    target = base.unit(batch['target'])
    mask = base.missing(batch) if 'mask' in batch else None
    seen = Seen(x, base.unit(batch['real']) if 'real' in batch else target)

    def loss_fn(params):
      y, stats = _apply(
        generator.module,
        params,
        state.generator.stats,
        x,
        frozen,
        context=context,
      )
      picture = task.picture(batch, y)
      total, terms = pixel.total(
        weights, picture, target, frozen, options, mask
      )
      total, terms = total.mean(), jax.tree.map(jnp.mean, terms)
      if judge:
        extra = judge.generator(state.discriminator, seen, picture)
        total += sum(w * term for w, term in extra.values())
        terms |= {name: term for name, (_, term) in extra.items()}
      return total, (terms, picture, stats)

    (loss, (terms, picture, stats)), grads = jax.value_and_grad(
      loss_fn, has_aux=True
    )(state.generator.params)
    grads, loss, terms = distributed.mean((grads, loss, terms))
    made = _update(state.generator, grads, stats, generator.optimizer)
    finite = jnp.isfinite(loss) & jnp.isfinite(optax.tree.norm(grads))
    metrics = {
      'loss': loss,
      'grad_norm': optax.tree.norm(grads),
      'learning_rate': learning_rate(state.step),
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
      metrics |= {
        f'share/{name}': shares[name] * value / loss
        for name, value in terms.items()
      }

    # The average warms up, or it would carry the random start for long.
    decay = jnp.minimum(config.ema_decay, (1 + state.step) / (10 + state.step))
    now = weights_lib.merge({'params': made.params, 'batch_stats': made.stats})
    ema = jax.tree.map(lambda e, p: decay * e + (1 - decay) * p, state.ema, now)
    new = TrainState(state.step, made, ema, opponent)
    new = jax.tree.map(lambda new, old: jnp.where(finite, new, old), new, state)
    metrics['skipped'] = 1.0 - finite
    return new.replace(step=state.step + 1), metrics

  return train_step


class Seen(NamedTuple):
  """What a discriminator may see besides the generated picture."""

  x: Any  # the generator's input
  real: Any  # the clean picture


class _judge:  # pylint: disable=invalid-name
  """The adversary's part of the step, for `config.adversary`."""

  def __init__(self, config, module):
    c = config.adversary
    self._module = module
    self._condition = c.condition
    self._loss = adversarial.get(c.loss)
    self._threshold = adversarial.threshold(c.loss)
    self._relative = c.loss == 'relativistic'
    self._r1 = c.r1
    self.weights = {'adversarial': c.weight}
    if c.feature_matching:
      self.weights['feature_matching'] = c.feature_matching

  def _logits(self, params, stats, seen, picture):
    """((logits, features), new statistics) of one kind of pictures."""
    if self._condition:
      # A latent is one pixel, and holds everywhere.
      x = jnp.broadcast_to(seen.x, (*picture.shape[:3], seen.x.shape[-1]))
      picture = jnp.concatenate([x, picture], -1)
    return _apply(self._module, params, stats, picture)

  def generator(self, opponent, seen, picture):
    """{loss: (its weight, f32[])}: what the discriminator thinks of it."""
    view = lambda p: self._logits(opponent.params, opponent.stats, seen, p)[0]
    real, real_features = view(seen.real)
    fake, fake_features = view(picture)
    found = {'adversarial': self._loss(real, fake, _mean)[1]}
    if 'feature_matching' in self.weights:
      found['feature_matching'] = adversarial.feature_matching(
        real_features, fake_features
      )
    return {name: (self.weights[name], value) for name, value in found.items()}

  def step(self, opponent, seen, picture, optimizer):
    """The discriminator's update by the same pictures: (Network, metrics)."""

    def loss_fn(params):
      (real, _), stats = self._logits(params, opponent.stats, seen, seen.real)
      (fake, _), stats = self._logits(params, stats, seen, picture)
      loss = self._loss(real, fake, _mean)[0]
      if self._r1:
        loss += self._r1 * adversarial.r1_penalty(
          lambda x: self._logits(params, opponent.stats, seen, x)[0][0],
          seen.real,
        )
      return loss, (real, fake, stats)

    (loss, (real, fake, stats)), grads = jax.value_and_grad(
      loss_fn, has_aux=True
    )(opponent.params)
    grads, loss = distributed.mean((grads, loss))
    # A relativistic judge only says which of the two is the more real.
    border_real = _mean(fake) if self._relative else self._threshold
    border_fake = _mean(real) if self._relative else self._threshold
    metrics = {
      'discriminator/loss': loss,
      'discriminator/grad_norm': optax.tree.norm(grads),
      'discriminator/real_logit': _mean(real),
      'discriminator/fake_logit': _mean(fake),
      'discriminator/real_accuracy': _mean(1.0 * (real > border_real)),
      'discriminator/fake_accuracy': _mean(1.0 * (fake < border_fake)),
    }
    return _update(opponent, grads, stats, optimizer), metrics


def _apply(module, params, stats, x, frozen=None, **inputs):
  """(output, new statistics) of a network in training."""
  variables = {'params': params}
  nets = getattr(module, 'frozen_nets', ())
  if nets:
    variables['frozen'] = {net: frozen[net] for net in nets}
  if not stats:
    return module.apply(variables, x, train=True, **inputs), stats
  y, changed = module.apply(
    {**variables, 'batch_stats': stats},
    x,
    train=True,
    mutable=['batch_stats'],
    **inputs,
  )
  return y, changed['batch_stats']


def _update(network, grads, stats, optimizer):
  """The network after one step of its optimizer."""
  updates, opt_state = optimizer.update(
    grads, network.opt_state, network.params
  )
  return Network(optax.apply_updates(network.params, updates), opt_state, stats)


def _mean(x):
  """Mean over an array and all devices."""
  return distributed.mean(x.mean())
