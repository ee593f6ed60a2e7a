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
  """Negative log likelihood of the errors by the scale that is predicted.

  (|e| + eps) / b + log(2 b): least where b is the mean error of such pixels. e
  is the largest error of a pixel's channels, so that one that is right to
  within some levels is so in every channel. The picture gets no gradient.
  As https://arxiv.org/abs/1703.04977, with Laplace for Gauss.

  Args:
    pred, target: [B, H, W, C] in [0, 1].
    log_scale: f32[B, H, W, 1], log b.
    eps: what rounding to 8 bit leaves; without it b would fall without end
      where a picture needs no change.

  Returns:
    f32[B], in nats; negative where errors are small and known to be.

  Raises:
    ValueError: the network predicts nothing.
  """
  pred, target = contract.checked(pred, target)
  if log_scale is None:
    raise ValueError(
      'the loss confidence wants a network that predicts its errors: set '
      'model.args.confidence=True (NAFNet), or losses.confidence=0'
    )
  error = jax.lax.stop_gradient(jnp.abs(pred - target)).max(-1, keepdims=True)
  return contract.mean(
    (error + eps) * jnp.exp(-log_scale) + log_scale + jnp.log(2.0)
  )
