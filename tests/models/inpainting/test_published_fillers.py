"""LaMa and MI-GAN as fillers: tiles, known pixels, deep holes, gradients."""

import functools

import jax
import jax.numpy as jnp
import numpy as np
import published_networks
import pytest

from artjax import registry
from artjax.inference import network
from artjax.inference import tiling
from artjax.interop import safetensors_io
from artjax.models.inpainting import lama

# {network: small fields}.
NETWORKS = {
  'lama.LaMa': {'features': 4, 'near': 8, 'blocks': 2},
  'migan.MIGAN': {'features': (4, 4, 6, 6, 8)},  # 64 px
}


@functools.cache
def weights(name):
  return published_networks.weights(name, NETWORKS[name])


def example(height, width):
  """(smooth picture with values of 8 bits, bool holes)."""
  y, x = np.mgrid[:height, :width]
  rng = np.random.default_rng(0)
  picture = np.stack(
    [np.sin(x / 9), np.cos(y / 7), np.sin((x + y) / 11)], -1
  ) / 3 + rng.normal(0.5, 0.05, (height, width, 3))
  hole = np.zeros((height, width), bool)
  hole[height // 3 : height // 3 + 12] = True  # through all tiles
  hole[:, width // 2 : width // 2 + 5] = True
  return np.rint(255 * picture.clip(0, 1)).astype(np.uint8), hole


@pytest.mark.parametrize('name', NETWORKS)
def test_known_pixels_stay_and_holes_are_filled(name):
  restorer = network.Restorer(*weights(name))
  picture, hole = example(50, 77)
  picture[hole] = 0
  found = restorer(picture, hole)
  np.testing.assert_array_equal(found[~hole], picture[~hole])
  assert found[hole].std() > 1
  # What was in the holes has no influence.
  other = picture.copy()
  other[hole] = 255
  np.testing.assert_array_equal(restorer(other, hole), found)


def test_lama_in_tiles_is_about_what_it_is_whole():
  """Spectra are of a tile; with random weights that changes little."""
  restorer = network.Restorer(*weights('lama.LaMa'))
  picture, hole = example(70, 300)
  unit = np.float32(picture) / 255
  whole = restorer(unit, hole, tile=384)
  tiled = restorer(unit, hole, tile=128)
  assert restorer.tiles(70, 300, 128) == 3
  assert restorer.tiles(70, 300) == restorer.tiles(70, 300, 384) == 1
  error = np.abs(whole - tiled)[hole]
  assert 0 < error.max() < 0.01 / 255
  assert whole[hole].std() > 0.05


def test_migan_takes_tiles_of_one_size():
  restorer = network.Restorer(*weights('migan.MIGAN'))
  assert restorer.grid(500, 90).tile() == (64, 64)
  assert restorer.grid(500, 90, tile=640).tile() == (64, 64)
  assert tiling.halve(restorer.grid(500, 90)) is None
  net = registry.model(weights('migan.MIGAN')[0])
  with pytest.raises(ValueError, match=r'takes \[B, 64, 64, 4\].*96'):
    net.apply({}, np.zeros([1, 96, 64, 4], np.float32))


@pytest.mark.parametrize('name', NETWORKS)
def test_every_parameter_has_a_gradient(name):
  fields = {'migan.MIGAN': {'features': (4, 6, 8)}}.get(name, NETWORKS[name])
  config, params = published_networks.weights(name, fields)
  net = registry.model(config)
  side = getattr(net, 'tile', 32)
  variables = safetensors_io.variables(params)
  x = np.random.default_rng(1).random([2, side, side, 4], np.float32)

  def loss(params):
    y = net.apply({**variables, 'params': params}, x)
    return (y**2).mean()

  grads = jax.jit(jax.grad(loss))(variables['params'])
  for path, grad in jax.tree.leaves_with_path(grads):
    assert np.abs(grad).max() > 0, jax.tree_util.keystr(path)


def test_training_of_lama_renews_the_statistics_of_all_norms():
  config, params = weights('lama.LaMa')
  config = config.copy_and_resolve_references()
  config.model.args = {**NETWORKS['lama.LaMa'], 'axis_name': None}
  net = registry.model(config)
  variables = safetensors_io.variables(params)
  x = np.random.default_rng(1).random([2, 32, 32, 4], np.float32)
  _, new = jax.jit(
    functools.partial(net.apply, train=True, mutable=['batch_stats'])
  )(variables, x)
  old = variables['batch_stats']
  assert jax.tree.structure(new['batch_stats']) == jax.tree.structure(old)
  for a, b in zip(
    jax.tree.leaves(new['batch_stats']), jax.tree.leaves(old), strict=True
  ):
    assert np.abs(np.float32(a) - b).max() > 0


def test_a_transposed_convolution_is_that_of_torch():
  """By its definition: each pixel adds the kernel, two pixels apart."""
  rng = np.random.default_rng(0)
  x = rng.normal(size=(1, 3, 4, 2)).astype(np.float32)
  kernel = rng.normal(size=(3, 3, 2, 5)).astype(np.float32)
  wide = np.zeros((8, 10, 5), np.float32)
  for i, j in np.ndindex(3, 4):
    wide[2 * i : 2 * i + 3, 2 * j : 2 * j + 3] += x[0, i, j] @ kernel
  y = lama.Up(5).apply({'params': {'kernel': kernel, 'bias': jnp.zeros(5)}}, x)
  np.testing.assert_allclose(y[0], wide[1:7, 1:9], atol=1e-5)
