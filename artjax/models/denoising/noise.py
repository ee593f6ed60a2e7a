"""The noise level of networks that are conditioned on it."""

import flax.linen as nn
import jax
import jax.numpy as jnp

USUAL = 15 / 255  # standard deviation, of pictures in [0, 1]


def level(module: nn.Module) -> jax.Array:
  """f32[]: the standard deviation of the noise to remove, of [0, 1].

  It is the variable `batch_stats/noise` of `module`: it is not trained, and a
  new value needs no compilation.
  """
  start = lambda: jnp.full((), USUAL, jnp.float32)
  return module.variable('batch_stats', 'noise', start).value


def append_map(x: jax.Array, level: jax.Array) -> jax.Array:
  """[B, H, W, C] -> [B, H, W, C + 1], the last channel is `level`."""
  noise = jnp.broadcast_to(level.astype(x.dtype).reshape(1, 1, 1, 1), x.shape)
  return jnp.concatenate([x, noise[..., :1]], -1)
