"""The adversarial part of a training step: both losses, and the update.

The discriminator sees clean and generated pictures of the same batch. The
generated ones come from the generator's own forward pass in that step.
"""

from typing import NamedTuple

import flax.linen as nn
import jax
import jax.numpy as jnp
import ml_collections
import optax

from artjax.losses import adversarial
from artjax.training import distributed
from artjax.training import state as states


class Seen(NamedTuple):
  """What a discriminator may see besides the generated picture."""

  x: jax.Array  # the generator's input, [B, H, W, C]
  real: jax.Array  # the clean picture, f32[B, H, W, 3]


class Judge:
  """The adversarial part of the step, for `config.adversary`."""

  def __init__(self, config: ml_collections.ConfigDict, module: nn.Module):
    """The part of `module`, a discriminator.

    Raises:
      ValueError: an unknown adversary.loss.
    """
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
    return states.apply(self._module, params, stats, picture)

  def generator(
    self, opponent: states.Network, seen: Seen, picture: jax.Array
  ) -> dict[str, tuple[float, jax.Array]]:
    """The generator's losses, from the discriminator's view of its pictures.

    Args:
      opponent: the discriminator.
      seen: what else it sees.
      picture: f32[B, H, W, 3], the generator's.

    Returns:
      {loss: (its weight, f32[])}, the mean over all devices.
    """
    view = lambda p: self._logits(opponent.params, opponent.stats, seen, p)[0]
    real, real_features = view(seen.real)
    fake, fake_features = view(picture)
    found = {'adversarial': self._loss(real, fake, _mean)[1]}
    if 'feature_matching' in self.weights:
      found['feature_matching'] = adversarial.feature_matching(
        real_features, fake_features
      )
    return {name: (self.weights[name], value) for name, value in found.items()}

  def step(
    self,
    opponent: states.Network,
    seen: Seen,
    picture: jax.Array,
    optimizer: optax.GradientTransformation,
  ) -> tuple[states.Network, dict[str, jax.Array]]:
    """Updates the discriminator with the same pictures.

    Args:
      opponent: the discriminator.
      seen: what else it sees.
      picture: f32[B, H, W, 3], the generator's, without a gradient.
      optimizer: the discriminator's.

    Returns:
      The discriminator, and {'discriminator/...': f32[]}, means over all
      devices.
    """

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
    return states.update(opponent, grads, stats, optimizer), metrics


def _mean(x):
  """Mean over an array and all devices."""
  return distributed.mean(x.mean())
