"""spandrel, PyTorch's networks of others; tests skip without it."""

import importlib
import sys
import types

import pytest


def load(package='spandrel'):
  """The library, with stand-ins where torchvision does not load.

  Args:
    package: one of its packages that the test needs as well.
  """
  reason = 'needs torch and spandrel (make export-setup)'
  pytest.importorskip('torch', reason=reason)
  try:
    import torchvision  # noqa: F401
  except (ImportError, RuntimeError):
    # spandrel names it in architectures that are none of ours, and its wheel
    # does not load beside a CPU build of torch.
    for name in [n for n in sys.modules if n.startswith('torchvision')]:
      del sys.modules[name]
    for name in (
      'torchvision',
      'torchvision.transforms',
      'torchvision.transforms.functional',
    ):
      module = sys.modules[name] = types.ModuleType(name)
      module.__path__ = []
    module.InterpolationMode = module.normalize = module.rotate = object
  if package != 'spandrel':
    pytest.importorskip(package, reason=f'needs {package}').install(
      ignore_duplicates=True
    )
  return pytest.importorskip('spandrel', reason=reason)


def lama(features, blocks):
  """Its LaMa with another width and depth, which it has not."""
  module = importlib.import_module('spandrel.architectures.LaMa.__arch.LaMa')
  net = module.LaMa(in_nc=4, out_nc=3)
  net.model = module.FFCResNetGenerator(4, 3, ngf=features, n_blocks=blocks)
  return net


def filled(net, x):
  """[1, 3, H, W] of its LaMa; x: [1, 4, H, W], a picture and its holes."""
  sizes = importlib.import_module('spandrel.__helpers.size_req')
  required = sizes.SizeRequirements(minimum=16, multiple_of=8)
  height, width = x.shape[-2:]
  _, padded = sizes.pad_tensor(x, required)
  return net(padded[:, :3], padded[:, 3:])[..., :height, :width]
