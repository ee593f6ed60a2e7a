"""NAFNet blocks behind a pixel-unshuffle: removes damage, leaves tones alone.

  python -m artjax.main --config=configs/structure.py --workdir=runs/structure \
      --config.data.source=folder:PATH

Tone (fading, varnish, cast) is ill-posed and would swamp the loss, so image and
target are aged alike and only what lies over them is learnt. With a folder of
film-damage masks, `configs/structure.py:dirt=PATH`, half of the examples have
such damage too. `:quick` is a run of one CPU minute.
"""

import ml_collections

from artjax import config as defaults
from artjax.configs import unet

TRAIN_OPS = (
  'random_scale_crop(128, 0.3)|flip|rotate90|'
  'structure((0.0, 1.0), clean=0.06{})|keep("image", "target")'
)
EVAL_OPS = 'structure(0.5)'


def get_config(variant=''):
  """The configuration; variant: '' | 'quick' | 'dirt=FOLDER' (of masks)."""
  config = defaults.get_config()
  config.model.name = 'nafnet.NAFNet'
  config.model.args = ml_collections.ConfigDict(
    {
      'width': 48,  # channels behind the stem, doubled at each level
      'enc_blocks': (1, 1, 2),
      'middle_blocks': 4,
      'dec_blocks': (1, 1, 1),
      'stem': 2,
      'zero_init': True,
    }
  )
  config.losses.charbonnier = 1.0
  config.losses.tone = 0.2
  config.optimizer.name = 'adamw'
  config.optimizer.learning_rate = 1e-3
  config.optimizer.b2 = 0.95
  config.ema_decay = 0.999
  config.data.ops = TRAIN_OPS.format('')
  config.eval.ops = EVAL_OPS
  if variant == 'quick':
    config.model.args.width = 8
    config.model.args.enc_blocks = config.model.args.dec_blocks = (1, 1)
    config.model.args.middle_blocks = 1
    unet.make_quick(config)
  elif variant.startswith('dirt='):
    folder = variant.removeprefix('dirt=')
    config.data.ops = TRAIN_OPS.format(f', dirt={folder!r}')
  elif variant:
    raise ValueError(
      f'no variant {variant!r} of configs/structure.py: quick, dirt=FOLDER'
    )
  return config.lock()
