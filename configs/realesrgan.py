"""Real-ESRGAN: x4 for pictures of unknown, bad quality.

  python -m artjax.main --config=configs/realesrgan.py:psnr \
      --workdir=runs/realesrnet --config.data.source=folder:PATH
  python -m artjax.main --config=configs/realesrgan.py --workdir=runs/realesrgan
  \
      --config.data.source=folder:PATH --config.init_from=runs/realesrnet

https://arxiv.org/abs/2107.10833: the second-order degradation, drawn for each
sharpened picture; sharpened targets for the absolute error and for the features
of VGG, the picture as it is for the discriminator, a U-Net with spectral norm.
Trained for a million and for 400,000 steps of 48 crops there. `:quick` is a run
of one CPU minute.
"""

import ml_collections

from artjax import config as defaults
from artjax.configs import esrgan
from artjax.configs import esrgan_psnr

_TRAIN_OPS = (
  'random_crop({whole})|flip|copy("image", "target")|sharpen|second_order(4)'
  '|random_crop({size})|keep("image", "target", "real")'
)
EVAL_OPS = (
  'mod_crop(4)|copy("image", "target")|second_order(4)|keep("image", "target")'
)


def train_ops(whole: int = 400, size: int = 256) -> str:
  """What makes a training example.

  Args:
    whole: side of what is degraded, px.
    size: side of the part of it that is learnt from, px of the target.
  """
  return _TRAIN_OPS.format(whole=whole, size=size)


def get_config(variant: str = '') -> ml_collections.ConfigDict:
  """The configuration; variant: '' | 'psnr' | 'quick'."""
  if variant not in ('', 'psnr', 'quick'):
    raise ValueError(
      f'no variant {variant!r} of configs/realesrgan.py: psnr, quick'
    )
  config = defaults.get_config()
  config.model.name = 'rrdb.RRDBNet'
  config.model.args = ml_collections.ConfigDict({'blocks': 23})
  config.losses.l1 = 1.0
  config.batch_size = 48
  config.data.ops = train_ops()
  config.data.min_size = 256
  config.eval.ops = EVAL_OPS
  config.eval.crop = 4
  if variant == 'psnr':
    config.steps = 1_000_000
    config.optimizer.learning_rate = 2e-4
    return config.lock()
  config.losses.perceptual = 1.0  # the layers of artjax/config.py
  config.adversary.name = 'unet_discriminator.UNetDiscriminatorSN'
  config.adversary.size = 256
  config.adversary.loss = 'vanilla'
  config.adversary.weight = 0.1
  config.best_metric = 'lpips'
  if variant == 'quick':
    esrgan_psnr.make_quick(config)
    config.data.ops = train_ops(whole=96, size=64)
    config.eval.ops = f'fit(160)|{EVAL_OPS}'
    esrgan.make_quick(config)
    config.adversary.name = 'unet_discriminator.UNetDiscriminatorSN'
    config.adversary.args = ml_collections.ConfigDict({'features': 8})
  else:
    config.init_from = 'runs/realesrnet'
    config.steps = 400_000
    esrgan.rates(config, 1e-4, 1e-4)
  return config.lock()
