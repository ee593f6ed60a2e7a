"""NAFNet blocks behind a pixel-unshuffle: removes damage, leaves tones alone.

  python -m artjax.main --config=configs/structure.py --workdir=runs/structure \
      --config.data.source=folder:PATH

Tone (fading, varnish, cast) is ill-posed and would swamp the loss, so image and
target are aged alike and only what lies over them is learnt. `:quick` is a run
of one CPU minute, `:demo` that of `make demo`, which learns to take away noise.

What is lost altogether is in image and target alike, for a filler: a network
that learns to fill losses takes bright walls and windows for them. A quarter of
the examples is undamaged, and some are of dots, which are easily mistaken for
noise. Cracks, scratches and stains, few as their pixels are, weigh more.

Other damage takes the place of this by `--config.data.ops`; `structure`, in
artjax/data/degradations/presets.py, says what there is. With masks of film
damage in FOLDER, half of the examples have some:

  --config.data.ops='random_scale_crop(128, 0.3)|flip|rotate90|dabs(0.08, 2.5)|
      structure((0.0, 1.0), clean=0.25, breadth=0.4, keep_losses=True,
      dirt="FOLDER")|mask_classes("crack", "stain")|
      keep("image", "target", "mask")'
"""

from absl import logging
import ml_collections

from artjax import config as defaults

_TRAIN_OPS = (
  'random_scale_crop({size}, 0.3)|flip|rotate90|dabs(0.08, 2.5)|'
  'structure((0.0, 1.0), clean=0.25, breadth=0.4, keep_losses=True{more})|'
  'mask_classes("crack", "stain")|keep("image", "target", "mask")'
)
EVAL_OPS = 'structure(0.5, keep_losses=True)'


def train_ops(size: int = 128, more: str = '') -> str:
  """What makes a training example of `size` px; `more` arguments of damage."""
  return _TRAIN_OPS.format(size=size, more=more)


def get_config(variant: str = '') -> ml_collections.ConfigDict:
  """The configuration; variant: '' | 'demo' | 'quick'."""
  config = defaults.get_config()
  config.model.name = 'nafnet.NAFNet'
  config.model.args = ml_collections.ConfigDict(
    {
      'width': 48,  # channels behind the stem, doubled at each level
      'enc_blocks': (1, 1, 2),
      'middle_blocks': 4,
      'dec_blocks': (1, 1, 1),
      'stem': 2,
      'zero_init': True,
      'confidence': True,
      'window': 128,  # the side of the crops, see NAFNet
      'bound': 8 / 255,  # nothing bright or dark is taken for damage
    }
  )
  config.losses.charbonnier = 1.0
  config.losses.tone = 0.2
  config.losses.hole_l1 = 0.2
  config.loss_options.hole_l1.known = 0.0
  config.losses.lpips = 0.04
  config.loss_options.lpips.net = 'alexnet'
  # Adam learns the head at any weight; a small one leaves the norm of the
  # gradient, by which it is clipped, to the picture.
  config.losses.confidence = 0.01
  config.optimizer.name = 'adamw'
  config.optimizer.learning_rate = 1e-3
  config.optimizer.b2 = 0.95
  config.ema_decay = 0.999
  config.data.ops = train_ops()
  config.eval.ops = EVAL_OPS
  if variant in ('demo', 'quick'):  # short runs learn the picture alone
    config.model.args.confidence, config.losses.confidence = False, 0.0
    config.losses.hole_l1 = config.losses.lpips = 0.0
    config.model.args.bound = 0.0
  if variant == 'demo':
    # What a minute and a few photographs can teach, seen at a glance.
    damage = 'copy("image", "target")|gaussian_noise({0})|jpeg({1})'
    config.model.args.width, config.model.args.window = 16, 64
    config.model.args.enc_blocks = config.model.args.dec_blocks = (1, 1)
    config.model.args.middle_blocks = 2
    config.losses.tone = 0.0
    config.data.source = 'sample'
    config.data.ops = (
      'random_scale_crop(64, 0.3)|flip|rotate90|'
      + damage.format('(0.3, 0.9)', '(0.1, 0.4)')
      + '|keep("image", "target")'
    )
    config.eval.ops = damage.format('0.7', '0.2')
    config.steps = 500
    config.eval_every = 0
    config.checkpoint_every = 250
    config.optimizer.learning_rate = 2e-3
    config.optimizer.warmup_steps = 30
    config.ema_decay = 0.98
  elif variant == 'quick':
    config.model.args.width, config.model.args.window = 8, 64
    config.model.args.enc_blocks = config.model.args.dec_blocks = (1, 1)
    config.model.args.middle_blocks = 1
    defaults.make_quick(config)
    config.data.ops = train_ops(size=64)
    config.eval.ops = f'fit(160)|{EVAL_OPS}'
  elif variant.startswith('dirt='):  # accepted for one version
    folder = variant.removeprefix('dirt=')
    config.data.ops = train_ops(more=f', dirt={folder!r}')
    logging.warning(
      'structure.py:%s is spelled --config.data.ops=%r now',
      variant,
      config.data.ops,
    )
  elif variant:
    raise ValueError(
      f'no variant {variant!r} of configs/structure.py: demo, quick'
    )
  return config.lock()
