"""What a run trains: networks, their optimizers' states, and how both begin.

Neither random keys nor a device axis are part of it, so a checkpoint does not
know how many devices wrote it.
"""

from typing import Any, NamedTuple

import flax
import jax
import jax.numpy as jnp
import optax

from artjax import tasks
from artjax.interop import safetensors_io

# Keys are folded from that of `config.seed`: by the step, 0 for the generator's
# start too, and for the discriminator's by this, which no step reaches.
_DISCRIMINATOR = 2**32 - 1


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


def start_from(state, merged, optimizer):
  """The state at step 0 with generator weights `merged`.

  Args:
    state: of `create_state`.
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


def apply(module, params, stats, x, frozen=None, **inputs):
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


def update(network, grads, stats, optimizer):
  """The network after one step of its optimizer."""
  updates, opt_state = optimizer.update(
    grads, network.opt_state, network.params
  )
  return Network(optax.apply_updates(network.params, updates), opt_state, stats)
