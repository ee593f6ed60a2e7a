"""VGG16, VGG19 and AlexNet: their layers and features.

They are not taken from the package of their weights, because perceptual losses
need features *before* the activation, and because that package relies on
implicit rank promotion; tests check that both give equal features. Without
their classifiers VGG16 has 14,714,688 parameters, VGG19 20,024,384 and AlexNet
2,469,696.

VGG: https://arxiv.org/abs/1409.1556   AlexNet: https://arxiv.org/abs/1404.5997
"""

from collections.abc import Callable, Collection, Mapping
import difflib
from typing import Any

import jax
from jax import lax
import jax.numpy as jnp
import numpy as np

# ImageNet statistics for RGB in [0, 1]; LPIPS' own shift and scale for inputs
# in [-1, 1] are the same normalization.
_MEAN = (0.485, 0.456, 0.406)
_STD = (0.229, 0.224, 0.225)


# (name, stride, padding) of each convolution, None for a max pooling.
def _vgg(depths):
  return tuple(
    layer
    for block, depth in enumerate(depths, start=1)
    for layer in (() if block == 1 else (None,))
    + tuple((f'{block}_{i}', 1, 1) for i in range(1, depth + 1))
  )


LAYERS = {
  'vgg16': _vgg((2, 2, 3, 3, 3)),
  'vgg19': _vgg((2, 2, 4, 4, 4)),
  'alexnet': (
    ('1', 4, 2),
    None,
    ('2', 1, 2),
    None,
    ('3', 1, 1),
    ('4', 1, 1),
    ('5', 1, 1),
  ),
}
_POOL = {
  'vgg16': 2,
  'vgg19': 2,
  'alexnet': 3,
}  # window; the stride is 2 in both
# The smallest side, px, for which every layer still has a pixel.
_MIN_SIDE = {'vgg16': 16, 'vgg19': 16, 'alexnet': 31}


def family(net: str) -> str:
  """'vgg19:FILE' -> 'vgg19'."""
  name, _, path = net.partition(':')
  if name not in LAYERS or (name == 'vgg19') != bool(path):
    raise ValueError(
      f'unknown frozen network {net!r}: use one of alexnet, vgg16, vgg19:FILE'
    )
  return name


def layer_names(net: str) -> tuple[str, ...]:
  """Names of all features of a network, in order."""
  names = [layer[0] for layer in LAYERS[family(net)] if layer]
  return tuple(f'{kind}{n}' for n in names for kind in ('conv', 'relu'))


def features(
  params: Mapping[str, Any],
  x: jax.Array,
  names: Collection[str],
  *,
  net: str = 'vgg16',
  dtype: jax.typing.DTypeLike = 'float32',
  precision: Any = None,
  pool: Callable[[jax.Array], jax.Array] | None = None,
) -> dict[str, jax.Array]:
  """Features of a frozen network; layers past the last named are not run.

  Args:
    params: the tree of `load(net)`.
    x: f32[B, H, W, 3], RGB in [0, 1].
    names: layers wanted, see `layer_names`.
    net: 'vgg16' or 'alexnet'.
    dtype: of the convolutions; bfloat16 halves their memory.
    precision: of the convolutions, as in `jax.lax.conv_general_dilated`.
    pool: shrinks [B, h, w, C] by 2, in place of max pooling.

  Returns:
    {name: dtype[B, h, w, channels]} for the names given.

  Raises:
    ValueError: unknown network or layer, not RGB, or a picture too small.
  """
  known = layer_names(net)
  for name in names:
    if name not in known:
      close = difflib.get_close_matches(name, known, n=3) or known
      raise ValueError(
        f'{net} has no layer {name!r}; did you mean {", ".join(close)}?'
      )
  if x.ndim != 4 or x.shape[-1] != 3:
    raise ValueError(f'{net} takes RGB [B, H, W, 3], got shape {x.shape}')
  network = family(net)
  if min(x.shape[1:3]) < _MIN_SIDE[network]:
    raise ValueError(
      f'{net} takes pictures of at least {_MIN_SIDE[network]} px a side, '
      f'got {x.shape[1]}x{x.shape[2]}'
    )

  x = (x - jnp.asarray(_MEAN).reshape(1, 1, 1, 3)) / jnp.asarray(_STD).reshape(
    1, 1, 1, 3
  )
  x = x.astype(dtype)
  wanted = set(names)
  found: dict[str, jax.Array] = {}
  for layer in LAYERS[network]:
    if len(found) == len(wanted):
      break
    if layer is None:
      x = pool(x) if pool else _max_pool(x, _POOL[network])
      continue
    name, stride, padding = layer
    weights = params[f'conv{name}']
    x = lax.conv_general_dilated(
      x,
      weights['kernel'].astype(dtype),
      (stride, stride),
      ((padding, padding),) * 2,
      dimension_numbers=('NHWC', 'HWIO', 'NHWC'),
      precision=precision,
    )
    x = x + weights['bias'].astype(dtype).reshape(1, 1, 1, -1)
    if f'conv{name}' in wanted:
      found[f'conv{name}'] = x
    x = jax.nn.relu(x)
    if f'relu{name}' in wanted:
      found[f'relu{name}'] = x
  return {name: found[name] for name in names}


def _max_pool(x, window):
  """Max pooling with stride 2 and no padding."""
  low = np.array(-np.inf, x.dtype)  # a constant: XLA then knows its gradient
  return lax.reduce_window(
    x, low, lax.max, (1, window, window, 1), (1, 2, 2, 1), 'VALID'
  )
