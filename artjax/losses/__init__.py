"""Losses by name, and their weighted sum.

  frozen = losses.frozen(config.losses)
  value, terms = losses.total(config.losses, pred, target, frozen)

A loss is (pred, target, ...) -> f32[B]. It takes float pictures [B, H, W, C] in
[0, 1] of equal shape and returns one number per picture; other shapes and
dtypes raise ValueError. Further arguments get, by their names,

  frozen     the frozen networks, {'vgg16': encoders.load('vgg16'), ...}; they
             are an argument of the step, since a closure would compile them in
             as constants
  mask       the mask of missing pixels, f32[B, H, W, 1]
  log_scale  the size of the errors that the network predicts
  degraded   the degraded picture

Losses of pictures are in `pixel`, of masks and missing pixels in `masked`, of
features of frozen networks in `feature`, of predicted errors in `uncertainty`.
Losses of a discriminator's logits, for both players, are in `adversarial`.
"""

from artjax.losses.weighted import frozen
from artjax.losses.weighted import total

__all__ = ['frozen', 'total']
