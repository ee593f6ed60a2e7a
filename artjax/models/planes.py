"""Networks of 1 or 4 channels on pictures of 3."""

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
  """What a network makes of pictures, whatever its channels are.

  A network of grey pictures sees red, green and blue one after the other, as
  pictures of their own; one that makes colours of grey sees their luma. A
  fourth channel is transparency: none is there, and what comes of it is left
  out.

  Args:
    network: [b, H, W, reads] -> [b, h, w, writes].
    x: [B, H, W, 3].
    reads: 1, 3 or 4.
    writes: the same.

  Returns:
    [B, h, w, 3].

  Raises:
    ValueError: other channels.
  """
  if reads not in (1, 3, 4) or writes not in (1, 3, 4):
    raise ValueError(f'{reads} channels to {writes}: each is 1, 3 or 4')
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
