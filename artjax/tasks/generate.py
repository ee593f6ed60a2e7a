"""Generates pictures from random numbers alone."""

import jax
import jax.numpy as jnp

from artjax.tasks import base

LATENT = 64  # numbers that a picture is drawn from
CLASSES = 10  # the largest of so many, the first, is the class: which digit


class Task(base.Task):
  """See the module."""

  channels = LATENT
  reads = ()
  evaluator = 'digits.Digits'
  restorer = 'sampler.Sampler'

  def inputs(self, batch: base.Batch, rng: jax.Array | None) -> jax.Array:
    """A latent for each picture of the batch, f32[B, 1, 1, LATENT].

    If the pictures have a 'class_label', each latent encodes it: its largest
    number is swapped with the one at the place of the label.

    Raises:
      ValueError: no key to draw with.
    """
    if rng is None:
      raise ValueError('latents are drawn: rng is None, but must be a key')
    count = batch['target'].shape[0]
    latents = jax.random.normal(rng, [count, 1, 1, LATENT])
    if 'class_label' not in batch:
      return latents
    first, rest = latents[..., :CLASSES], latents[..., CLASSES:]
    drawn = jax.nn.one_hot(first.argmax(-1), CLASSES)
    wanted = jax.nn.one_hot(batch['class_label'].reshape(count, 1, 1), CLASSES)
    largest = first.max(-1, keepdims=True)
    other = (first * wanted).sum(-1, keepdims=True)
    first = first + (wanted - drawn) * (largest - other)
    return jnp.concatenate([first, rest], -1)
