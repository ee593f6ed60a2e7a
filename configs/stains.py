"""Undoes stains of water, mould, rust and grime, and keeps what lies below.

  python -m artjax.main --config=configs/stains.py --workdir=runs/stains \
      --config.data.source=folder:PATH

The network sees whole pictures, small: a stain is known by its rim, and by what
lies around it. Its first weights may be those of a detector of damage, for
which `--config.init_from=pretrained/detect.safetensors:coarse`. `:quick` is a
run of one CPU minute.
"""

import ml_collections

from artjax import config as defaults

# Stains are drawn on pictures twice the size of what the network sees.
_TRAIN_OPS = (
  'fit({fit})|random_scale_crop({window}, 0.6)|flip|rotate90|'
  'stained((0.2, 1.0), clean=0.25)|fit({size})|'
  'mask_classes("stain")|keep("image", "target", "mask")'
)
EVAL_OPS = 'stained(0.5)'


def get_config(variant: str = '') -> ml_collections.ConfigDict:
  """The configuration; variant: '' | 'quick'."""
  config = defaults.get_config()
  config.task = 'stains'
  config.model.name = 'stain_field.StainField'
  config.losses.charbonnier = 1.0
  # Of the stained pixels alone: most are not.
  config.losses.hole_l1 = 0.3
  config.loss_options.hole_l1.known = 0.0
  config.losses.hole_psnr = 0.004  # strong stains count more
  config.steps = 5_000
  config.batch_size = 4
  config.optimizer.name = 'adamw'
  config.optimizer.learning_rate = 1e-3
  config.optimizer.warmup_steps = 100
  config.ema_decay = 0.998
  config.data.ops = _TRAIN_OPS.format(fit=640, window=384, size=192)
  config.eval.ops = EVAL_OPS
  if variant == 'quick':
    defaults.make_quick(config)
    config.model.args = ml_collections.ConfigDict(
      {'features': (16, 24, 32), 'blocks': (1, 1, 1)}
    )
    config.data.ops = _TRAIN_OPS.format(fit=160, window=128, size=64)
    config.eval.ops = 'fit(160)|' + EVAL_OPS
  elif variant:
    raise ValueError(f'no variant {variant!r} of configs/stains.py: quick')
  return config.lock()
