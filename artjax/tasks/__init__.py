"""Tasks: the input of a generator, and the meaning of its output.

  task = tasks.get('inpaint')
  y = model.apply(variables, task.inputs(batch, rng))
  picture = task.to_image(batch, y)

Each task is one file with a class `Task`, see base.py. A new file is a new
task.
"""

import functools
import importlib
import pkgutil

from artjax import registry
from artjax.tasks import base


def names() -> list[str]:
  """The names of all tasks."""
  found = (module.name for module in pkgutil.iter_modules(__path__))
  return [name for name in found if name != 'base']


@functools.cache  # one object a task: what is compiled for it is found by it
def get(name: str) -> base.Task:
  """The task called `name`, or 'package.module:Class' of another package.

  Raises:
    ValueError: there is none; the known names are listed.
  """
  if ':' in name:
    cls = registry.outside(name)
    if not (isinstance(cls, type) and base.Task in cls.__mro__):
      raise ValueError(f'task={name!r} is no class that inherits base.Task')
    return cls()
  if name not in names():
    raise ValueError(f'task={name!r} is not one of {", ".join(names())}')
  return importlib.import_module(f'{__name__}.{name}').Task()
