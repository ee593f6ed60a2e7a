"""Detector of damage: a probability map each of crack, loss and stain.

  python -m artjax.main --config=configs/detect.py:easy \
      --workdir=runs/detect_easy --config.data.source=folder:PATH
  python -m artjax.main --config=configs/detect.py --workdir=runs/detect \
      --config.data.source=folder:PATH --config.init_from=runs/detect_easy

  python -m artjax.main --config=configs/detect.py:calm \
      --workdir=runs/detect_calm --config.data.source=folder:PATH \
      --config.init_from=runs/detect
  python -m artjax.main --config=configs/detect.py:coarse \
      --workdir=runs/detect_coarse --config.data.source=folder:PATH \
      --config.init_from=runs/detect
  python scripts/export.py --workdir=runs/detect_calm \
      --coarse=runs/detect_coarse --output=detect.safetensors

The first stage shows it heavy damage in focus, from which it learns within
minutes what a line is; the second, all there is, faint and noisy damage and
none at all, of which alone it would learn nothing for thousands of steps. It
sees more cracks than there are; `:calm` shows damage as often as it occurs, so
that the probabilities become right, to a network of more blocks, which start as
the identity. `:coarse` is a second network, which sees whole pictures, small:
stains are larger than what the first is shown at a time.

A mask is a picture of three channels: crack, loss, stain. `--mode=evaluate`
prints how well it is found, beside a filter without learning, and how much of
the undamaged pictures is taken for damage. `:quick` is a run of one CPU minute.
"""

import ml_collections

from artjax import config as defaults

# Most pictures that people have, a camera has seen. Half of what is damaged has
# damage of further makes as well, but for tape and labels: they tell how it
# does on the unknown.
_WIDELY = (
  'camera=0.65, breadth=0.5, filled=0.25, grey=0.25, without=("tape", "labels")'
)
# A third of the examples is clean, see `damaged_or_clean`, and a third has
# cracks alone: the hardest to see of what the coarse network leaves to this
# one. Dots and drawn outlines are easily mistaken for damage. Damage is drawn
# over a window and a part of it is learnt from: stains larger than that part
# are seen from within. The window is as large as small pictures are, for stains
# and losses grow with the picture, and shrunk at least a little, for in
# pictures of that size paint is finer than in scans. 'real' is the picture
# before damage.
TRAIN_OPS = (
  'scale(0.8)|random_scale_crop({window}, 0.3)|flip|rotate90|'
  'dabs(0.06, 2.5)|contours(0.12)|'
  f'damaged_or_clean((0.15, 1.0), {{damage}}, {_WIDELY})|'
  'random_crop({size})|'
  'mask_target|keep("image", "target")'
)
EASY_OPS = (
  'random_scale_crop(192, 0.6)|flip|rotate90|'
  'old_painting((0.6, 1.0), camera=False)|random_crop(128)|'
  'mask_target|keep("image", "target")'
)
# Most of a painting, some 160 px of it: as a coarse pass sees it.
COARSE_OPS = (
  'fit(640)|random_scale_crop(320, 0.5)|flip|rotate90|'
  'dabs(0.06, 2.5)|contours(0.12)|'
  f'damaged_or_clean((0.15, 1.0), clean=0.3, part="stain", {_WIDELY})|'
  'fit(160)|mask_target|keep("image", "target")'
)
# Without a camera: its noise and blur hide the faint half of the damage, which
# the mask still has. With it, nothing finds more than what can be seen.
EVAL_OPS = 'copy("image", "real")|old_painting(0.6, camera=False)|mask_target'


def get_config(variant: str = '') -> ml_collections.ConfigDict:
  """The configuration; variant: '' | 'easy' | 'calm' | 'coarse' | 'quick'."""
  config = defaults.get_config()
  config.task = 'detect'
  config.model.name = 'detector.Detector'
  # Cracks are seen at half the resolution, with all pixels in the channels;
  # large losses and stains 32 times coarser.
  config.model.args = ml_collections.ConfigDict(
    {
      'features': (48, 64, 80, 96, 112),  # channels a level, finest first
      'blocks': (1, 1, 1, 1, 2),  # residual blocks a level
    }
  )
  config.losses.bce = 1.0
  config.loss_options.bce.positive = 2.0
  config.steps = 4_000
  config.batch_size = 4
  config.optimizer.name = 'muon'
  config.optimizer.learning_rate = 1.5e-3
  config.optimizer.warmup_steps = 50
  config.ema_decay = 0.998
  config.data.ops = TRAIN_OPS.format(
    window=448, size=256, damage='part="crack"'
  )
  config.eval.ops = EVAL_OPS
  if variant == 'easy':
    config.data.ops = EASY_OPS
    config.steps = 900
    config.batch_size = 8
    config.optimizer.name = 'adam'
    config.optimizer.learning_rate = 3e-3
    config.optimizer.warmup_steps = 100
    config.ema_decay = 0.995
  elif variant == 'calm':
    config.data.ops = TRAIN_OPS.format(window=448, size=256, damage='clean=0.4')
    config.model.args.blocks = (2, 2, 2, 1, 2)
    config.steps = 3_200
    config.optimizer.learning_rate = 1e-3
    config.optimizer.warmup_steps = 60
    config.ema_decay = 0.995
  elif variant == 'coarse':
    # More of the coarse levels, whose pixels are few.
    config.model.args.blocks = (1, 1, 2, 3, 4)
    config.data.ops = COARSE_OPS
    config.eval.ops = 'fit(320)|' + config.eval.ops
    config.steps = 4_800
    config.batch_size = 4
    config.ema_decay = 0.998
  elif variant == 'quick':
    defaults.make_quick(config)
    config.model.args.features = (16, 24, 32)
    config.model.args.blocks = (1, 1, 1)
    config.data.ops = TRAIN_OPS.format(
      window=128, size=64, damage='part="crack"'
    )
    config.eval.ops = 'fit(160)|' + config.eval.ops
  elif variant:
    raise ValueError(
      f'no variant {variant!r} of configs/detect.py: easy, calm, coarse, quick'
    )
  return config.lock()
