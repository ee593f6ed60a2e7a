"""NAFNet that restores deteriorated paintings: stronger than the U-Net.

  python -m artjax.main --config=configs/nafnet.py --workdir=runs/nafnet \
      --config.data.source=folder:PATH

Several times the U-Net's cost a step: for a GPU. `configs/nafnet.py:quick` is a
run of one CPU minute.
"""

import ml_collections

from artjax import config as defaults
from artjax.configs import unet


def get_config(variant: str = '') -> ml_collections.ConfigDict:
  """The configuration; variant: '' | 'quick'."""
  config = defaults.get_config()
  config.model.name = 'nafnet.NAFNet'
  config.model.args = ml_collections.ConfigDict(
    {
      'width': 32,  # channels at full resolution, doubled at each level
      'enc_blocks': (2, 2, 4, 8),
      'middle_blocks': 12,
      'dec_blocks': (2, 2, 2, 2),
      'window': 128,  # the side of the crops
    }
  )
  config.losses.charbonnier = 1.0
  config.losses.ssim = 0.1
  config.optimizer.name = 'adamw'
  config.optimizer.learning_rate = 1e-3
  config.optimizer.b2 = 0.9  # the paper's
  config.optimizer.clip_norm = 0.1
  config.data.ops = unet.train_ops()
  config.eval.ops = unet.EVAL_OPS
  if variant == 'quick':
    config.model.args.width, config.model.args.window = 8, 64
    config.model.args.enc_blocks = (1, 1)
    config.model.args.middle_blocks = 1
    config.model.args.dec_blocks = (1, 1)
    defaults.make_quick(config)
    config.data.ops = unet.train_ops(window=128, crop=64)
    config.eval.ops = f'fit(160)|{unet.EVAL_OPS}'
  elif variant:
    raise ValueError(f'no variant {variant!r} of configs/nafnet.py: quick')
  return config.lock()
