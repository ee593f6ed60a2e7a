"""Filler of holes in paintings: picture and mask -> picture.

  python -m artjax.main --config=configs/inpaint.py --workdir=runs/inpaint_l1 \
      --config.data.source=folder:PATH
  python -m artjax.main --config=configs/inpaint.py:psnr \
      --workdir=runs/inpaint_psnr --config.data.source=folder:PATH \
      --config.init_from=runs/inpaint_l1
  python -m artjax.main --config=configs/inpaint.py:gan --workdir=runs/inpaint \
      --config.data.source=folder:PATH --config.init_from=runs/inpaint_l1

The first stage learns what is likely, from the absolute error. From its weights
`:psnr` learns what is so on the mean, which is what PSNR asks for, and `:gan`
what is real: a hinge adversary with feature matching
(https://arxiv.org/abs/1806.03589, https://arxiv.org/abs/1711.11585) and LPIPS.
Masks are drawn (artjax/data/degradations/inpainting_masks.py);
`|missing_from("FOLDER")|` in the place of `|missing(...)|` takes those of a
folder. `:quick` is a run of one CPU minute.
"""

import ml_collections

from artjax import config as defaults
from artjax.configs import esrgan

# Shrunk at least a little, for in pictures of some 700 px paint is finer than
# in scans.
OPS = (
  'scale(0.8)|random_scale_crop({size}, 0.35)|flip|rotate90'
  '|copy("image", "target")|missing((0.02, 0.6))'
  '|keep("image", "target", "mask")'
)
EVAL_OPS = (
  'copy("image", "target")|missing((0.02, 0.5))|keep("image", "target", "mask")'
)


def get_config(variant: str = '') -> ml_collections.ConfigDict:
  """The configuration; variant: '' | 'psnr' | 'gan' | 'quick'."""
  if variant not in ('', 'psnr', 'gan', 'quick'):
    raise ValueError(
      f'no variant {variant!r} of configs/inpaint.py: psnr, gan, quick'
    )
  config = defaults.get_config()
  config.task = 'inpaint'
  config.model.name = 'inpaint.GatedUNet'
  config.model.args = ml_collections.ConfigDict(
    {
      'features': (32, 64, 128),  # channels a level, finest first
      'blocks': (1, 2),  # gated blocks a level, down and up again
      # One gated block each, at the coarsest level.
      'dilations': (1, 2, 4, 8, 4, 2, 1),
    }
  )
  config.losses.hole_l1 = 1.0
  config.optimizer.name = 'muon'
  config.optimizer.learning_rate = 1e-3
  config.optimizer.warmup_steps = 50
  config.batch_size = 4
  config.steps = 4_000
  config.data.ops = OPS.format(size=224)
  config.data.min_size = 64
  config.eval.ops = EVAL_OPS
  config.eval.panels = 16
  if variant == 'psnr':
    config.init_from = 'runs/inpaint_l1'
    config.losses.hole_l1, config.losses.hole_psnr = 0.0, 1.0
    config.optimizer.learning_rate = 7e-4
    config.steps = 2_000
    config.ema_decay = 0.998
  elif variant == 'gan':
    adversarial(config)
  elif variant == 'quick':
    adversarial(config)
    defaults.make_quick(config)
    config.init_from = ''
    config.model.args.update(
      features=(8, 16, 16), blocks=(1, 1), dilations=(1, 2)
    )
    config.data.ops = OPS.format(size=64)
    config.eval.ops = f'fit(160)|{EVAL_OPS}'
    esrgan.make_quick(config)
  return config.lock()


def adversarial(config):
  """The second stage, where it learns to paint texture."""
  config.init_from = 'runs/inpaint_l1'
  config.steps = 2_400
  config.data.ops = OPS.format(size=160)
  config.model.args.reach = 60  # what it paints is better than a coarser blur
  # Of the metric's own network: VGG costs more than all the rest of a step and
  # led hardly anywhere in as many minutes (docs/experiments/inpaint.md).
  config.losses.lpips = 1.0
  config.losses.hole_l1 = 0.3
  config.loss_options.lpips.net = 'alexnet'
  config.adversary.name = 'patchgan.PatchGAN'
  # Without spectral norm: with it the judge told nothing apart in 2000 steps,
  # for most of what it sees is the same in both.
  config.adversary.args = ml_collections.ConfigDict(
    {'features': 32, 'norm': 'batch'}
  )
  config.adversary.size = 160
  config.adversary.condition = True  # it is told where the holes are
  config.adversary.loss = 'hinge'
  config.adversary.weight = 0.05
  config.adversary.feature_matching = 0.5
  esrgan.rates(config, 6e-4, 3e-4)
  config.best_metric = 'lpips'
