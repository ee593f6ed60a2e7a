"""Digits from nothing: the base GAN, a narrow DCGAN.

  python -m artjax.main --config=configs/mnist_gan.py --workdir=runs/mnist_gan \
      --config.data.source=idx:DIR

DIR holds the four idx.gz files of MNIST; without it the source is tfds:mnist.
All of its training digits are trained on; those it is measured beside are its
split `test`. The discriminator is told which digit each one is; for pictures
without labels: --config.adversary.condition=False and no `class_label` in
data.ops. Samples of a fixed latent and walks between latents are written to the
workdir at each evaluation. `:quick` is a run of one CPU minute.
"""

import ml_collections

from artjax import config as defaults


def get_config(variant: str = '') -> ml_collections.ConfigDict:
  """The configuration; variant: '' | 'quick'."""
  if variant not in ('', 'quick'):
    raise ValueError(f'no variant {variant!r} of configs/mnist_gan.py: quick')
  config = defaults.get_config()
  config.task = 'generate'
  config.model.name = 'dcgan.Generator'
  config.model.args = ml_collections.ConfigDict({'features': (128, 64)})
  config.adversary.name = 'dcgan.Discriminator'
  config.adversary.args = ml_collections.ConfigDict({'features': (64, 128)})
  config.adversary.condition = True  # it is told which digit a picture is
  config.adversary.size = 28
  config.adversary.loss = 'vanilla'  # non-saturating
  config.adversary.weight = 1.0
  config.steps = 4_000
  config.batch_size = 32
  config.data.source = 'tfds:mnist'
  config.data.validation = 0.0
  config.data.min_size = config.eval.min_size = 28
  config.data.ops = 'copy("image", "target")|class_label'
  config.data.prefetch = 8
  for player in (config.optimizer, config.adversary.optimizer):
    player.learning_rate = 5e-4
    # A memory as short as that of the original: the other player moves on.
    player.b1, player.b2 = 0.5, 0.99
    player.final_fraction = 0.1
    player.clip_norm = 0.0
  config.ema_decay = 0.99
  config.eval_every = config.checkpoint_every = 2_000
  config.log_every = 100
  if variant == 'quick':
    config.steps = 40
    config.log_every = 10
    config.eval_every = config.checkpoint_every = 20
    config.eval.max_pictures = 500
    for player in (config.optimizer, config.adversary.optimizer):
      player.warmup_steps = 5
    config.ema_decay = 0.9
  return config.lock()
