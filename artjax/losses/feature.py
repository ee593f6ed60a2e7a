"""Losses between two pictures in the features of frozen networks."""

from collections.abc import Mapping
from typing import Any

import jax
import jax.numpy as jnp

from artjax.losses import contract
from artjax.models import encoders

# The layers and weights of Real-ESRGAN (https://arxiv.org/abs/2107.10833),
# from VGG19's to the last layers of VGG16's blocks.
PERCEPTUAL_LAYERS = {
  'conv1_2': 0.1,
  'conv2_2': 0.1,
  'conv3_3': 1.0,
  'conv4_3': 1.0,
  'conv5_3': 1.0,
}


def perceptual(
  pred: jax.Array,
  target: jax.Array,
  frozen: Mapping[str, Any],
  *,
  net: str = 'vgg16',
  layers: Mapping[str, float] | None = None,
  distance: str = 'l1',
  dtype: str = 'float32',
) -> jax.Array:
  """Weighted distance of a frozen network's features, RGB pictures only.

  Args:
    pred, target: [B, H, W, 3] in [0, 1].
    frozen: {net: encoders.load(net)}.
    net: 'vgg16' or 'alexnet'.
    layers: {name: weight}; `conv3_3` is before the activation, `relu3_3`
      after it. None: PERCEPTUAL_LAYERS.
    distance: 'l1' (ESRGAN, https://arxiv.org/abs/1809.00219) or 'mse'
      (SRGAN, https://arxiv.org/abs/1609.04802), the mean over a layer.
    dtype: compute type of the network; 'bfloat16' is for accelerators.

  Raises:
    ValueError: also for an unknown network, layer or distance, a missing
      network, or pictures too small for it.
  """
  pred, target = contract.checked(pred, target)
  distances = {'l1': contract.magnitude, 'mse': jnp.square}
  if distance not in distances:
    raise ValueError(
      f'unknown distance {distance!r}: use one of {sorted(distances)}'
    )
  layers = PERCEPTUAL_LAYERS if layers is None else layers
  layers = {name: weight for name, weight in layers.items() if weight}
  params = _network(frozen, net)
  ours, theirs = (
    encoders.features(params, x, layers, net=net, dtype=dtype)
    for x in (pred, target)
  )
  total = jnp.zeros(pred.shape[0], jnp.float32)
  for name, weight in layers.items():
    difference = ours[name].astype(jnp.float32) - theirs[name]
    total += weight * contract.mean(distances[distance](difference))
  return total


def lpips(
  pred: jax.Array,
  target: jax.Array,
  frozen: Mapping[str, Any],
  *,
  net: str = 'vgg16',
  dtype: str = 'float32',
) -> jax.Array:
  """LPIPS distance of RGB pictures, 0 when equal; `perceptual` has options.

  It uses VGG16 by default, as its authors advise for training. The metric uses
  AlexNet, so that it differs from the loss that was optimized.
  https://arxiv.org/abs/1801.03924
  """
  pred, target = contract.checked(pred, target)
  return encoders.lpips(
    _network(frozen, net), pred, target, net=net, dtype=dtype
  )


def _network(frozen, net):
  if net not in (frozen or {}):
    raise ValueError(
      f'the frozen network {net!r} is not among those given '
      f'({sorted(frozen or {})}): see losses.frozen'
    )
  return frozen[net]
