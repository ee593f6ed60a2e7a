"""Colours for grey pictures.

  python scripts/fit_colours.py --source=folder:PATH \
      --output=runs/likely.safetensors
  python -m artjax.main --config=configs/colorize.py:hints \
      --workdir=runs/colorize --config.data.source=folder:PATH \
      --config.init_from=runs/likely.safetensors

Lightness in, a and b of CIE Lab out, with or without hints of some colours. The
first command finds what colours are likely, training how hints spread; without
any its result does not change. `:hints` evaluates with ten hints of the truth
in each picture, no variant with none; `:gan` goes on from a training, briefly,
against a PatchGAN; `:quick` is a run of one CPU minute.
"""

import ml_collections

from artjax import config as defaults

GREY = (
  'copy("image", "target")|reveal({})|luma|keep("image", "target", "hints")'
)
# Most of a picture, at about the size that whole ones are colorized at, see
# artjax/inference/colorizer.py: what the frozen network sees depends on it.
_TRAIN_OPS = 'fit(256)|random_scale_crop({size}, 0.0)|flip|{grey}'


def train_ops(size: int = 160) -> str:
  """What makes a training example of `size` px, with hints in all of them."""
  return _TRAIN_OPS.format(size=size, grey=GREY.format('12, 1, 0'))


def get_config(variant: str = '') -> ml_collections.ConfigDict:
  """The configuration; variant: '' | 'gan' | 'hints' | 'quick'."""
  if variant not in ('', 'gan', 'hints', 'quick'):
    raise ValueError(
      f'no variant {variant!r} of configs/colorize.py: gan, hints, quick'
    )
  config = defaults.get_config()
  config.task = 'colorize'
  config.model.name = 'colour_net.ColourNet'
  config.model.args = ml_collections.ConfigDict(
    {
      'features': (48, 96, 144),  # channels of the U-Net a level, finest first
      'blocks': (1, 1, 2),  # residual blocks a level
    }
  )
  config.losses.ab = 0.1
  config.steps = 1_200
  config.batch_size = 8
  config.optimizer.name = 'adamw'
  config.optimizer.learning_rate = 1e-3
  config.optimizer.weight_decay = 0.05
  config.data.ops = train_ops()
  config.data.validation = 0.1
  config.eval.ops = (
    'fit(768)|copy("image", "target")|luma|keep("image", "target")'
  )
  config.eval.metrics = ('ciede2000', 'psnr_ab', 'colourfulness', 'lpips')
  if variant == 'gan':
    config.init_from = 'runs/colorize'
    config.steps = 400
    config.losses.ab = 0.1
    config.adversary.name = 'patchgan.PatchGAN'
    config.adversary.args = ml_collections.ConfigDict(
      {'features': 32, 'norm': 'spectral'}
    )
    config.adversary.loss = 'hinge'
    config.adversary.weight = 0.05
    config.adversary.optimizer.learning_rate = 2e-4
    config.optimizer.learning_rate = 1e-4
  elif variant == 'hints':
    config.eval.ops = 'fit(768)|' + GREY.format('10, 10, 0')
  elif variant == 'quick':
    defaults.make_quick(config)
    config.model.args.features = (16, 32, 64)
    config.model.args.blocks = (1, 1, 1)
    config.data.ops = train_ops(size=64)
    config.eval.ops = 'fit(160)|' + config.eval.ops
  return config.lock()
