"""Self-attention between channels, whose cost grows with the pixels alone.

https://arxiv.org/abs/2106.09681. The channels of a head see each other. How
much, the whole picture decides, so that a result depends on its tiles.
"""

import flax.linen as nn
import jax
import jax.numpy as jnp

_LEAST = 1e-12  # length of a channel by which it is divided


def attend(
  q: jax.Array, k: jax.Array, v: jax.Array, temperature: jax.Array
) -> jax.Array:
  """What each channel makes of those of its head.

  Args:
    q: [B, H, W, C], C = channels of all heads.
    k: [B, H, W, C].
    v: [B, H, W, C].
    temperature: f32[heads], a factor of the cosines between channels.

  Returns:
    [B, H, W, C].
  """
  batch, height, width, channels = v.shape
  q, k, v = (
    x.reshape(batch, height * width, len(temperature), -1) for x in (q, k, v)
  )
  # The cosines by a product in the type of the computation, and f32 sums.
  score = jnp.einsum(
    'bphc,bphd->bhcd', q, k, preferred_element_type=jnp.float32
  )
  score = score / (_length(q)[..., None] * _length(k)[:, :, None])
  share = nn.softmax(score * temperature.reshape(1, -1, 1, 1))
  y = jnp.einsum('bhcd,bphd->bphc', share.astype(v.dtype), v)
  return y.reshape(batch, height, width, channels)


def _length(x):
  """[B, pixels, heads, C] -> f32[B, heads, C] over the pixels."""
  squares = jnp.square(x.astype(jnp.float32)).sum(1)
  return jnp.sqrt(jnp.maximum(squares, _LEAST**2))


class Attention(nn.Module):
  """The temperatures, one for each head."""

  heads: int

  @nn.compact
  def __call__(self, q: jax.Array, k: jax.Array, v: jax.Array) -> jax.Array:
    """See `attend`."""
    temperature = self.param('temperature', nn.initializers.ones, (self.heads,))
    return attend(q, k, v, temperature)
