"""Tasks: the input of a generator, and the meaning of its output.

  task = tasks.get('inpaint')
  y = model.apply(variables, task.inputs(batch, rng))
  picture = task.to_image(batch, y)

Each is one file with a class `Task`, see base.py. A new file is a new task.
"""

import functools
import importlib
import pkgutil

from artjax.tasks import base


def names() -> list[str]:
  """The names of all tasks."""
  found = (module.name for module in pkgutil.iter_modules(__path__))
  return [name for name in found if name != 'base']


@functools.cache  # one object a task: what is compiled for it is found by it
def get(name: str) -> base.Task:
  """The task called `name`; ValueError with the known names otherwise."""
  if name not in names():
    raise ValueError(f'task={name!r} is not one of {", ".join(names())}')
  return importlib.import_module(f'{__name__}.{name}').Task()
