"""The steps that the page offers, and the weights that each needs.

A step is available as soon as one of its weights is in `pretrained/`. Until
then the page shows how to train it.
"""

from collections.abc import Iterable, Sequence
import os
import pathlib
from typing import Any, NamedTuple

from artjax.inference import weights
from artjax.restoration import default_chain
from artjax.restoration import presets
from artjax.web.server import choices as choices_lib

PRETRAINED = weights.pretrained_folder()

# Steps that act where damage is found; a mask says so only to the first.
_GUIDED = ('fill', 'stains')


class Ability(NamedTuple):
  """One step that the page offers."""

  name: str  # in the API
  title: str  # on the page
  weights: tuple[str, ...]  # the first of these that is there is used
  about: str  # what it does, a few words
  more: str  # what it cannot do, and what a result is not; one honest line
  train: str  # how to get weights
  stage: str = 'network'  # which of the options it uses, see options.STAGES


# Chains run in this order.
ABILITIES = (
  Ability(
    'detect',
    'Find damage',
    ('detect',),
    'Finds cracks, losses and stains.',
    'It misses some and takes some paint for damage: check the mask before '
    'filling.',
    'python -m artjax.main --config=configs/detect.py',
    'detect',
  ),
  Ability(
    'fill',
    'Fill damage',
    ('inpaint', 'inpaint_psnr'),
    'Paints over cracks and losses. What it fills in is invented.',
    'What no mask shows is left unchanged, bit for bit.',
    'python -m artjax.main --config=configs/inpaint.py',
    'fill',
  ),
  Ability(
    'stains',
    'Lighten stains',
    ('stains',),
    'Lightens stains of water, mould and grime; what lies below them stays.',
    'Large and faint stains mostly remain, and so do the dark rims of water '
    'stains.',
    'python -m artjax.main --config=configs/stains.py',
  ),
  Ability(
    'restore',
    'Restore',
    ('structure', 'unet', 'nafnet'),
    'Removes noise, blur, JPEG artefacts and thin scratches.',
    'It lightens stains, smooths fine paint texture a little and fills no '
    'losses.',
    'python -m artjax.main --config=configs/structure.py',
  ),
  Ability(
    'tone',
    'Tone',
    ('tone',),
    'Undoes fading, yellow varnish and colour casts, cautiously.',
    'One correction for the whole picture: what nobody can be sure of '
    'stays. Grey stays grey.',
    'python -m artjax.main --config=configs/tone.py',
    'tone',
  ),
  Ability(
    'colorize',
    'Colorize',
    ('colorize',),
    'Colours a grey picture. The colours are guesses.',
    'They are mostly brown and olive, and not the original ones.',
    'python -m artjax.main --config=configs/colorize.py',
    'colorize',
  ),
  Ability(
    'sketch',
    'Sketch to photo',
    ('sketch2image',),
    'Turns a drawing into a photograph.',
    'It shows someone or something that does not exist.',
    'python -m artjax.main --config=configs/sketch2image.py',
  ),
  Ability(
    'upscale',
    'Upscale ×4',
    ('realesrgan', 'esrgan', 'srgan', 'esrgan_psnr', 'realesrnet'),
    'Four times the width and height.',
    'The detail it adds is plausible, not recovered.',
    'python -m artjax.main --config=configs/esrgan.py',
  ),
)


def find(ability: Ability, folder: str | os.PathLike) -> str | None:
  """Path of an ability's weights in a folder, or None."""
  paths = (
    pathlib.Path(folder, f'{name}.safetensors') for name in ability.weights
  )
  return next((str(path) for path in paths if path.is_file()), None)


def available(
  folder: str | os.PathLike, known: Sequence[choices_lib.Choice] = ()
) -> dict[str, str]:
  """{name: path of its weights}, in the order in which chains run.

  Args:
    folder: of the usual weights.
    known: all that can be chosen; they do what the usual ones cannot.
  """
  others = {choice.step: choice.path for choice in reversed(known)}
  found = {a.name: find(a, folder) or others.get(a.name) for a in ABILITIES}
  return {name: path for name, path in found.items() if path}


