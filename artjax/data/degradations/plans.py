"""Plans of presets: which degradations an example gets, in which order.

A table lists degradations, each with the probability that an example gets it,
and a factor by which the severity of the preset is multiplied. A plan lists
those drawn for one example: [(op factory, factor)].
"""

from collections.abc import Sequence
from typing import Any

import numpy as np

from artjax.data.degradations.global_ import noise
from artjax.data.degradations.global_ import reproduction
from artjax.data.degradations.global_ import sharpness
from artjax.data.degradations.global_ import tones
from artjax.data.degradations.local import fillings
from artjax.data.degradations.local import film_dirt
from artjax.data.degradations.local import lines
from artjax.data.degradations.local import losses
from artjax.data.degradations.local import overlays
from artjax.data.degradations.local import stains
from artjax.data.examples import Example

Table = Sequence[tuple[Any, float, float]]  # op factory, probability, factor
Plan = list[tuple[Any, float]]  # op factory, factor of severity

AGED_PAINT = (
  (tones.fading, 0.95, 0.6),
  (tones.varnish, 0.8, 0.64),
  (tones.colour_cast, 0.7, 0.54),
  (tones.uneven_light, 0.4, 0.68),
)
PAINT_DAMAGE: Table = (
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
AGED_PRINT = (
  (tones.fading, 0.85, 1.0),
  (tones.colour_cast, 0.5, 0.8),
  (tones.varnish, 0.3, 0.5),
  (tones.uneven_light, 0.4, 0.8),
)
PRINT_DAMAGE = (
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
# What lies on the paint and lets it shine through.
STAINS: Table = (
  (stains.water_stains, 0.75, 1.0),
  (stains.foxing, 0.15, 1.0),
  (stains.mould, 0.15, 1.0),
  (overlays.grime, 0.2, 0.9),
)
# Further kinds of damage, for `breadth`; (op factory, factor of severity).
MEDIUM = ((reproduction.halftone, 0.5), (noise.hard_grain, 0.45))
LAID_OVER = (
  (overlays.wide_strokes, 1.0),
  (overlays.tape, 1.0),
  (overlays.labels, 1.0),
  (overlays.text_over, 1.0),
  (overlays.grime, 0.9),
  (fillings.fillings, 0.9),
  (film_dirt.film_dirt, 1.1),
)
SCANNER = ((reproduction.scan_lines, 0.8),)
BLUR = (
  (sharpness.gaussian_blur, 0.6, 0.9),
  (sharpness.anisotropic_blur, 0.15, 0.8),
  (sharpness.motion_blur, 0.1, 1.0),
  (sharpness.defocus_blur, 0.15, 1.0),
)
NOISE = (
  (noise.gaussian_noise, 0.7, 1.4),
  (noise.poisson_noise, 0.15, 1.4),
  (noise.speckle_noise, 0.1, 1.1),
  (noise.salt_and_pepper, 0.05, 0.28),
)


def strength(severity: float) -> float:
  """The severity of a preset -> that of the degradations in its plan.

  0.3 is mild and 0.8 heavy: 22.8 and 17.0 dB of PSNR to the clean picture on
  384-px crops of paintings (scripts/measure_damage.py).
  """
  return 0.84 * severity**0.82


def painting(rng: np.random.Generator) -> Plan:
  """The degradations of an old painting."""
  plan = some(AGED_PAINT, rng)
  rng.shuffle(plan)  # varnish may have faded too, or been laid on later
  return plan + some(PAINT_DAMAGE, rng, rng.uniform(0.4, 1.7))


def further(without: Sequence[str], only: Sequence[str] = ()) -> Plan:
  """The further kinds in `only` that are not in `without`.

  Args:
    without: names to leave out.
    only: names to use; () = all.

  Raises:
    ValueError: a name is not one of the further kinds, or no kind is left.
  """
  kinds = MEDIUM + LAID_OVER + SCANNER
  names = [factory.__name__ for factory, _ in kinds]
  for field, chosen in (('without', without), ('only', only)):
    for name in chosen:
      if name not in names:
        raise ValueError(f'{field}={name!r} is not one of {", ".join(names)}')
  left = set(only or names) - set(without)
  if not left:
    raise ValueError(f'only={only} and without={without} leave no kind')
  return [kind for kind, name in zip(kinds, names) if name in left]


def broadened(
  plan: Plan, after: Plan, kinds: Plan, rng: np.random.Generator
) -> Plan:
  """Both plans, with one to three of `kinds`, each in its place.

  Args:
    plan: what happened to the object.
    after: what the camera and the file add, see `camera`.
    kinds: of `further`.
    rng: the Generator.
  """
  count = min(int(rng.integers(1, 4)), len(kinds))
  drawn = rng.choice(len(kinds), count, replace=False)
  chosen = [kinds[i] for i in sorted(drawn)]
  over = [kind for kind in chosen if kind in LAID_OVER]
  rng.shuffle(over)
  plan = [kind for kind in chosen if kind in MEDIUM] + plan + over + after
  if SCANNER[0] in chosen:
    scan(plan)
  return plan


def split(plan: Plan) -> tuple[Plan, Plan]:
  """Splits a plan: damage that hides the paint completely, and the rest."""
  lost = [getattr(factory, 'part', '') == 'loss' for factory, _ in plan]
  return (
    [kind for kind, is_lost in zip(plan, lost) if is_lost],
    [kind for kind, is_lost in zip(plan, lost) if not is_lost],
  )


def unstained(rng: np.random.Generator) -> Plan:
  """Aged tones and damage other than `STAINS`, of a painting or a print."""
  is_print = rng.random() < 0.2
  plan = some(AGED_PRINT if is_print else AGED_PAINT, rng)
  rng.shuffle(plan)
  table = PRINT_DAMAGE if is_print else PAINT_DAMAGE
  translucent = [factory for factory, _, _ in STAINS]
  damage = some(table, rng, rng.uniform(0, 1.2))
  return plan + [kind for kind in damage if kind[0] not in translucent]


def scan(plan: Plan) -> None:
  """Adds a scanner's lines to a plan, before the file is written."""
  last = bool(plan) and plan[-1][0] is reproduction.jpeg
  plan.insert(len(plan) - last, SCANNER[0])


def camera(rng: np.random.Generator) -> Plan:
  """The effects of a camera or scanner and a file."""
  steps = [_one(BLUR, rng)] if rng.random() < 0.8 else []
  if rng.random() < 0.45:
    steps.append((sharpness.rescale, 0.8))
  if rng.random() < 0.9:
    steps.append(_one(NOISE, rng))
  if rng.random() < 0.2:
    rng.shuffle(steps)
  if rng.random() < 0.8:
    steps.append((reproduction.jpeg, 1.0))
  return steps


def some(table: Table, rng: np.random.Generator, fate: float = 1.0) -> Plan:
  """The entries of a table drawn for one example.

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


def run(
  plan: Plan, example: Example, strength: float, rng: np.random.Generator
) -> Example:
  """Applies a plan, each degradation at a severity drawn around `strength`."""
  for factory, factor in plan:
    severity = min(1.0, strength * factor * rng.uniform(0.6, 1.4))
    example = factory(severity)(example, rng)
  return example
