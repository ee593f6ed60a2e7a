"""DySample: upsampling that learns where to sample.

https://arxiv.org/abs/2308.15085.
"""

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np

from artjax.models import layers


class DySample(nn.Module):
  """[B, H, W, C] -> [B, H * scale, W * scale, D].

  Each group of channels has its own offsets. D is `outputs`, or C if that is 0:
  then no convolution follows.
  """

  scale: int
  groups: int = 4
  outputs: int = 3
  dtype: jnp.dtype = jnp.float32

  @nn.compact
  def __call__(self, x: jax.Array) -> jax.Array:
    """The sampled features; positions are computed in float32."""
    places = 2 * self.groups * self.scale**2
    offset = nn.Dense(
      places,
      dtype=self.dtype,
      kernel_init=nn.initializers.truncated_normal(0.02),
      name='offset',
    )(x)
    scope = nn.Dense(
      places,
      use_bias=False,
      dtype=self.dtype,
      kernel_init=nn.initializers.zeros,
      name='scope',
    )(x)
    moved = (offset * nn.sigmoid(scope) / 2).astype(jnp.float32)
    at = moved + positions(self.scale, self.groups)
    y = sample(x, self._spread(at))
    if not self.outputs:
      return y
    return layers.Dense(self.outputs, dtype=self.dtype, name='end_conv')(y)

  def _spread(self, at):
    """Offsets from pixels -> row and column of each sample, px.

    [B, H, W, 2 G s s] -> two of [B, H * s, W * s, G]; s = scale, G = groups.
    """
    at = layers.pixel_shuffle(at, self.scale)
    height, width = at.shape[1:3]
    columns = np.arange(width) // self.scale
    rows = np.arange(height) // self.scale
    # The first half has the columns.
    return (
      at[..., self.groups :] + np.float32(rows).reshape(1, -1, 1, 1),
      at[..., : self.groups] + np.float32(columns).reshape(1, 1, -1, 1),
    )


def positions(scale: int, groups: int) -> np.ndarray:
  """Offsets of the samples of a regular grid, px.

  Returns:
    f32[1, 1, 1, 2 * groups * scale * scale]: columns, then rows, each of all
    groups, in the order of a pixel shuffle.
  """
  at = ((np.arange(scale) + 0.5) / scale - 0.5).astype(np.float32)
  rows, columns = np.meshgrid(at, at, indexing='ij')
  both = np.stack([columns, rows])[:, None].repeat(groups, 1)
  return both.reshape(1, 1, 1, -1)


def sample(x: jax.Array, at: tuple[jax.Array, jax.Array]) -> jax.Array:
  """Bilinear samples; beyond the edges the edge is repeated.

  Args:
    x: [B, H, W, C].
    at: rows and columns, f32[B, h, w, G] each; 0 is the centre of the first
      pixel. Each of G equal groups of channels has its own.

  Returns:
    [B, h, w, C].
  """
  batch, height, width, channels = x.shape
  shape, groups = at[0].shape[1:3], at[0].shape[-1]
  flat = x.reshape(batch, height * width, groups, channels // groups)

  def around(position, size):
    """(pixel, next pixel, share of the next one)."""
    position = jnp.clip(position, 0, size - 1)
    first = jnp.floor(position)
    index = first.astype(jnp.int32)
    return index, jnp.minimum(index + 1, size - 1), position - first

  top, bottom, down = around(at[0], height)
  left, right, across = around(at[1], width)

  def take(row, column, share):
    index = (row * width + column).reshape(batch, -1, groups, 1)
    share = share.reshape(batch, -1, groups, 1).astype(x.dtype)
    return jnp.take_along_axis(flat, index, 1) * share

  y = take(top, left, (1 - down) * (1 - across))
  y += take(top, right, (1 - down) * across)
  y += take(bottom, left, down * (1 - across))
  y += take(bottom, right, down * across)
  return y.reshape(batch, *shape, channels)
