"""The interface that every task implements, and code that several share."""

import abc
from typing import Any, Protocol

import jax
import jax.numpy as jnp

Batch = dict[str, Any]  # of u8[B, H, W, C] pictures, by name


class Task(Protocol):
  """The input of a generator, and the meaning of its output.

  A task is a file of this package with a class `Task` that inherits from this
  one; `artjax.tasks.get` finds it by the name of the file.

  Attributes:
    channels: of the generator's input.
    reads: fields of a batch that it needs to run on a user's picture.
    may_read: fields of a batch that it uses if present.
    evaluator: how results are measured: '<file>.<class>' in artjax/evaluation;
      it serves training and `--mode=evaluate`.
    restorer: how it runs on whole pictures: '<file>.<class>' in
      artjax/inference.
    stage: how picture files are restored with it: '<file>.<class>' in
      artjax/restoration.
    finds: whether its output is a damage map, not a picture.
    conjecture: the invented part of a result, for its provenance; '' for a
      restoration.
  """

  channels: int
  reads: tuple[str, ...] = ('image',)
  may_read: tuple[str, ...] = ()
  evaluator: str = 'paired.Paired'
  restorer: str = 'network.Restorer'
  stage: str = 'stages.Network'
  finds: bool = False
  conjecture: str = ''

  @property
  def fills(self) -> bool:
    """Whether it changes only pixels in a mask."""
    return 'mask' in self.reads

  @property
  def restores(self) -> bool:
    """Whether it restores or enlarges pictures, compared with their targets."""
    return (self.evaluator, self.stage) == ('paired.Paired', 'stages.Network')

  @abc.abstractmethod
  def inputs(self, batch: Batch, rng: jax.Array | None) -> jax.Array:
    """The generator's input for a batch.

    Args:
      batch: u8[B, H, W, C] pictures, or f32 with values in [0, 255].
      rng: key for random numbers, if it draws any.

    Returns:
      f32[B, H, W, channels].
    """

  def to_image(self, batch: Batch, y: jax.Array) -> jax.Array:
    """The picture that the generator's output means.

    It is not clipped, so that values outside [0, 1] have a gradient that leads
    them back. They are clipped when they are rounded to 8 bits.

    Args:
      batch: as for `inputs`.
      y: the generator's output, [B, H', W', C].

    Returns:
      f32[B, H', W', 3], nominally in [0, 1].
    """
    del batch
    return y

  def log_scale(self, y: jax.Array) -> jax.Array | None:
    """The size of its errors that the network predicts, if it does.

    Args:
      y: the generator's output, [B, H', W', C].

    Returns:
      f32[B, H', W', 1], the natural logarithm of the scale of a Laplace
      distribution of a pixel's largest error, of pictures in [0, 1]; or None.
    """
    del y
    return None


def unit(picture: jax.Array) -> jax.Array:
  """u8 in [0, 255] -> f32 in [0, 1]."""
  return picture.astype(jnp.float32) / 255


def missing(batch: Batch) -> jax.Array:
  """f32[B, H, W, 1]: 1 where any channel of the mask is set."""
  return unit(batch['mask']).max(-1, keepdims=True)
