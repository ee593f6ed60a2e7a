"""The training state: networks, optimizer states, and their initial values.

It contains neither random keys nor a device axis, so a checkpoint does not
depend on how many devices wrote it.
"""

from typing import Any, NamedTuple

import flax
import flax.linen as nn
import jax
import jax.numpy as jnp
import ml_collections
import optax

from artjax import tasks
from artjax.interop import safetensors_io

# Keys are folded from that of `config.seed`: by the step, 0 for the generator's
# start too, and for the discriminator's by this, which no step reaches.
_DISCRIMINATOR = 2**32 - 1


class Player(NamedTuple):
  """A module and its optimizer; the static half of a `Network`."""

  module: nn.Module
  optimizer: optax.GradientTransformation


class Network(flax.struct.PyTreeNode):
  """A network that is being trained: its weights and its optimizer's state."""

  params: Any
  opt_state: Any
  stats: Any  # running statistics of its norms, often {}


class TrainState(flax.struct.PyTreeNode):
  """Everything that a checkpoint contains and a step changes."""

  step: jax.Array  # i32[], steps taken, skipped ones included
  generator: Network
  ema: Any  # averaged generator weights, the ones that are evaluated
  discriminator: Network | None


def create_state(
  config: ml_collections.ConfigDict,
  generator: Player,
  adversary: Player | None = None,
) -> TrainState:
  """The state before the first step; the same for the same `config.seed`.

  Args:
    config: reads seed, task and adversary.
    generator: the network that makes pictures.
    adversary: the discriminator, if there is one.
  """
  task = tasks.get(config.task)
  root = jax.random.key(config.seed)
  x = jnp.zeros([1, 64, 64, task.channels], jnp.float32)
  start = jax.jit(generator.module.init)(jax.random.fold_in(root, 0), x)
  discriminator = None
  if adversary:
    side = config.adversary.size
    channels = 3 + task.channels * config.adversary.condition
    found = jax.jit(adversary.module.init)(
      jax.random.fold_in(root, _DISCRIMINATOR),
      jnp.zeros([1, side, side, channels]),
    )
    discriminator = _network(found, adversary.optimizer)
  return TrainState(
    step=jnp.zeros([], jnp.int32),
    generator=_network(start, generator.optimizer),
    # A copy: a buffer that stands twice in a donated state is freed twice.
    ema=jax.tree.map(jnp.copy, safetensors_io.merge(start)),
    discriminator=discriminator,
  )


def start_from(
  state: TrainState, merged: Any, optimizer: optax.GradientTransformation
) -> TrainState:
  """The state at step 0 with generator weights `merged`.

  Args:
    state: from `create_state`.
    merged: see `safetensors_io.merge`.
    optimizer: the generator's, optax.
  """
  return state.replace(
    generator=_network(safetensors_io.variables(merged), optimizer),
    ema=jax.tree.map(jnp.copy, merged),
  )


def _network(variables, optimizer):
  return Network(
    variables['params'],
    optimizer.init(variables['params']),
    variables.get('batch_stats', {}),
  )


def apply(
  module: nn.Module,
  params: Any,
  stats: Any,
  x: jax.Array,
  frozen: Any = None,
  **inputs: Any,
) -> tuple[Any, Any]:
  """(output, new statistics) of a network in training mode.

  Args:
    module: a generator or a discriminator.
    params: its weights.
    stats: running statistics of its norms, {} if it has none.
    x: [B, H, W, C], its input.
    frozen: {net: weights} of its frozen networks, see `models.encoders`.
    **inputs: further inputs, such as `context`.
  """
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


def update(
  network: Network,
  grads: Any,
  stats: Any,
  optimizer: optax.GradientTransformation,
) -> Network:
  """The network after one step of its optimizer, with these statistics."""
  updates, opt_state = optimizer.update(
    grads, network.opt_state, network.params
  )
  return Network(optax.apply_updates(network.params, updates), opt_state, stats)
