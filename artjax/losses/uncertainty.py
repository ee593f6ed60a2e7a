"""The loss that trains a network to predict its own errors."""

import jax
import jax.numpy as jnp

from artjax.losses import contract


def confidence(
  pred: jax.Array,
  target: jax.Array,
  log_scale: jax.Array | None,
  *,
  eps: float = 1e-3,
) -> jax.Array:
  """Negative log likelihood of the errors, given the predicted scale b.

  (|e| + eps) / b + log(2 b) is smallest if b is the mean error of such pixels.
  e is the largest error of a pixel's channels, so that a bound on it holds in
  every channel. The picture gets no gradient. It follows
  https://arxiv.org/abs/1703.04977, with a Laplace distribution instead of
  Gauss.

  Args:
    pred, target: [B, H, W, C] in [0, 1].
    log_scale: f32[B, H, W, 1], log b.
    eps: the error of rounding to 8 bits; without it b would decrease without
      bound where a picture needs no change.

  Returns:
    f32[B], in nats; negative where errors are small and predicted to be so.

    Raises:
      ValueError: the network predicts no errors.
  """
  pred, target = contract.checked(pred, target)
  if log_scale is None:
    raise ValueError(
      'the loss confidence needs a network that predicts its errors: set '
      'model.args.confidence=True (NAFNet), or losses.confidence=0'
    )
  error = jax.lax.stop_gradient(jnp.abs(pred - target)).max(-1, keepdims=True)
  return contract.mean(
    (error + eps) * jnp.exp(-log_scale) + log_scale + jnp.log(2.0)
  )
