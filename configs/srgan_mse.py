"""First stage of SRGAN: SRResNet, x4, for the mean squared error.

  python -m artjax.main --config=configs/srgan_mse.py --workdir=runs/srresnet \
      --config.data.source=folder:PATH

https://arxiv.org/abs/1609.04802: 16 crops, Adam 1e-4, a million steps. Crops
are of 128 px, where the paper has 96, for the discriminator of the second
stage, configs/srgan.py. `:quick` is a run of one CPU minute.
"""

import ml_collections

from artjax import config as defaults
from artjax.configs import esrgan_psnr


def get_config(variant: str = '') -> ml_collections.ConfigDict:
  """The configuration; variant: '' | 'quick'."""
  config = defaults.get_config()
  config.model.name = 'srresnet.SRResNet'
  config.model.args = ml_collections.ConfigDict({'features': 64, 'blocks': 16})
  config.losses.mse = 1.0
  config.batch_size = 16
  config.steps = 1_000_000
  config.optimizer.learning_rate = 1e-4
  config.optimizer.b2 = 0.999  # the paper's
  config.data.ops = esrgan_psnr.train_ops()
  config.data.min_size = 128
  config.eval.ops = esrgan_psnr.EVAL_OPS
  config.eval.crop = 4
  if variant == 'quick':
    esrgan_psnr.make_quick(config)
    config.model.name = 'srresnet.SRResNet'
    config.model.args = ml_collections.ConfigDict({'features': 16, 'blocks': 1})
  elif variant:
    raise ValueError(f'no variant {variant!r} of configs/srgan_mse.py: quick')
  return config.lock()
