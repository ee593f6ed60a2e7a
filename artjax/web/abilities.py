"""What the page can do, and whose weights do it: the one table of both.

An ability is offered as soon as one of its weights lies in `pretrained/`; until
then it is shown as not available, with how to train it.
"""
import pathlib
from typing import NamedTuple

# That of inference.py, which the server does not import, for it brings JAX.
PRETRAINED = pathlib.Path(__file__).parent.parent.parent / 'pretrained'


class Ability(NamedTuple):
  """One thing to do with a picture."""
  name: str  # in the API
  title: str  # on the page
  weights: tuple[str, ...]  # the first of these that is there is used
  about: str  # what it can and cannot do, one honest line
  train: str  # how to get weights; '' = no version of this can yet
  ready: bool = True  # whether `restoration` can run its kind of network


# Chains run in this order.
ABILITIES = (
    Ability('restore', 'Restore', ('unet', 'nafnet'),
            'Takes away noise, fading and yellowed varnish, softens scratches. '
            'Guesses colours, smooths fine paint texture, fills no losses.',
            'python -m artjax.main --config=configs/unet.py'),
    Ability('fill', 'Find and fill damage', ('inpaint',),
            'Finds cracks, losses and stains and paints over them. What it '
            'paints is invented.',
            '', ready=False),
    Ability('colorize', 'Colorize', ('colorize',),
            'Puts plausible colours on a grey picture. They are conjecture, '
            'not what was there.',
            'python -m artjax.main --config=configs/colorize.py'),
    Ability('sketch', 'Sketch to photo', ('sketch2image',),
            'Turns a drawing into a photograph of someone or something that '
            'does not exist.',
            'python -m artjax.main --config=configs/sketch2image.py'),
    Ability('upscale', 'Upscale ×4',
            ('realesrgan', 'esrgan', 'srgan', 'esrgan_psnr', 'realesrnet'),
            'Four times the width and height. The detail it adds is '
            'plausible, not recovered.',
            'python -m artjax.main --config=configs/esrgan.py'),
)


def find(ability, folder):
  """Path of an ability's weights in a folder, or None."""
  paths = (pathlib.Path(folder, f'{name}.safetensors')
           for name in ability.weights)
  return next((str(path) for path in paths
               if ability.ready and path.is_file()), None)


def available(folder):
  """{name: path of its weights}, in the order in which chains run."""
  found = {ability.name: find(ability, folder) for ability in ABILITIES}
  return {name: path for name, path in found.items() if path}


def describe(folder):
  """The table for the page, as JSON."""
  have = available(folder)
  return [{'name': a.name, 'title': a.title, 'about': a.about,
           'available': a.name in have,
           'weights': pathlib.Path(have[a.name]).stem if a.name in have else '',
           'train': '' if a.name in have else a.train} for a in ABILITIES]
