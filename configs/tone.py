"""Undoes fading, varnish and colour casts of the picture as a whole.

  python -m artjax.main --config=configs/tone.py --workdir=runs/tone \
      --config.data.source=folder:PATH

A thumbnail tells how pigments have faded and what the varnish has tinted; what
is learnt is a bounded transform of all pixels alike, not a picture. `:quick` is
a run of one CPU minute.
"""

import ml_collections

from artjax import config as defaults

# Pictures are seen as the thumbnails that they are when it is used, or large
# parts of them.
_TRAIN_OPS = (
  'fit(112)|random_scale_crop({size}, 0.4)|flip|rotate90|aged((0.0, 1.0), '
  'clean=0.3, prints=0.25, grey=0.15, damaged=0.4)|keep("image", "target")'
)


def get_config(variant: str = '') -> ml_collections.ConfigDict:
  """The configuration; variant: '' | 'quick'."""
  config = defaults.get_config()
  config.task = 'tone'
  config.model.name = 'tone_curves.ToneCurves'
  config.losses.lab = 20.0
  config.losses.psnr = 1.0
  config.losses.harm = 2.0
  config.steps = 2_500
  config.batch_size = 32
  config.optimizer.name = 'adamw'
  config.optimizer.learning_rate = 1e-3
  config.optimizer.weight_decay = 0.02
  config.ema_decay = 0.999
  config.data.ops = _TRAIN_OPS.format(size=64)
  config.eval.ops = 'aged(0.5)'
  if variant == 'quick':
    defaults.make_quick(config)
    config.data.ops = _TRAIN_OPS.format(size=48)
    config.eval.ops = 'fit(160)|aged(0.5)'
  elif variant:
    raise ValueError(f'no variant {variant!r} of configs/tone.py: quick')
  return config.lock()
