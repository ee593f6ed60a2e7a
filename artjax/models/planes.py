"""Runs networks of 1 or 4 channels on RGB pictures."""

from collections.abc import Callable

import jax
import jax.numpy as jnp

_LUMA = (0.299, 0.587, 0.114)  # ITU-R BT.601


def run(
  network: Callable[[jax.Array], jax.Array],
  x: jax.Array,
  reads: int,
  writes: int,
) -> jax.Array:
  """Applies a network to RGB pictures, whatever its channels are.

  A network with one channel in and out gets red, green and blue as separate
  grey pictures; one with a single input channel gets the luma. A fourth channel
  is opacity: it is 1 in the input and dropped from the output.

  Args:
    network: [b, H, W, reads] -> [b, h, w, writes].
    x: [B, H, W, 3].
    reads: input channels of the network: 1, 3 or 4.
    writes: its output channels: 1, 3 or 4.

  Returns:
    [B, h, w, 3].

  Raises:
    ValueError: another number of channels.
  """
  if reads not in (1, 3, 4) or writes not in (1, 3, 4):
    raise ValueError(
      f'{reads} channels in, {writes} out: each must be 1, 3 or 4'
    )
  if reads == writes == 1:
    batch, height, width, colours = x.shape
    x = x.transpose(0, 3, 1, 2).reshape(batch * colours, height, width, 1)
    y = network(x)
    y = y.reshape(batch, colours, *y.shape[1:3])
    return y.transpose(0, 2, 3, 1)
  if reads == 1:
    x = (x @ jnp.asarray(_LUMA, x.dtype))[..., None]
  elif reads == 4:
    x = jnp.concatenate([x, jnp.ones_like(x[..., :1])], -1)
  y = network(x)
  return y.repeat(3, -1) if writes == 1 else y[..., :3]
