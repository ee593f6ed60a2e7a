"""Degradations together: how real objects come before a camera.

First what happened to the object (pigments, varnish, cracks, losses, stains),
then what the camera and the file add. Every example draws its own few of them.
"""
import functools

from artjax.data import damage
from artjax.data import degradations as d
from artjax.data.lift import preset

# (op factory, chance, strength): it is applied to that share of the examples,
# at severity x strength.
_COLOUR = (
    (d.fading, 0.8, 1.0), (d.varnish, 0.6, 1.0), (d.colour_cast, 0.6, 1.0),
    (d.uneven_light, 0.4, 1.0))
_SHARPNESS = (
    (d.gaussian_blur, 0.3, 0.6), (d.anisotropic_blur, 0.1, 0.5),
    (d.motion_blur, 0.07, 0.5), (d.defocus_blur, 0.07, 0.5))
_NOISE = ((d.gaussian_noise, 0.55, 0.7), (d.poisson_noise, 0.15, 0.7),
          (d.speckle_noise, 0.1, 0.6), (d.salt_and_pepper, 0.03, 0.3))


@preset
def old_painting(example, severity, rng):
  """A painting that has aged, and a photograph of it."""
  plan = _drawn(_COLOUR, rng)
  plan += _drawn(_SHARPNESS, rng) + _drawn(((d.rescale, 0.45, 0.6),), rng)
  plan += _drawn(_NOISE, rng) + _drawn(((d.jpeg, 0.75, 0.8),), rng)
  for factory, strength in plan:
    example = factory(severity * strength)(example, rng)
  return example
