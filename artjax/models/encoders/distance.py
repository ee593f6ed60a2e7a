"""LPIPS: perceptual distance, from the features of a frozen network.

https://arxiv.org/abs/1801.03924
"""

from collections.abc import Mapping
from typing import Any

import jax
import jax.numpy as jnp

from artjax.models.encoders import networks

LAYERS = {
  'vgg16': ('relu1_2', 'relu2_2', 'relu3_3', 'relu4_3', 'relu5_3'),
  'alexnet': ('relu1', 'relu2', 'relu3', 'relu4', 'relu5'),
}


def lpips(
  params: Mapping[str, Any],
  pred: jax.Array,
  target: jax.Array,
  *,
  net: str = 'vgg16',
  dtype: jax.typing.DTypeLike = 'float32',
  precision: Any = None,
  weight: jax.Array | None = None,
) -> jax.Array:
  """LPIPS 0.1 with linear heads (https://arxiv.org/abs/1801.03924).

  Takes f32[B, H, W, 3] RGB in [0, 1] (the published networks see the same
  after their mapping from [-1, 1]); gives f32[B], 0 for equal pictures,
  larger is worse. `params`, `net`, `dtype`, `precision` and the errors raised
  are those of `features`. With `weight`, f32[B, H, W, 1], it is a weighted mean
  over the picture, with the weights resized to each layer.
  """
  if net not in LAYERS:
    raise ValueError(f'no LPIPS of {net!r}: use one of {list(LAYERS)}')
  names = LAYERS[net]
  options = {'net': net, 'dtype': dtype, 'precision': precision}
  # Two passes rather than one over the concatenation: only the prediction's
  # has to be kept for the backward pass.
  ours = networks.features(params, pred, names, **options)
  theirs = networks.features(params, target, names, **options)
  total = jnp.zeros(pred.shape[0], jnp.float32)
  for name in names:
    difference = _unit(ours[name]) - _unit(theirs[name])  # [B, h, w, C]
    head = params['lpips'][name].reshape(1, 1, 1, -1)
    # Element-wise, not a matmul: on a GPU that would round to TF32.
    distance = jnp.sum(difference**2 * head, axis=-1, keepdims=True)
    if weight is not None:
      shape = (*distance.shape[:3], 1)
      small = jax.image.resize(weight, shape, 'linear', antialias=True)
      distance *= small / jnp.maximum(small.mean((1, 2), keepdims=True), 1e-8)
    total += distance.mean(axis=(1, 2, 3))
  return total


def _unit(x, eps=1e-10):
  """Scales each pixel's feature vector to length 1, in float32."""
  x = x.astype(jnp.float32)
  square = jnp.sum(x**2, axis=-1, keepdims=True)
  # All channels may be zero or too small to square, and there the gradient
  # of sqrt is infinite.
  alive = square > 0
  norm = jnp.where(alive, jnp.sqrt(jnp.where(alive, square, 1.0)), 0.0)
  return x / (norm + eps)
