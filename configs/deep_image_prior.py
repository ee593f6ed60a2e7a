"""Deep Image Prior: one picture restored without training.

  python scripts/deep_image_prior.py PICTURE --mask=MASK --output=FILE \
      --config=configs/deep_image_prior.py --config.steps=3000

Not for artjax/main.py: nothing is trained on data. The fields are the arguments
of `artjax.inference.deep_image_prior.restore`; `optimizer` and `smooth` differ
from the paper, which has 'adam' (at a rate of 0.01) and 0. `:quick` is a small
network and few steps, which shows that all works and not what can be reached.
"""

import ml_collections


def get_config(variant: str = '') -> ml_collections.ConfigDict:
  """The configuration; variant: '' | 'quick'."""
  config = ml_collections.ConfigDict()
  config.task = 'inpaint'  # 'inpaint' | 'denoise' | 'x4'
  config.seed = 0  # of the network, its input and the perturbations
  config.steps = 3_000  # at most; the paper takes up to twice as many
  config.optimizer = 'muon'  # 'muon' | 'adam', which wants 0.01 next
  config.learning_rate = 0.015
  config.smooth = 12.0  # px of blur of what inpainting begins from, 0 = grey
  config.perturbation = 0.03  # sigma of the noise added to the input each step
  config.decay = 0.99  # of the average of the outputs, which is the result
  config.window = 100  # outputs whose variance is taken when denoising
  config.patience = 1_000  # end after so many steps without progress, 0 = never
  config.report_every = 20  # steps between looks at how it goes
  config.max_side = 0  # px worked on at a time; 0 = 512 on a CPU, else 1024
  config.feather = 0  # px around holes that are blended with the fill
  config.network = ml_collections.ConfigDict(
    {
      'features': 128,  # channels
      'skip_features': 4,  # channels of a skip
      'scales': 5,  # times the size is halved
    }
  )
  if variant == 'quick':
    config.steps = 40
    config.window = 10
    config.network.features = 16
    config.network.scales = 3
  elif variant:
    raise ValueError(
      f'no variant {variant!r} of configs/deep_image_prior.py: quick'
    )
  return config.lock()
