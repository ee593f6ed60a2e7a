"""Networks on whole pictures of any size.

  from artjax import inference

  restorer = inference.restorer('unet')
  restored = restorer(picture)  # an array, a PIL image or a path

`restorer` is that of loading.py, `Restorer` the class of network.py; they are
imported when they are asked for, so that light modules here stay light.
"""

from typing import Any

_FOUND_IN = {'restorer': 'loading', 'Restorer': 'network'}


def __getattr__(name: str) -> Any:
  if name not in _FOUND_IN:
    raise AttributeError(f'module {__name__!r} has no attribute {name!r}')
  import importlib

  module = importlib.import_module(f'{__name__}.{_FOUND_IN[name]}')
  return getattr(module, name)
