"""A photograph or a painting from a sketch: U-Net on a ResNet, PatchGAN.

  python -m artjax.main --config=configs/sketch2image.py --workdir=runs/sketch \
      --config.data.source=folder:PATH

Sketches are made of the pictures of PATH as they are needed. `:faces` learns
from real ones, aligned pairs of up to 256 x 256 px, such as CUFS:

  python -m artjax.main --config=configs/sketch2image.py:faces \
      --workdir=runs/faces \
      --config.data.source=pairs:train/photo,train/sketch \
      --config.eval.source=pairs:val/photo,val/sketch

The encoder can start from ImageNet (`scripts/import_weights.py resnet18.pth`):
`--config.model.args.width=64 --config.model.args.norm=batch --config.init_from=
FILE`. `:quick` is a run of one CPU minute. `scripts/sketch_baselines.py` prints
the result beside what needs no network.
"""

import ml_collections

from artjax import config as defaults


def train_ops(size: int = 160) -> str:
  """What makes a training example of `size` px."""
  return f'random_scale_crop({size}, 0.2)|flip|sketch|keep("image", "target")'


def get_config(variant: str = '') -> ml_collections.ConfigDict:
  """The configuration; variant: '' | 'faces' | 'quick'."""
  if variant not in ('', 'faces', 'quick'):
    raise ValueError(
      f'no variant {variant!r} of configs/sketch2image.py: faces, quick'
    )
  config = defaults.get_config()
  config.task = 'sketch2image'
  config.model.name = 'resunet.ResUNet'
  config.model.args = ml_collections.ConfigDict(
    {'depth': 18, 'width': 32, 'norm': 'group'}
  )
  config.data.ops = train_ops()
  config.eval.ops = 'fit(512)|sketch|keep("image", "target")'
  config.batch_size = 8
  config.steps = 20_000
  config.losses.l1 = 1.0
  config.losses.ssim = 0.5
  config.losses.lpips = 0.6
  # AlexNet's features cost a tenth of VGG's.
  config.loss_options.lpips.net = 'alexnet'
  config.adversary.name = 'patchgan.PatchGAN'
  config.adversary.args = ml_collections.ConfigDict(
    {'features': 32, 'n_layers': 3, 'norm': 'spectral'}
  )
  config.adversary.size = 160
  config.adversary.condition = True
  config.adversary.loss = 'hinge'
  config.adversary.weight = 0.01
  for player in (config.optimizer, config.adversary.optimizer):
    player.learning_rate = 3e-4
    player.b1 = 0.5
  config.best_metric = 'lpips'
  config.eval.metrics = ('ssim_rgb', 'ssim_y', 'lpips', 'gms_y', 'psnr_rgb')
  config.eval.panels = 12
  config.eval_every = config.checkpoint_every = 1_000
  if variant == 'faces':
    make_faces(config)
  elif variant == 'quick':
    make_quick(config)
  return config.lock()


def make_faces(config):
  """Aligned faces: seen whole, slightly moved, at known coordinates."""
  config.model.args.update(width=24, coordinates=True, halo=0)
  config.data.ops = (
    'flip|place(256, turn=4.0, stretch=0.06, shift=8.0)|keep("image", "target")'
  )
  config.data.validation = 0.0
  config.eval.ops = ''
  config.batch_size = 4
  config.steps = 4_000
  config.losses.ssim = 2.0
  config.adversary.args.features = 24
  config.adversary.size = 256
  config.optimizer.learning_rate = 6e-4
  config.ema_decay = 0.995
  config.eval_every = config.checkpoint_every = 500


def make_quick(config):
  """A run of one CPU minute, evaluation included."""
  defaults.make_quick(config)
  config.model.args.width = 8
  config.data.ops = train_ops(size=64)
  config.eval.ops = 'fit(128)|sketch|keep("image", "target")'
  config.adversary.args.update(features=8, n_layers=2)
  config.adversary.size = 64
