"""Input checks and reductions that all losses share."""

import jax
import jax.numpy as jnp


def checked(pred: jax.Array, target: jax.Array) -> tuple[jax.Array, jax.Array]:
  """A pair of batches in float32.

  Raises:
    ValueError: they differ in shape, are not [B, H, W, C], or not float.
  """
  if pred.shape != target.shape:
    raise ValueError(
      f'pred and target differ in shape: {pred.shape} and {target.shape}'
    )
  if pred.ndim != 4:
    raise ValueError(f'losses want [B, H, W, C], got shape {pred.shape}')
  for name, image in (('pred', pred), ('target', target)):
    if not jnp.issubdtype(image.dtype, jnp.floating):
      raise ValueError(
        f'losses want floats in [0, 1], but {name} is {image.dtype}'
      )
  return pred.astype(jnp.float32), target.astype(jnp.float32)


def mean(x: jax.Array) -> jax.Array:
  """Mean over all but the batch axis, [B, ...] -> [B]."""
  return x.mean(axis=tuple(range(1, x.ndim)))


def magnitude(x: jax.Array) -> jax.Array:
  """|x| with gradient 0 at 0, where that of jnp.abs is 1, a push upwards."""
  return x * jnp.sign(x)
