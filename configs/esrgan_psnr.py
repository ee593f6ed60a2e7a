"""First stage of ESRGAN: x4 super-resolution for fidelity.

  python -m artjax.main --config=configs/esrgan_psnr.py --workdir=runs/psnr \
      --config.data.source=folder:PATH

The published recipe (https://arxiv.org/abs/1809.00219): RRDBNet, 16 crops of
128 px, mean absolute error; a million steps there. `:compact` trains the small
SRVGGNetCompact on a CPU, `:quick` is a run of one CPU minute. The second stage
is configs/esrgan.py.
"""

import ml_collections

from artjax import config as defaults

# Antialiased bicubic / 4 of the clean picture, the benchmarks' protocol. Crops
# of shrunken windows are sharper than a photograph's own pixels.
LOW_RESOLUTION = 'copy("image", "target")|downscale(4)|keep("image", "target")'
EVAL_OPS = f'mod_crop(4)|{LOW_RESOLUTION}'


def train_ops(size: int = 128) -> str:
  """What makes a training example; `size` of the target, px."""
  return f'random_scale_crop({size}, 0.4)|flip|rotate90|{LOW_RESOLUTION}'


def get_config(variant: str = '') -> ml_collections.ConfigDict:
  """The configuration; variant: '' | 'compact' | 'quick'."""
  config = defaults.get_config()
  config.model.name = 'rrdb.RRDBNet'
  config.model.args = ml_collections.ConfigDict({'blocks': 23})
  config.losses.l1 = 1.0
  config.batch_size = 16
  config.steps = 1_000_000
  config.optimizer.learning_rate = 2e-4
  config.data.ops = train_ops()
  config.data.min_size = 128
  config.eval.ops = EVAL_OPS
  config.eval.crop = 4
  if variant == 'compact':
    compact(config)
    config.losses.l1, config.losses.charbonnier = 0.0, 1.0
    config.steps = 20_000
    config.batch_size = 8
    config.optimizer.learning_rate = 1e-3
  elif variant == 'quick':
    make_quick(config)
  elif variant:
    raise ValueError(
      f'no variant {variant!r} of configs/esrgan_psnr.py: compact, quick'
    )
  return config.lock()


def compact(config):
  """Replaces the generator by one that a laptop can train and run."""
  config.model.name = 'srvgg.SRVGGNetCompact'
  config.model.args = ml_collections.ConfigDict({'features': 64, 'convs': 8})


def make_quick(config):
  """Shrinks a run to a CPU minute, evaluation included."""
  config.model.name = 'rrdb.RRDBNet'
  config.model.args = ml_collections.ConfigDict(
    {'features': 16, 'growth': 8, 'blocks': 1}
  )
  defaults.make_quick(config)
  config.data.ops = train_ops(size=64)
  config.data.min_size = 64
  config.eval.ops = f'fit(160)|{EVAL_OPS}'
