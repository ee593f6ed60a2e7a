"""DISTS: how unlike two pictures look, where textures need not be aligned.

Means and covariances of the features of VGG16 are compared, not the features
of each place. The weights of the features are those of the authors' release
(parameters/LICENSES.md).

K. Ding, K. Ma, S. Wang, E. Simoncelli 2020, https://arxiv.org/abs/2004.07728
"""

from collections.abc import Mapping
import functools
import pathlib
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from artjax.models import encoders

_LAYERS = ('relu1_2', 'relu2_2', 'relu3_3', 'relu4_3', 'relu5_3')
_EPSILON = 1e-6  # of both comparisons


def of_pair(pred: np.ndarray, target: np.ndarray) -> float:
  """DISTS of two pictures u8[H, W, 3]: 0 for equal ones, at most about 1.

  The pictures are seen at their size. Computed in float32, compiled once for
  each shape.

  Raises:
    ValueError: they are less than 16 px a side.
    FileNotFoundError: the weights of VGG16 are missing.
  """
  found = float(_distance(_vgg(), _weights(), pred[None], target[None]))
  return max(found, 0.0)  # rounding gives -1e-7 of equal ones


@jax.jit
def _distance(params, weights, pred, target):
  alike = 0.0
  for name, x, y in zip(
    ('picture', *_LAYERS), _features(params, pred), _features(params, target)
  ):
    mean_x, mean_y = x.mean((0, 1)), y.mean((0, 1))
    texture = (2 * mean_x * mean_y + _EPSILON) / (
      mean_x**2 + mean_y**2 + _EPSILON
    )
    covariance = (x * y).mean((0, 1)) - mean_x * mean_y
    variances = x.var((0, 1)) + y.var((0, 1))
    structure = (2 * covariance + _EPSILON) / (variances + _EPSILON)
    alike += jnp.sum(weights['texture'][name] * texture)
    alike += jnp.sum(weights['structure'][name] * structure)
  return 1 - alike


def _features(params: Mapping[str, Any], picture: jax.Array):
  """f32[h, w, C]: the picture in [0, 1], and what each layer sees of it."""
  picture = picture.astype('float32') / 255
  found = encoders.features(
    params, picture, _LAYERS, precision='highest', pool=_root_of_squares
  )
  return picture[0], *(found[name][0] for name in _LAYERS)


def _root_of_squares(x):
  """Pooling by 2 that does not alias: squares are averaged by [1, 2, 1]."""
  _, height, width, _ = x.shape
  squares = jnp.pad(x**2, ((0, 0), (1, 1), (1, 1), (0, 0)))
  rows = [squares[:, i : i + height : 2] for i in range(3)]
  squares = (rows[0] + 2 * rows[1] + rows[2]) / 4
  columns = [squares[:, :, i : i + width : 2] for i in range(3)]
  return jnp.sqrt((columns[0] + 2 * columns[1] + columns[2]) / 4 + 1e-12)


@functools.cache
def _vgg():
  return jax.device_put(encoders.load('vgg16'))


@functools.cache
def _weights():
  """{'texture' and 'structure': {layer: f32[C]}}, which sum to 1."""
  path = pathlib.Path(__file__).parent / 'parameters' / 'dists.npz'
  with np.load(path) as stored:
    parts = {kind: stored[kind] for kind in ('texture', 'structure')}
  total = sum(part.sum(dtype=np.float64) for part in parts.values())
  ends = np.cumsum([3, 64, 128, 256, 512])
  return {
    kind: dict(
      zip(('picture', *_LAYERS), np.split(np.float32(part / total), ends))
    )
    for kind, part in parts.items()
  }