def stages(steps: Iterable[str]) -> set[str]:
  """Kinds of stages, of `options.STAGES`, that perform these steps."""
  return {ability.stage for ability in ABILITIES if ability.name in steps}


def plan(
  steps: Sequence[str],
  mask: bool,
  folder: str | os.PathLike,
  known: Sequence[choices_lib.Choice] = (),
  chosen: str = '',
) -> list[str]:
  """Paths of the weights that perform the steps in order.

  Args:
    steps: names of abilities.
    mask: whether the user gives one; without it `fill` finds damage first.
    folder: of the weights.
    known: all that can be chosen.
    chosen: of these, for steps that the usual ones are not to do; see
      `choices.chosen`.

  Raises:
    ValueError: they cannot be combined, or have no weights here; one line.
  """
  other = choices_lib.chosen(chosen, known)
  have = available(folder, known) | other
  names = [ability.name for ability in ABILITIES]
  for step in steps:
    if step not in names:
      raise ValueError(f'{step!r} is not one of {", ".join(names)}')
    if step not in have:
      raise ValueError(f'{step} has no weights here yet')
  if len(set(steps)) < len(steps):
    raise ValueError('each can be named once')
  if 'detect' in steps and len(steps) > 1:
    raise ValueError('detect runs alone; fill without a mask also finds damage')
  if mask and 'fill' not in steps:
    raise ValueError(f'{",".join(steps)} does not fill: it cannot use a mask')
  if 'fill' in steps and not mask and 'detect' not in have:
    raise ValueError(
      'fill needs a mask: there are no weights here that find damage'
    )
  found = {}
  for step in steps:
    given = mask and step == 'fill'
    if step in _GUIDED and not given and 'detect' in have:
      found['detect'] = have['detect']
    found[step] = have[step]
  for step in other.keys() - {*steps, 'detect'}:  # A mask may come instead.
    raise ValueError(f'{chosen}: those for {step} are not used')
  return list(found.values())


def usual_plan(folder: str | os.PathLike) -> list[str]:
  """Paths of the weights of the default chain, as far as they exist."""
  have = available(folder)
  return [have[a.name] for a in ABILITIES if a.name in have and _is_usual(a)]


def _is_usual(ability):
  return not set(default_chain.WEIGHTS.split(',')).isdisjoint(ability.weights)


def describe_presets(folder: str | os.PathLike) -> list[dict[str, Any]]:
  """The presets of `presets.PRESETS` for the page, as JSON."""
  have, found = available(folder), []
  for preset in presets.PRESETS:
    weights = set(preset.weights.split(','))
    steps = [a.name for a in ABILITIES if not weights.isdisjoint(a.weights)]
    if 'fill' in steps:  # which finds by itself
      steps.remove('detect')
    found.append(
      {
        'name': preset.name,
        'title': preset.title,
        'about': preset.about,
        'steps': steps,
        'options': presets.query(preset),
        'available': set(steps) <= have.keys(),
      }
    )
  return found


def describe(
  folder: str | os.PathLike, known: Sequence[choices_lib.Choice] = ()
) -> list[dict[str, Any]]:
  """The table for the page, as JSON.

  `default` are the steps of `default_chain`, which run by default.

  Args:
    folder: of the usual weights.
    known: all that can be chosen instead.
  """
  have = available(folder, known)
  return [
    {
      'name': a.name,
      'title': a.title,
      'about': a.about,
      'more': a.more,
      'available': a.name in have,
      'default': _is_usual(a),
      'stage': a.stage,
      'weights': pathlib.Path(have[a.name]).stem if a.name in have else '',
      'choices': [c.describe() for c in known if c.step == a.name],
      'train': '' if a.name in have else a.train,
    }
    for a in ABILITIES
  ]
