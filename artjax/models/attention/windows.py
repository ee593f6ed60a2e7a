"""Self-attention within windows.

https://arxiv.org/abs/2103.14030. The queries of a window see the keys of the
same window, or of a larger one around it. A shifted attention moves the windows
by half their sides, cyclically; pixels from opposite edges of the picture do
not see each other. The sides of a window are its height and width, px.
"""

import functools

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np

from artjax.models import layers

Sides = tuple[int, int]
_NOT_SEEN = -1e30  # added to the score of pixels that do not see each other


def split(x: jax.Array, sides: Sides) -> jax.Array:
  """[B, H, W, C], multiples of `sides` -> [B, windows, pixels, C]."""
  batch, height, width, channels = x.shape
  rows, columns = height // sides[0], width // sides[1]
  x = x.reshape(batch, rows, sides[0], columns, sides[1], channels)
  x = x.transpose(0, 1, 3, 2, 4, 5)
  return x.reshape(batch, rows * columns, sides[0] * sides[1], channels)


def join(x: jax.Array, sides: Sides, height: int, width: int) -> jax.Array:
  """Undoes `split`: [B, windows, pixels, C] -> [B, height, width, C]."""
  batch, _, _, channels = x.shape
  rows, columns = height // sides[0], width // sides[1]
  x = x.reshape(batch, rows, columns, *sides, channels)
  return x.transpose(0, 1, 3, 2, 4, 5).reshape(batch, height, width, channels)


def attend(
  q: jax.Array,
  k: jax.Array,
  v: jax.Array,
  bias: jax.Array,
  apart: jax.Array | None = None,
) -> jax.Array:
  """What each pixel of a window makes of those that it sees.

  Args:
    q: [B, windows, P, C], C = channels of all heads.
    k: [B, windows, S, C].
    v: [B, windows, S, C].
    bias: f32[heads, P, S], added to the scores.
    apart: bool[windows, P, S], pixels that do not see each other.

  Returns:
    [B, windows, P, C].
  """
  heads = bias.shape[0]
  q, k, v = (x.reshape(*x.shape[:3], heads, -1) for x in (q, k, v))
  score = jnp.einsum('bwphc,bwqhc->bwhpq', q, k) * q.shape[-1] ** -0.5
  score = score.astype(jnp.float32) + bias[None, None]
  if apart is not None:
    score = jnp.where(apart[None, :, None], _NOT_SEEN, score)
  share = nn.softmax(score).astype(v.dtype)
  y = jnp.einsum('bwhpq,bwqhc->bwphc', share, v)
  return y.reshape(*y.shape[:3], -1)


@functools.lru_cache
def offsets(sides: Sides) -> tuple[np.ndarray, np.ndarray]:
  """Rows and columns from each pixel of a window to each: i64[P, P] each.

  P = height * width; counted from the largest negative one, side - 1.
  """
  at = np.stack([*np.indices(sides)], -1).reshape(-1, 2)
  between = at[:, None] - at[None] + np.asarray(sides) - 1
  return between[..., 0], between[..., 1]


def opposite(rows: int, columns: int, sides: Sides) -> jax.Array:
  """bool[windows, P, P]: pixel pairs from opposite edges of the picture.

  Computed where it is used: as a constant it would be larger than the picture.

  Args:
    rows: of windows.
    columns: of windows.
    sides: of the windows, which are shifted by half of them.
  """
  pixels = sides[0] * sides[1]
  at = np.stack([*np.indices(sides)], -1).reshape(pixels, 2)
  before = at < np.asarray(sides) - np.asarray(sides) // 2
  down, across = (before[:, None] != before[None]).transpose(2, 0, 1)
  last = lambda count: np.arange(count) == count - 1
  found = jnp.logical_or(
    jnp.logical_and(last(rows)[:, None, None, None], down[None, None]),
    jnp.logical_and(last(columns)[None, :, None, None], across[None, None]),
  )
  return found.reshape(rows * columns, pixels, pixels)


class Attention(nn.Module):
  """Attention within windows, with a learnt bias for each offset."""

  heads: int
  side: int  # of a window, px
  shifted: bool
  dtype: jnp.dtype = jnp.float32

  @nn.compact
  def __call__(self, x: jax.Array) -> jax.Array:
    """[B, H, W, C], sides multiples of `side` -> the same shape."""
    height, width, channels = x.shape[1:]
    dense = functools.partial(layers.Dense, dtype=self.dtype)
    sides = (self.side, self.side)
    half, apart = self.side // 2, None
    if self.shifted:
      x = jnp.roll(x, (-half, -half), (1, 2))
      apart = opposite(height // self.side, width // self.side, sides)
    y = dense(3 * channels, name='qkv')(split(x, sides))
    q, k, v = jnp.split(y, 3, -1)
    reach = 2 * self.side - 1
    table = self.param(
      'position', nn.initializers.normal(0.02), (reach**2, self.heads)
    )
    down, across = offsets(sides)
    bias = table[down * reach + across].transpose(2, 0, 1)
    y = dense(channels, name='proj')(attend(q, k, v, bias, apart))
    y = join(y, sides, height, width)
    return jnp.roll(y, (half, half), (1, 2)) if self.shifted else y


class MLP(nn.Module):
  """Two dense layers with a GELU between them."""

  hidden: int
  dtype: jnp.dtype = jnp.float32

  @nn.compact
  def __call__(self, x: jax.Array) -> jax.Array:
    """[..., C] -> the same shape."""
    dense = functools.partial(layers.Dense, dtype=self.dtype)
    y = nn.gelu(dense(self.hidden, name='fc1')(x), approximate=False)
    return dense(x.shape[-1], name='fc2')(y)
