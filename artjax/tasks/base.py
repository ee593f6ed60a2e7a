"""Tasks: what a generator sees of a batch, and what its output stands for.

A task is a pair of functions

  inputs(batch, rng) -> x     batch of u8 pictures -> what the generator sees
  picture(batch, y) -> rgb    its output -> f32[B, H, W, 3], nominally [0, 1]

`picture` does not clip: a value outside [0, 1] still has a gradient that leads
it back; it is clipped where it is rounded to 8 bit.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp

from artjax import colour

AB = 110.0  # a and b of CIE Lab are over this where a network sees them


LATENT = 64  # numbers that a generated picture is drawn from
KINDS = 10  # the largest of so many, the first, says what is drawn: which digit


class Task(NamedTuple):
  """The two colour conventions of a task, and the shape of its input."""

  inputs: Callable[[Any, Any], Any]
  picture: Callable[[Any, Any], Any]
  channels: int  # of the generator's input
  reads: tuple[str, ...] = ('image',)  # what it needs of a batch to be run
  finds: bool = False  # its result is a mask, not a picture


def unit(picture):
  """u8 in [0, 255] -> f32 in [0, 1]."""
  return picture.astype(jnp.float32) / 255


def _restore_inputs(batch, rng):
  del rng
  return unit(batch['image'])


def _restore_picture(batch, y):
  del batch
  return y


def _detect_picture(batch, y):
  """Logits -> chances of crack, loss and stain: a mask's channels."""
  del batch
  return jax.nn.sigmoid(y.astype(jnp.float32))


def missing(batch):
  """f32[B, H, W, 1]: 1 where any part of the mask says so."""
  return unit(batch['mask']).max(-1, keepdims=True)


def _inpaint_inputs(batch, rng):
  """The picture without what is missing, and where that is."""
  del rng
  hole = missing(batch)
  return jnp.concatenate([unit(batch['image']) * (1 - hole), hole], -1)


def _sketch_inputs(batch, rng):
  """The drawing's luma (BT.601): its paper has a colour, its lines none."""
  del rng
  weights = jnp.array([[0.299], [0.587], [0.114]])
  return jnp.matmul(unit(batch['image']), weights, precision='highest')


def _generate_inputs(batch, rng):
  """A latent for each picture of the batch: a picture of one pixel.

  Where the pictures have a 'class_label', that of each latent is the same:
  its largest number changes places with the one that should be.
  """
  count = batch['target'].shape[0]
  latents = jax.random.normal(rng, [count, 1, 1, LATENT])
  if 'class_label' not in batch:
    return latents
  first, rest = latents[..., :KINDS], latents[..., KINDS:]
  drawn = jax.nn.one_hot(first.argmax(-1), KINDS)
  wanted = jax.nn.one_hot(batch['class_label'].reshape(count, 1, 1), KINDS)
  largest = first.max(-1, keepdims=True)
  other = (first * wanted).sum(-1, keepdims=True)
  first = first + (wanted - drawn) * (largest - other)
  return jnp.concatenate([first, rest], -1)


def luma(batch):
  """f32[B, H, W, 1]: the lightness of 'image', CIE Lab's L in [0, 100]."""
  return colour.srgb_to_lab(unit(batch['image']))[..., :1]


def _colorize_inputs(batch, rng):
  """Lightness, and the colours of hints and where they are; none is zeros."""
  del rng
  grey = luma(batch) / 100 - 0.5
  if 'hints' not in batch:
    return jnp.concatenate([grey] + 3 * [jnp.zeros_like(grey)], -1)
  hints = unit(batch['hints'])
  there = hints[..., 3:]
  ab = colour.srgb_to_lab(hints[..., :3])[..., 1:] / AB
  return jnp.concatenate([grey, ab * there, there], -1)


def _colorize_picture(batch, y):
  """The lightness that was given with the colours that were found."""
  return colour.lab_to_srgb(jnp.concatenate([luma(batch), AB * y], -1))


# A picture back as it was; which of its pixels are damaged; what is missing;
# the colours of a grey one, with 'hints' if a batch has them.
restore = Task(_restore_inputs, _restore_picture, channels=3)
detect = Task(_restore_inputs, _detect_picture, channels=3, finds=True)
inpaint = Task(
  _inpaint_inputs, _restore_picture, channels=4, reads=('image', 'mask')
)
# A photograph or a painting from a drawing.
sketch2image = Task(_sketch_inputs, _restore_picture, channels=1)
# A picture from nothing.
generate = Task(_generate_inputs, _restore_picture, channels=LATENT, reads=())
colorize = Task(_colorize_inputs, _colorize_picture, channels=4)
TASKS = {
  'restore': restore,
  'detect': detect,
  'inpaint': inpaint,
  'generate': generate,
  'sketch2image': sketch2image,
  'colorize': colorize,
}


def get(name):
  """The task called `name`; ValueError with the known names otherwise."""
  if name not in TASKS:
    raise ValueError(f'task={name!r} is not one of {", ".join(TASKS)}')
  return TASKS[name]
