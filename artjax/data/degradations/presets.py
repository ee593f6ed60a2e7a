"""Presets: degradations combined in the order of their causes.

First comes what happened to the object (pigments, light, varnish; cracks,
losses, stains), then what the camera and the file add. Each example draws a few
of these degradations. Each has a probability that an example gets it, and a
factor by which the severity of the preset is multiplied.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np

from artjax import damage_classes
from artjax.data.degradations.decorators import preset
from artjax.data.degradations.global_ import noise
from artjax.data.degradations.global_ import reproduction
from artjax.data.degradations.global_ import sharpness
from artjax.data.degradations.global_ import tones
from artjax.data.degradations.local import fillings
from artjax.data.degradations.local import film_dirt
from artjax.data.degradations.local import from_masks
from artjax.data.degradations.local import lines
from artjax.data.degradations.local import losses
from artjax.data.degradations.local import overlays
from artjax.data.degradations.local import stains
from artjax.data.examples import Example

# Severity 0.3 is mild and 0.8 heavy: 22.8 and 17.0 dB of PSNR to the clean
# picture on 384-px crops of paintings (scripts/measure_damage.py).
_STRENGTH, _CURVE = 0.84, 0.82

# (op factory, probability, factor of severity)
_AGED_PAINT = (
  (tones.fading, 0.95, 0.6),
  (tones.varnish, 0.8, 0.64),
  (tones.colour_cast, 0.7, 0.54),
  (tones.uneven_light, 0.4, 0.68),
)
_PAINT_DAMAGE: tuple[tuple[Any, float, float], ...] = (
  (lines.craquelure, 0.6, 1.0),
  (lines.scratches, 0.65, 1.0),
  (losses.paint_losses, 0.3, 0.8),
  (stains.water_stains, 0.4, 1.0),
  (stains.foxing, 0.08, 1.0),
  (stains.mould, 0.07, 1.0),
  (stains.dust, 0.15, 1.0),
  (lines.hair, 0.07, 1.0),
  (lines.folds, 0.05, 1.0),
  (losses.tears, 0.04, 1.0),
  (losses.holes, 0.03, 0.4),
)
_AGED_PRINT = (
  (tones.fading, 0.85, 1.0),
  (tones.colour_cast, 0.5, 0.8),
  (tones.varnish, 0.3, 0.5),
  (tones.uneven_light, 0.4, 0.8),
)
_PRINT_DAMAGE = (
  (lines.scratches, 0.6, 1.0),
  (lines.folds, 0.35, 1.0),
  (stains.dust, 0.4, 1.0),
  (stains.foxing, 0.2, 1.0),
  (stains.water_stains, 0.3, 1.0),
  (lines.hair, 0.12, 1.0),
  (losses.tears, 0.12, 1.0),
  (losses.paint_losses, 0.08, 0.7),
  (lines.craquelure, 0.12, 0.8),
  (stains.mould, 0.08, 1.0),
  (losses.holes, 0.05, 0.4),
)
# Further kinds of damage, for `breadth`; (op factory, factor of severity).
_MEDIUM = ((reproduction.halftone, 0.5), (noise.hard_grain, 0.45))
_LAID_OVER = (
  (overlays.wide_strokes, 1.0),
  (overlays.tape, 1.0),
  (overlays.labels, 1.0),
  (overlays.text_over, 1.0),
  (overlays.grime, 0.9),
  (fillings.fillings, 0.9),
  (film_dirt.film_dirt, 1.1),
)
_SCANNER = ((reproduction.scan_lines, 0.8),)
_BLUR = (
  (sharpness.gaussian_blur, 0.6, 0.9),
  (sharpness.anisotropic_blur, 0.15, 0.8),
  (sharpness.motion_blur, 0.1, 1.0),
  (sharpness.defocus_blur, 0.15, 1.0),
)
_NOISE = (
  (noise.gaussian_noise, 0.7, 1.4),
  (noise.poisson_noise, 0.15, 1.4),
  (noise.speckle_noise, 0.1, 1.1),
  (noise.salt_and_pepper, 0.05, 0.28),
)


@preset
def old_painting(
  example: Example,
  severity: float,
  rng: np.random.Generator,
  *,
  camera: bool = True,
  clean: float = 0.0,
) -> Example:
  """An aged, damaged painting and (`camera`) a photograph of it.

  A share `clean` of the examples stays undamaged, so that a network learns to
  leave undamaged pictures unchanged.
  """
  if clean and rng.random() < clean:
    return example
  severity = _STRENGTH * severity**_CURVE
  plan = _painting(rng)
  if camera:
    plan += _camera(rng)
  return _run(plan, example, severity, rng)


@preset
def structure(
  example: Example,
  severity: float,
  rng: np.random.Generator,
  *,
  clean: float = 0.0,
  dirt: str | None = None,
  breadth: float = 0.0,
  without: Sequence[str] = (),
  only: Sequence[str] = (),
  keep_losses: bool = False,
) -> Example:
  """Damage, camera and file; the target has the same aged tones, but no damage.

  Fading, varnish and casts are applied first, to both 'image' and 'target'. A
  network trained on such pairs removes damage and leaves tones unchanged.

  Args:
    example: with the picture.
    severity: in [0, 1].
    rng: the Generator.
    clean: share of examples without damage, where image and target are equal.
    dirt: a folder of masks; half of the damaged examples get damage in the
      shape of one, see `masks_from`. None = no such damage.
    breadth: share of the damaged examples that also get one to three of ten
      further kinds, equally likely: wide strokes, tape, labels, writing, grime,
      fillings, film dirt, halftone, hard grain, scan lines.
    without: further kinds to leave out, such as ('tape', 'labels'). Kinds that
      training leaves out can test how a network handles unknown damage.
    only: further kinds to use, for such a test; () = all.
    keep_losses: damage of the class 'loss', which hides the paint completely,
      is in the target too. A network trained on such pairs leaves losses to an
      inpainting network, and does not mistake bright paint for them.

  Raises:
    ValueError: a name in `without` or `only` is not one of the further kinds,
      or no kind is left.
  """
  further = _further(without, only)
  undamaged = rng.random() < clean
  severity = _STRENGTH * severity**_CURVE
  if rng.random() < 0.15:  # photographs, for which grey must stay grey
    grey = (tones.greyscale, tones.sepia)[rng.integers(2)]
    example = grey(1.0)(example, rng)
  plan = _some(_AGED_PAINT, rng)
  rng.shuffle(plan)
  example = _run(plan, example, severity, rng)
  example = {**example, 'target': example['image']}
  if undamaged:
    return example
  table = _PRINT_DAMAGE if rng.random() < 0.2 else _PAINT_DAMAGE
  plan, camera = _some(table, rng, rng.uniform(0.4, 1.7)), _camera(rng)
  if breadth and rng.random() < breadth:
    plan = _broadened(plan, camera, further, rng)
  else:
    plan += camera
  if keep_losses:
    losses_, plan = _split(plan)
    example = _run(losses_, example, severity, rng)
    example = {**example, 'target': example['image']}
  if dirt is not None and rng.random() < 0.5:
    example = from_masks.masks_from(dirt, severity)(example, rng)
  return _run(plan, example, severity, rng)


@preset
def aged(
  example: Example,
  severity: float,
  rng: np.random.Generator,
  *,
  clean: float = 0.0,
  prints: float = 0.0,
  grey: float = 0.0,
  damaged: float = 0.0,
) -> Example:
  """Aged tones: image and target differ only in these.

  Args:
    example: with the picture.
    severity: in [0, 1].
    rng: the Generator.
    clean: share of examples that are not aged, where image and target are
      equal.
    prints: share that ages like prints instead of paintings.
    grey: share of grey and sepia photographs, in image and target.
    damaged: share with cracks, stains, noise, blur and the like; half of these
      have it in both image and target, half only in the image.
  """
  ages, severity = rng.random() >= clean, _STRENGTH * severity**_CURVE
  if rng.random() < grey:
    tone = (tones.greyscale, tones.sepia)[rng.integers(2)]
    example = tone(1.0)(example, rng)
  damage, before = [], rng.random() < 0.5
  if rng.random() < damaged:
    table = _PRINT_DAMAGE if rng.random() < 0.2 else _PAINT_DAMAGE
    damage = _some(table, rng) + _camera(rng)
  if before:
    example = _run(damage, example, severity, rng)
  example = {**example, 'target': example['image']}
  if ages:
    plan = _some(_AGED_PRINT if rng.random() < prints else _AGED_PAINT, rng)
    rng.shuffle(plan)
    example = _run(plan, example, severity, rng)
  return example if before else _run(damage, example, severity, rng)


@preset
def undamaged(
  example: Example, severity: float, rng: np.random.Generator
) -> Example:
  """Pictures without local damage, in which a detector must find nothing.

  They are evenly aged, printed, on grainy film, photographed, scanned or clean.
  """
  severity = _STRENGTH * severity**_CURVE
  plan = _some(_AGED_PAINT, rng) if rng.random() < 0.5 else []
  if rng.random() < 0.15:
    tone = (tones.greyscale, tones.sepia)[rng.integers(2)]
    example = tone(1.0)(example, rng)
  if rng.random() < 0.3:
    plan.append(_MEDIUM[rng.integers(len(_MEDIUM))])
  if rng.random() < 0.5:
    plan += _camera(rng)
  if rng.random() < 0.15:
    _scan(plan)
  return _run(plan, example, severity, rng)


@preset
def old_photo(
  example: Example, severity: float, rng: np.random.Generator
) -> Example:
  """The scan of an old grey or sepia print, worn by handling and damp."""
  severity = _STRENGTH * severity**_CURVE
  plan = []
  if rng.random() < 0.75:
    # A print is grey or brown from the start, however well it has kept.
    tone = (tones.greyscale, tones.sepia)[rng.integers(2)]
    example = tone(min(1.0, 4 * severity))(example, rng)
  plan += _some(_AGED_PRINT, rng)
  plan += _some(_PRINT_DAMAGE, rng)
  return _run(plan + _camera(rng), example, severity, rng)


@preset
def damaged_or_clean(
  example: Example,
  severity: float,
  rng: np.random.Generator,
  *,
  clean: float = 0.3,
  part: str | None = None,
  camera: float = 0.25,
  breadth: float = 0.0,
  filled: float = 0.0,
  grey: float = 0.0,
  without: Sequence[str] = (),
) -> Example:
  """Examples to train a detector: damage of every kind, or none at all.

  Args:
    example: with the picture.
    severity: in [0, 1].
    rng: the Generator.
    clean: share of examples without local damage: paintings that are clean,
      evenly aged, or photographed. Brush strokes, branches, rigging, hair,
      noise and yellow varnish do not count as damage.
    part: 'crack', 'loss' or 'stain': examples with a few kinds of damage only
      get kinds of this class, for a detector that specializes in it; None =
      any.
    camera: share of examples seen through a camera: blurred, noisy, as JPEG.
    breadth: share of the damaged examples that also get one to three of the
      further kinds of `structure`. If above 0, examples without damage come
      from `undamaged`: also printed, on grainy film or scanned.
    filled: share of the damaged examples that also get `filled_holes`.
    grey: share of grey and sepia photographs, damaged or not.
    without: further kinds to leave out.

  Returns:
    The example. Half of the damaged ones are `old_painting`; the others have a
    few kinds of damage, equally likely, so that rare kinds are learnt too.
  """
  if part is not None:
    damage_classes.index(part)  # raises where there is no such class
  further = _further(without)
  draw, seen = rng.random(), rng.random() < camera
  if grey and rng.random() < grey:
    tone = (tones.greyscale, tones.sepia)[rng.integers(2)]
    example = tone(1.0)(example, rng)
  if breadth and draw >= 1 - clean:
    return undamaged(severity)(example, rng)
  severity = _STRENGTH * severity**_CURVE
  if draw < 0.5 * (1 - clean):
    plan = _painting(rng)
  else:
    plan = _some(_AGED_PAINT, rng) if rng.random() < 0.4 else []
    if draw < 1 - clean:
      kinds = [kind for kind in _PAINT_DAMAGE if part in (None, kind[0].part)]
      plan += [
        kinds[i][::2]
        for i in rng.choice(len(kinds), rng.integers(1, 4), replace=False)
      ]
  if filled and draw < 1 - clean and rng.random() < filled:
    plan.append((fillings.filled_holes, 0.9))
  steps = _camera(rng) if seen else []
  if breadth and rng.random() < breadth:
    plan = _broadened(plan, steps, further, rng)
  else:
    plan += steps
  return _run(plan, example, severity, rng)


def _painting(rng):
  """[(factory, factor)] of the degradations of an old painting."""
  plan = _some(_AGED_PAINT, rng)
  rng.shuffle(plan)  # varnish may have faded too, or been laid on later
  return plan + _some(_PAINT_DAMAGE, rng, rng.uniform(0.4, 1.7))


def _further(without, only=()):
  """The further kinds in `only` that are not in `without`."""
  kinds = _MEDIUM + _LAID_OVER + _SCANNER
  names = [factory.__name__ for factory, _ in kinds]
  for field, chosen in (('without', without), ('only', only)):
    for name in chosen:
      if name not in names:
        raise ValueError(f'{field}={name!r} is not one of {", ".join(names)}')
  left = set(only or names) - set(without)
  if not left:
    raise ValueError(f'only={only} and without={without} leave no kind')
  return [kind for kind, name in zip(kinds, names) if name in left]


def _broadened(plan, camera, kinds, rng):
  """Both plans, with one to three of `kinds`, each in its place."""
  count = min(rng.integers(1, 4), len(kinds))
  chosen = rng.choice(len(kinds), count, replace=False)
  chosen = [kinds[i] for i in sorted(chosen)]
  over = [kind for kind in chosen if kind in _LAID_OVER]
  rng.shuffle(over)
  plan = [kind for kind in chosen if kind in _MEDIUM] + plan + over + camera
  if _SCANNER[0] in chosen:
    _scan(plan)
  return plan


def _split(plan):
  """Splits a plan: damage that hides the paint completely, and the rest."""
  lost = [getattr(factory, 'part', '') == 'loss' for factory, _ in plan]
  return (
    [kind for kind, is_lost in zip(plan, lost) if is_lost],
    [kind for kind, is_lost in zip(plan, lost) if not is_lost],
  )


def _scan(plan):
  """Adds a scanner's lines to a plan, before the file is written."""
  last = bool(plan) and plan[-1][0] is reproduction.jpeg
  plan.insert(len(plan) - last, _SCANNER[0])


