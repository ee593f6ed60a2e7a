"""spandrel, PyTorch's networks of others; tests skip without it."""

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
