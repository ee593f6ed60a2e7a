"""Deep Image Prior: the state of a fit, and its step.

See inference/deep_image_prior.py. Each step consumes (donates) the state;
`copy` makes one that can be kept.
"""

import functools
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import optax
import optax.contrib

OPTIMIZERS = ('muon', 'adam')
_LEAST_GAIN = 0.01  # of the loss: less is no progress


class State(NamedTuple):
  """Everything that a step changes."""

  step: Any  # i32, taken
  params: Any
  moments: Any  # the optimizer's
  average: Any  # f32[H, W, C] of outputs
  loss: Any  # averaged as the outputs are
  recent: Any  # f32[window, H, W, C], the last outputs; None = not needed
  best: Any  # of the loss, or of the variance of the last outputs
  best_step: Any  # i32
  best_average: Any  # f32[H, W, C]


class Fixed(NamedTuple):
  """Everything that a step reads, passed as arguments and not compiled in."""

  key: Any  # of the perturbations
  code: Any  # f32[1, H, W, INPUT_CHANNELS], what the network starts from
  target: Any  # f32[h, w, C]
  weight: Any  # f32[h, w, 1]: what of it is fitted
  base: Any  # f32[H, W, C], where the outputs begin
  shrink: Any  # (f32[h, H], f32[w, W]), which make the target's size; or None
  perturbation: Any  # sigma of the noise on the code, a new one each step
  decay: Any  # of the average


def start(
  model: Any,
  key: jax.Array,
  fixed: Fixed,
  shape: tuple[int, int, int],
  window: int,
  optimizer: str,
) -> State:
  """The state before the first step.

  Args:
    model: the network, of linen.
    key: of its weights.
    fixed: with the input of the network.
    shape: (height, width, channels) of its output, px.
    window: number of outputs kept to compute their variance; 0 = none.
    optimizer: one of `OPTIMIZERS`.
  """
  params = jax.jit(model.init)(key, fixed.code)['params']
  zeros = lambda: jnp.zeros(shape, jnp.float32)  # each its own, for donation
  return State(
    step=jnp.int32(0),
    params=params,
    moments=_unscaled(optimizer).init(params),
    average=zeros(),
    loss=jnp.float32(0),
    recent=jnp.zeros((window, *shape), jnp.float32) if window else None,
    best=jnp.float32(jnp.inf),
    best_step=jnp.int32(0),
    best_average=zeros(),
  )


def copy(state: State) -> State:
  """A copy of a state, as a step consumes the state that it is given."""
  return jax.tree.map(jnp.copy, state)


@functools.partial(
  jax.jit,
  static_argnames=('model', 'window', 'optimizer'),
  donate_argnames='state',
)
def step(
  state: State,
  fixed: Fixed,
  learning_rate: jax.Array,
  model: Any,
  window: int,
  optimizer: str,
) -> State:
  """One step of the fit; see `start` for what it is given."""
  key = jax.random.fold_in(fixed.key, state.step)
  code = fixed.code + fixed.perturbation * jax.random.normal(
    key, fixed.code.shape
  )

  def fit(params):
    y = model.apply({'params': params}, code)[0]
    # The sum of the logits: the network's share of them begins near 0.
    there, absent = y * fixed.base, (1 - y) * (1 - fixed.base)
    y = there / (there + absent)
    seen = y
    if fixed.shrink:
      seen = jnp.einsum('hy,wx,yxc->hwc', *fixed.shrink, y)
    error = fixed.weight * (seen - fixed.target) ** 2
    return error.sum() / (fixed.weight.sum() * y.shape[-1]), y

  (loss, y), gradient = jax.value_and_grad(fit, has_aux=True)(state.params)
  updates, moments = _unscaled(optimizer).update(
    gradient, state.moments, state.params
  )
  params = jax.tree.map(
    lambda p, u: p + learning_rate * u, state.params, updates
  )

  # Of the last tenth at first, or the random start would stay in it for long.
  keep = jnp.minimum(fixed.decay, state.step / (state.step + 10))
  average = keep * state.average + (1 - keep) * y
  loss = keep * state.loss + (1 - keep) * loss
  if state.recent is None:
    recent, criterion, goal = None, loss, (1 - _LEAST_GAIN) * state.best
  else:
    recent = state.recent.at[state.step % window].set(y)
    criterion, goal = recent.var(0).mean(), state.best
  taken = state.step + 1
  early = taken < window  # too early to judge
  better = early | (criterion < goal)
  return State(
    taken,
    params,
    moments,
    average,
    loss,
    recent,
    best=jnp.where(early, jnp.inf, jnp.where(better, criterion, state.best)),
    best_step=jnp.where(better, taken, state.best_step),
    best_average=jnp.where(better, average, state.best_average),
  )


def _unscaled(optimizer):
  """The optax transformation of a name, of learning rate 1."""
  if optimizer == 'adam':
    return optax.adam(1.0)
  return optax.contrib.muon(
    1.0,
    adam_learning_rate=0.5,
    muon_weight_dimension_numbers=lambda params: jax.tree.map(
      _dimensions, params
    ),
  )


def _dimensions(parameter):
  """A kernel sums over all its axes but the last."""
  if parameter.ndim < 2:
    return None
  return optax.contrib.MuonDimensionNumbers(
    tuple(range(parameter.ndim - 1)), parameter.ndim - 1
  )
