"""Frozen ImageNet networks: features of VGG and AlexNet, LPIPS on top.

  params = encoders.load('vgg16')
  found = encoders.features(params, x, ['conv3_3'])

Their weights are a pytree given as an argument to every function here, never
closed over, since a closure would turn them into constants of the compiled
program.

Layers are named as in the literature: VGG16 has `conv1_1` ... `conv5_3`
(before the activation) and `relu1_1` ... `relu5_3` (after it); AlexNet has
`conv1` ... `conv5` and `relu1` ... `relu5`.
"""

from artjax.models.encoders.distance import lpips
from artjax.models.encoders.networks import features
from artjax.models.encoders.networks import layer_names
from artjax.models.encoders.weights import frozen_in
from artjax.models.encoders.weights import load
from artjax.models.encoders.weights import of

__all__ = ['features', 'frozen_in', 'layer_names', 'load', 'lpips', 'of']
