"""artjax: degrade a clean picture in a known way, learn to undo it.

from artjax import train
from artjax.configs import unet

result = train(unet.get_config('quick'), 'runs/unet')
"""

import importlib
from typing import Any

__version__ = '0.2.0'


def __getattr__(name: str) -> Any:
  """`train`, imported only when it is used, as that takes seconds."""
  if name == 'train':
    # By its name: who wants the version only shall not depend on all of this.
    return importlib.import_module('artjax.training.loop').train_and_evaluate
  raise AttributeError(f'module {__name__!r} has no attribute {name!r}')
