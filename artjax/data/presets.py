"""Degradations together, in the order of their causes.

First what happened to the object (pigments, light, varnish; cracks, losses,
stains), then what the camera and the file add, without any further damage. Each
example draws its own few of them; the severities are the preset's, times a
factor of each. A chance is that of an example to have a degradation at all.
"""
from artjax.data import damage
from artjax.data import degradations
from artjax.data.lift import preset

# (op factory, chance, factor of severity)
_AGED_PAINT = (
    (degradations.fading, 0.8, 1.0),
    (degradations.varnish, 0.6, 1.0),
    (degradations.colour_cast, 0.65, 1.0),
    (degradations.uneven_light, 0.35, 0.8),
)
_PAINT_DAMAGE = (
    (damage.craquelure, 0.5, 1.0),
    (damage.scratches, 0.55, 1.0),
    (damage.paint_losses, 0.3, 0.8),
    (damage.water_stains, 0.4, 1.0),
    (damage.foxing, 0.08, 1.0),
    (damage.mould, 0.07, 1.0),
    (damage.dust, 0.15, 1.0),
    (damage.hair, 0.07, 1.0),
    (damage.folds, 0.06, 1.0),
    (damage.tears, 0.04, 1.0),
    (damage.holes, 0.03, 0.4),
)
_BLUR = (
    (degradations.gaussian_blur, 0.55, 0.6),
    (degradations.anisotropic_blur, 0.2, 0.5),
    (degradations.motion_blur, 0.1, 0.5),
    (degradations.defocus_blur, 0.15, 0.5),
)
_NOISE = (
    (degradations.gaussian_noise, 0.7, 0.7),
    (degradations.poisson_noise, 0.15, 0.7),
    (degradations.speckle_noise, 0.1, 0.6),
    (degradations.salt_and_pepper, 0.05, 0.2),
)


@preset
def old_painting(example, severity, rng):
  """An aged, damaged painting and a photograph of it."""
  plan = _some(_AGED_PAINT, rng)
  rng.shuffle(plan)  # varnish may have faded too, or been laid on a faded picture
  plan += _some(_PAINT_DAMAGE, rng)
  camera = [_one(_BLUR, rng)] if rng.random() < 0.6 else []
  if rng.random() < 0.45:
    camera.append((degradations.rescale, 0.6))
  if rng.random() < 0.85:
    camera.append(_one(_NOISE, rng))
  if rng.random() < 0.2:
    rng.shuffle(camera)
  if rng.random() < 0.75:
    camera.append((degradations.jpeg, 0.8))
  return _run(plan + camera, example, severity, rng)


@preset
def old_photo(example, severity, rng):
  """An old print, grey or brown, worn by hands and damp, and its scan."""
  return example


def _some(table, rng):
  """[(factory, factor)] of those that this example has."""
  draws = rng.random(len(table))
  return [(factory, factor) for (factory, chance, factor), draw
          in zip(table, draws) if draw < chance]


def _one(table, rng):
  """One (factory, factor), by the chances, which sum to 1."""
  draw = rng.random()
  for factory, chance, factor in table:
    draw -= chance
    if draw < 0:
      break
  return factory, factor


def _run(plan, example, severity, rng):
  """Applies [(factory, factor)] in turn."""
  for factory, factor in plan:
    example = factory(severity * factor)(example, rng)
  return example