def _camera(rng):
  """[(factory, factor)] of the effects of a camera or scanner and a file."""
  steps = [_one(_BLUR, rng)] if rng.random() < 0.8 else []
  if rng.random() < 0.45:
    steps.append((sharpness.rescale, 0.8))
  if rng.random() < 0.9:
    steps.append(_one(_NOISE, rng))
  if rng.random() < 0.2:
    rng.shuffle(steps)
  if rng.random() < 0.8:
    steps.append((reproduction.jpeg, 1.0))
  return steps


def _some(table, rng, fate=1.0):
  """[(factory, factor)] of the entries drawn for this example.

  `fate` scales all probabilities, so that pictures with nearly all kinds of
  damage, or hardly any, are more frequent than with independent draws.
  """
  draws = rng.random(len(table))
  return [
    (factory, factor)
    for (factory, probability, factor), draw in zip(table, draws)
    if draw < probability * fate
  ]


def _one(table, rng):
  """One (factory, factor), by the probabilities, which sum to 1."""
  draw = rng.random()
  *others, last = table
  for factory, probability, factor in others:
    draw -= probability
    if draw < 0:
      return factory, factor
  return last[0], last[2]


def _run(plan, example, severity, rng):
  """Applies [(factory, factor)] in turn, at randomly varied strengths."""
  for factory, factor in plan:
    strength = min(1.0, severity * factor * rng.uniform(0.6, 1.4))
    example = factory(strength)(example, rng)
  return example
