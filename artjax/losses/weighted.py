"""The losses that a configuration names, and their weighted sum.

`config.losses` can name every public function of `MODULES` whose first two
arguments are `pred, target`. A new loss needs no other registration.
"""

from collections.abc import Mapping
import difflib
import inspect
from typing import Any

import jax
import jax.numpy as jnp

from artjax import registry
from artjax.losses import contract
from artjax.losses import feature
from artjax.losses import masked
from artjax.losses import pixel
from artjax.losses import uncertainty
from artjax.models import encoders

MODULES = pixel, masked, feature, uncertainty
# Further arguments that losses may take.
_GIVEN = 'frozen', 'mask', 'log_scale', 'degraded'


def frozen(
  weights: Mapping[str, float],
  options: Mapping[str, Mapping[str, Any]] | None = None,
) -> dict[str, Any]:
  """Loads the frozen networks that the named losses need.

  Args:
    weights: {loss: weight}; one of weight 0 needs nothing.
    options: {loss: {option: value}} or None, as for `total`.

  Returns:
    {network: its weights} as numpy arrays, possibly empty. Copy it to the
    devices once and pass it to every step.

  Raises:
    ValueError: an unknown loss or option, with close matches.
    FileNotFoundError: the weights are not installed.
  """
  nets = set()
  for _, _, loss, chosen, wants in _active(weights, options):
    if 'frozen' in wants:
      default = inspect.signature(loss).parameters['net'].default
      nets.add(chosen.get('net', default))
  return {net: encoders.load(net) for net in sorted(nets)}


def total(
  weights: Mapping[str, float],
  pred: jax.Array,
  target: jax.Array,
  frozen: Mapping[str, Any] | None = None,
  options: Mapping[str, Mapping[str, Any]] | None = None,
  mask: jax.Array | None = None,
  log_scale: jax.Array | None = None,
  degraded: jax.Array | None = None,
) -> tuple[jax.Array, dict[str, jax.Array]]:
  """Weighted sum of losses by name.

  Args:
    weights: {loss: Python number}; losses of weight 0 are not traced.
    pred, target: float[B, H, W, C] in [0, 1].
    frozen: frozen networks, from `losses.frozen` with the same weights.
    options: {loss: {option: value}}, keyword arguments of the losses.
    mask: f32[B, H, W, 1], 1 where a pixel was missing; for losses that take it.
    log_scale: f32[B, H, W, 1], of the errors, from `Task.log_scale`; None if
      the network does not predict them.
    degraded: the input, of the shape of `pred`; for losses that take it.

  Returns:
    (f32[B] weighted sum, {loss: f32[B] without its weight}).

  Raises:
    ValueError: an unknown loss or option, with close matches; unequal shapes.
  """
  pred, target = contract.checked(pred, target)
  terms, value = {}, jnp.zeros(pred.shape[0], jnp.float32)
  given = dict(zip(_GIVEN, (frozen, mask, log_scale, degraded)))
  for name, weight, loss, chosen, wants in _active(weights, options):
    terms[name] = loss(pred, target, *(given[key] for key in wants), **chosen)
    value += weight * terms[name]
  return value, terms


def _active(weights, options):
  """Lists (name, weight, loss, its options, its further arguments), checked."""
  losses = _losses()
  options = options or {}
  for name in (*weights, *options):
    if name not in losses:
      raise _unknown('loss', name, losses)
  active = []
  for name, weight in weights.items():
    loss, chosen = losses[name], dict(options.get(name) or {})
    parameters = inspect.signature(loss).parameters
    allowed = [
      key
      for key, parameter in parameters.items()
      if parameter.kind is parameter.KEYWORD_ONLY
    ]
    for key in chosen:
      if key not in allowed:
        raise _unknown(f'option of the loss {name}', key, allowed or ['none'])
    if weight:
      wants = [key for key in _GIVEN if key in parameters]
      active.append((name, weight, loss, chosen, wants))
  return active


def _losses():
  """{name: loss} of all `MODULES`, and of the user's."""
  return {
    name: value
    for module in (*MODULES, *registry.used())
    for name, value in registry.public(module).items()
    if _is_loss(value)
  }


def _is_loss(value):
  if isinstance(value, type):
    return False
  parameters = list(inspect.signature(value).parameters)
  # A metric has the same first ones.
  return parameters[:2] == ['pred', 'target'] and 'crop' not in parameters


def _unknown(kind, name, known):
  close = difflib.get_close_matches(name, known, n=3)
  hint = f'did you mean {", ".join(close)}? ' if close else ''
  return ValueError(
    f'unknown {kind} {name!r}: {hint}there are {", ".join(sorted(known))}'
  )
