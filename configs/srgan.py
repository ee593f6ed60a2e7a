"""Second stage of SRGAN: x4 super-resolution with texture.

  python -m artjax.main --config=configs/srgan.py --workdir=runs/srgan \
      --config.data.source=folder:PATH --config.init_from=runs/srresnet

https://arxiv.org/abs/1609.04802: from the weights of configs/srgan_mse.py,
squared error of VGG's last features after activation, scaled by 0.006, and an
adversary of 0.001 of that. `:quick` is a run of one CPU minute.
"""

import ml_collections

from artjax.configs import esrgan
from artjax.configs import srgan_mse


def get_config(variant: str = '') -> ml_collections.ConfigDict:
  """The configuration; variant: '' | 'quick'."""
  if variant not in ('', 'quick'):
    raise ValueError(f'no variant {variant!r} of configs/srgan.py: quick')
  config = srgan_mse.get_config(variant).copy_and_resolve_references()
  config.unlock()
  config.losses.mse = 0.0
  config.losses.perceptual = 0.006
  config.loss_options.perceptual.distance = 'mse'
  config.adversary.name = 'vgg_discriminator.VGGStyleDiscriminator'
  config.adversary.loss = 'vanilla'
  config.adversary.weight = 1e-3
  config.best_metric = 'lpips'
  if variant:
    esrgan.make_quick(config)
    config.losses.mse = 1.0
    esrgan.layers(config, relu2_2=1.0)
  else:
    config.init_from = 'runs/srresnet'
    config.steps = 200_000
    esrgan.layers(config, relu5_3=1.0)
    esrgan.rates(config, 1e-4, 1e-4)
  return config.lock()
