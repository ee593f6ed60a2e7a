"""Second stage of ESRGAN: x4 super-resolution with texture.

  python -m artjax.main --config=configs/esrgan.py --workdir=runs/esrgan \
      --config.data.source=folder:PATH --config.init_from=runs/psnr

The published recipe (https://arxiv.org/abs/1809.00219): from the weights of
configs/esrgan_psnr.py, mean absolute error 0.01, features of VGG before
activation 1, and a relativistic discriminator 0.005. `:compact` goes on from
`esrgan_psnr.py:compact` on a CPU, `:quick` is a run of one CPU minute.
"""

import ml_collections

from artjax.configs import esrgan_psnr


def get_config(variant: str = '') -> ml_collections.ConfigDict:
  """The configuration; variant: '' | 'compact' | 'quick'."""
  if variant not in ('', 'compact', 'quick'):
    raise ValueError(
      f'no variant {variant!r} of configs/esrgan.py: compact, quick'
    )
  config = esrgan_psnr.get_config(variant).copy_and_resolve_references()
  config.unlock()
  config.losses.charbonnier = 0.0
  config.losses.l1 = 0.01
  config.losses.perceptual = 1.0
  # With the file of VGG19: conv5_4, as published.
  layers(config, conv5_3=1.0)
  config.adversary.name = 'vgg_discriminator.VGGStyleDiscriminator'
  config.adversary.loss = 'relativistic'
  config.adversary.weight = 0.005
  config.best_metric = 'lpips'
  if not variant:
    config.init_from = 'runs/psnr'
    config.steps = 400_000
    rates(config, 1e-4, 1e-4)
  elif variant == 'compact':
    config.init_from = 'runs/psnr'
    compact(config)
  else:
    make_quick(config)
  return config.lock()


def layers(config, **weights):
  """The perceptual loss rests on these layers alone."""
  found = config.loss_options.perceptual.layers
  for name in found:
    found[name] = 0.0
  found.update(weights)


def rates(config, generator, discriminator):
  """Learning rates of both players."""
  config.optimizer.learning_rate = generator
  config.adversary.optimizer.learning_rate = discriminator


def compact(config):
  """What a CPU manages: shallower features, a judge of patches."""
  config.steps = 2_000
  config.batch_size = 8
  config.data.ops = esrgan_psnr.train_ops(size=96)
  config.losses.l1 = 5.0
  layers(config, conv1_2=0.1, conv2_2=0.1, conv3_3=1.0, conv4_3=1.0)
  config.adversary.name = 'patchgan.PatchGAN'
  config.adversary.args = ml_collections.ConfigDict(
    {'features': 32, 'norm': 'spectral'}
  )
  config.adversary.size = 96
  config.adversary.loss = 'vanilla'
  config.adversary.weight = 0.4
  rates(config, 3e-4, 3e-4)


def make_quick(config):
  """Shrinks the adversary of a quick run; also that of configs/srgan.py."""
  layers(config, conv2_2=1.0)
  config.adversary.name = 'patchgan.PatchGAN'
  config.adversary.args = ml_collections.ConfigDict(
    {'features': 16, 'norm': 'spectral'}
  )
  config.adversary.size = 64
  config.adversary.optimizer.warmup_steps = 5
  config.best_metric = 'psnr_rgb'
  rates(config, 4e-4, 2e-4)
