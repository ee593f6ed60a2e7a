"""How much noise a network is to remove, for those that are told."""

import flax.linen as nn
import jax
import jax.numpy as jnp

USUAL = 15 / 255  # standard deviation, of pictures in [0, 1]


def level(module: nn.Module) -> jax.Array:
  """f32[]: the standard deviation that `module` is told, in [0, 1].

  It lies beside the weights as `batch_stats/noise`, for nothing learns it, and
  another one needs no new compilation.
  """
  start = lambda: jnp.full((), USUAL, jnp.float32)
  return module.variable('batch_stats', 'noise', start).value


def append_map(x: jax.Array, level: jax.Array) -> jax.Array:
  """[B, H, W, C] -> [B, H, W, C + 1], the last channel full of `level`."""
  noise = jnp.broadcast_to(level.astype(x.dtype).reshape(1, 1, 1, 1), x.shape)
  return jnp.concatenate([x, noise[..., :1]], -1)
