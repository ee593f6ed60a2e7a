"""U-Net that restores deteriorated paintings.

  python -m artjax.main --config=configs/unet.py --workdir=runs/unet \
      --config.data.source=folder:PATH

A U-Net of NAFNet blocks that removes damage and leaves tones unchanged: it is
configs/structure.py, which won the trials (docs/experiments/structure.md).
`:quick` is a run of one CPU minute, `:demo` that of `make demo`.

`:plain` is a U-Net of residual blocks without normalization, which also
corrects tones; the weights `unet` are one. `:colour` trains the colour
transform alone, in minutes; its workdir is the start of `:plain`
(`--config.init_from`), which would take hours to learn it by itself.
`:plain_quick` is a run of one CPU minute.
"""

import ml_collections

from artjax import config as defaults
from artjax.configs import structure

DAMAGE = 'copy("image", "target")|old_painting'
# Crops for the detail; for the colours, windows that cover much of a painting.
_TRAIN_OPS = (
  'random_scale_crop({window}, 0.0)|flip|rotate90|'
  f'{DAMAGE}((0.0, 1.0), clean=0.15)|thumbnail(64)|random_crop({{crop}})|'
  'keep("image", "target", "context")'
)
# Thumbnails of nearly whole pictures; a camera's noise averages out in them.
COLOUR_OPS = (
  'random_scale_crop(64, 0.0)|flip|rotate90|'
  f'{DAMAGE}((0.0, 1.0), camera=False)|keep("image", "target")'
)
EVAL_OPS = f'{DAMAGE}(0.3)'


def train_ops(window: int = 256, crop: int = 128) -> str:
  """What makes a training example; sides in px."""
  return _TRAIN_OPS.format(window=window, crop=crop)


def get_config(variant: str = '') -> ml_collections.ConfigDict:
  """The configuration of a variant, see the module; '' is the default."""
  if variant in ('', 'demo', 'quick'):
    return structure.get_config(variant)
  if variant not in ('plain', 'colour', 'plain_quick'):
    raise ValueError(
      f'no variant {variant!r} of configs/unet.py: demo, quick, plain, colour, '
      'plain_quick'
    )
  config = defaults.get_config()
  config.model.name = 'unet.UNet'
  config.model.args = ml_collections.ConfigDict(
    {
      'features': (32, 64, 128, 256),  # channels a level, finest first
      'blocks': (1, 2, 2, 2),  # residual blocks a level
    }
  )
  config.losses.charbonnier = 0.5
  config.losses.psnr = 0.03  # lets mild damage weigh as much as heavy
  config.losses.detail = 2.0  # noise and scratches, whatever the colour
  config.data.ops = train_ops()
  config.eval.ops = EVAL_OPS
  if variant == 'colour':
    config.model.args.features = config.model.args.blocks = ()
    config.batch_size = 64
    config.steps = 2_000
    # Mild damage must not be made worse for the sake of the heavy.
    config.losses.charbonnier = config.losses.detail = 0.0
    config.losses.psnr = 0.1
    config.optimizer.learning_rate = 1e-3
    config.data.ops = COLOUR_OPS
  elif variant == 'plain_quick':
    defaults.make_quick(config)
    config.data.ops = train_ops(window=128, crop=64)
    config.eval.ops = f'fit(160)|{EVAL_OPS}'
  return config.lock()
