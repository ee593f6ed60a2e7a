"""Presets: degradations combined in the order of their causes.

First comes what happened to the object (pigments, light, varnish; cracks,
losses, stains), then what the camera and the file add. The tables of `plans`
say how often and how strongly each kind of degradation is drawn.
"""

from collections.abc import Sequence

import numpy as np

from artjax import damage_classes
from artjax.data.degradations import plans
from artjax.data.degradations.decorators import preset
from artjax.data.degradations.global_ import tones
from artjax.data.degradations.local import fillings
from artjax.data.degradations.local import from_masks
from artjax.data.examples import Example


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
  severity = plans.strength(severity)
  plan = plans.painting(rng)
  if camera:
    plan += plans.camera(rng)
  return plans.run(plan, example, severity, rng)


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
  further = plans.further(without, only)
  undamaged = rng.random() < clean
  severity = plans.strength(severity)
  if rng.random() < 0.15:  # photographs, for which grey must stay grey
    example = _monochrome(example, rng)
  plan = plans.some(plans.AGED_PAINT, rng)
  rng.shuffle(plan)
  example = plans.run(plan, example, severity, rng)
  example = {**example, 'target': example['image']}
  if undamaged:
    return example
  table = plans.PRINT_DAMAGE if rng.random() < 0.2 else plans.PAINT_DAMAGE
  plan, camera = (
    plans.some(table, rng, rng.uniform(0.4, 1.7)),
    plans.camera(rng),
  )
  if breadth and rng.random() < breadth:
    plan = plans.broadened(plan, camera, further, rng)
  else:
    plan += camera
  if keep_losses:
    losses_, plan = plans.split(plan)
    example = plans.run(losses_, example, severity, rng)
    example = {**example, 'target': example['image']}
  if dirt is not None and rng.random() < 0.5:
    example = from_masks.masks_from(dirt, severity)(example, rng)
  return plans.run(plan, example, severity, rng)


@preset
def stained(
  example: Example,
  severity: float,
  rng: np.random.Generator,
  *,
  clean: float = 0.0,
  camera: float = 0.5,
  grey: float = 0.15,
) -> Example:
  """Stains: image and target share aged tones and all other damage.

  Args:
    example: with the picture.
    severity: in [0, 1].
    rng: the Generator.
    clean: share of examples without stains, where image and target are equal.
    camera: share of stained examples of which image and target are seen
      through the same camera, so that only stains differ.
    grey: share of grey and sepia photographs, in image and target.

  Returns:
    The example; its 'mask' shows the stains alone.
  """
  severity = plans.strength(severity)
  if rng.random() < grey:
    example = _monochrome(example, rng)
  example = plans.run(plans.unstained(rng), example, severity, rng)
  example = {k: v for k, v in example.items() if k != 'mask'}
  example['target'] = example['image']
  if rng.random() < clean:
    return example
  stains = plans.some(plans.STAINS, rng) or [plans.STAINS[0][::2]]
  example = plans.run(stains, example, severity, rng)
  if rng.random() < camera:
    plan, seed = plans.camera(rng), rng.integers(2**32)
    for name in ('image', 'target'):
      seen = plans.run(
        plan, {'image': example[name]}, severity, np.random.default_rng(seed)
      )
      example[name] = seen['image']
  return example


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
  ages, severity = rng.random() >= clean, plans.strength(severity)
  if rng.random() < grey:
    example = _monochrome(example, rng)
  damage, before = [], rng.random() < 0.5
  if rng.random() < damaged:
    table = plans.PRINT_DAMAGE if rng.random() < 0.2 else plans.PAINT_DAMAGE
    damage = plans.some(table, rng) + plans.camera(rng)
  if before:
    example = plans.run(damage, example, severity, rng)
  example = {**example, 'target': example['image']}
  if ages:
    plan = plans.some(
      plans.AGED_PRINT if rng.random() < prints else plans.AGED_PAINT, rng
    )
    rng.shuffle(plan)
    example = plans.run(plan, example, severity, rng)
  return example if before else plans.run(damage, example, severity, rng)


@preset
def undamaged(
  example: Example, severity: float, rng: np.random.Generator
) -> Example:
  """Pictures without local damage, in which a detector must find nothing.

  They are evenly aged, printed, on grainy film, photographed, scanned or clean.
  """
  severity = plans.strength(severity)
  plan = plans.some(plans.AGED_PAINT, rng) if rng.random() < 0.5 else []
  if rng.random() < 0.15:
    example = _monochrome(example, rng)
  if rng.random() < 0.3:
    plan.append(plans.MEDIUM[rng.integers(len(plans.MEDIUM))])
  if rng.random() < 0.5:
    plan += plans.camera(rng)
  if rng.random() < 0.15:
    plans.scan(plan)
  return plans.run(plan, example, severity, rng)


@preset
def old_photo(
  example: Example, severity: float, rng: np.random.Generator
) -> Example:
  """The scan of an old grey or sepia print, worn by handling and damp."""
  severity = plans.strength(severity)
  plan = []
  if rng.random() < 0.75:
    # A print is grey or brown from the start, however well it has kept.
    example = _monochrome(example, rng, min(1.0, 4 * severity))
  plan += plans.some(plans.AGED_PRINT, rng)
  plan += plans.some(plans.PRINT_DAMAGE, rng)
  return plans.run(plan + plans.camera(rng), example, severity, rng)


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
  further = plans.further(without)
  draw, seen = rng.random(), rng.random() < camera
  if grey and rng.random() < grey:
    example = _monochrome(example, rng)
  if breadth and draw >= 1 - clean:
    return undamaged(severity)(example, rng)
  severity = plans.strength(severity)
  if draw < 0.5 * (1 - clean):
    plan = plans.painting(rng)
  else:
    plan = plans.some(plans.AGED_PAINT, rng) if rng.random() < 0.4 else []
    if draw < 1 - clean:
      kinds = [
        kind for kind in plans.PAINT_DAMAGE if part in (None, kind[0].part)
      ]
      plan += [
        kinds[i][::2]
        for i in rng.choice(len(kinds), rng.integers(1, 4), replace=False)
      ]
  if filled and draw < 1 - clean and rng.random() < filled:
    plan.append((fillings.filled_holes, 0.9))
  steps = plans.camera(rng) if seen else []
  if breadth and rng.random() < breadth:
    plan = plans.broadened(plan, steps, further, rng)
  else:
    plan += steps
  return plans.run(plan, example, severity, rng)


def _monochrome(example, rng, severity=1.0):
  """Makes the picture grey or brown, as photographs are."""
  tone = (tones.greyscale, tones.sepia)[rng.integers(2)]
  return tone(severity)(example, rng)
