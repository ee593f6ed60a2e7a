"""Tasks: what a generator sees of a batch, and what its output stands for.

A task is a pair of functions

  inputs(batch, rng) -> x     batch of u8 pictures -> what the generator sees
  picture(batch, y) -> rgb    its output -> f32[B, H, W, 3], nominally [0, 1]

`picture` does not clip: a value outside [0, 1] still has a gradient that leads
it back; it is clipped where it is rounded to 8 bit.
"""
from typing import Any, Callable, NamedTuple

import jax.numpy as jnp


class Task(NamedTuple):
  """The two colour conventions of a task, and the shape of its input."""
  inputs: Callable[[Any, Any], Any]
  picture: Callable[[Any, Any], Any]
  channels: int  # of the generator's input


def unit(picture):
  """u8 in [0, 255] -> f32 in [0, 1]."""
  return picture.astype(jnp.float32) / 255


def _restore_inputs(batch, rng):
  del rng
  return unit(batch['image'])


def _restore_picture(batch, y):
  del batch
  return y


restore = Task(_restore_inputs, _restore_picture, channels=3)
TASKS = {'restore': restore}


def get(name):
  """The task called `name`; ValueError with the known names otherwise."""
  if name not in TASKS:
    raise ValueError(f'task={name!r} is not one of {", ".join(TASKS)}')
  return TASKS[name]
