"""Losses by name, and their weighted sum.

  frozen = losses.frozen(config.losses)
  value, terms = losses.total(config.losses, pred, target, frozen)

A loss is (pred, target, ...) -> f32[B]: float pictures [B, H, W, C] in [0, 1]
of equal shape in, one number a picture out. What has another shape or is no
float raises ValueError. One that takes a third argument `frozen` gets the
frozen networks, {'vgg16': encoders.load('vgg16'), ...}, as an argument of the
step, since a closure would compile them in as constants; one that takes `mask`
gets that of what is missing, f32[B, H, W, 1], and one that takes `log_scale`
how large the network expects its errors to be.

`pixel` compares pictures, `masked` masks and what they say is missing,
`feature` what frozen networks see, `uncertainty` errors and what was expected
of them. `adversarial` is apart: what a
discriminator's logits cost each of the two players.
"""

from artjax.losses.weighted import frozen
from artjax.losses.weighted import total

__all__ = ['frozen', 'total']
