"""Published networks in tiles, with the halo that they declare; gradients."""

import functools

import jax
import numpy as np
import published_networks
import pytest

from artjax import registry
from artjax.inference import network
from artjax.interop import safetensors_io

# {network: (small fields, largest difference in tiles)}: 0 if the halo covers
# the receptive field, 1/255 where it is smaller, and more where attention is
# between the channels of a whole tile, here a small one of noise.
NETWORKS = {
  'span.SPAN': ({'features': 4, 'scale': 2, 'norm': False}, 0),
  'spanf.SPANF': ({'features': 4, 'tail': 4, 'scale': 2}, 0),
  'spanf.SPANV2': ({'features': 4, 'scale': 2}, 0),
  'plksr.RealPLKSR': (
    {
      'features': 8,
      'blocks': 2,
      'part': 4,
      'kernel': 5,
      'scale': 2,
      'dysample': True,
    },
    0,
  ),
  'swinir.SwinIR': (
    {
      'features': 8,
      'heads': 2,
      'hidden': 12,
      'groups': 2,
      'blocks': 2,
      'scale': 2,
    },
    1 / 255,
  ),
  'hat.HAT': (
    {
      'features': 8,
      'heads': 2,
      'hidden': 12,
      'compress': 4,
      'squeeze': 2,
      'groups': 1,
      'blocks': 1,
      'window': 8,
      'reach': 12,
      'scale': 2,
    },
    1 / 255,
  ),
  'dat.DAT': (
    {
      'features': 192,
      'heads': 2,
      'hidden': 32,
      'window': (4, 8),
      'axis_name': None,
      'groups': 1,
      'blocks': 3,
      'scale': 2,
    },
    1 / 255,
  ),
  'restormer.Restormer': (
    {'features': 8, 'heads': (1, 2), 'blocks': (1, 1), 'refinement': 1},
    0.05,
  ),
  'dncnn.DnCNN': ({'features': 4, 'convs': 5}, 0),
  'ffdnet.FFDNet': ({'features': 6, 'convs': 4}, 0),
  'drunet.DRUNet': ({'features': (4, 4, 6, 6), 'blocks': 1}, 1 / 255),
  # Few levels: U-Nets are alike, and each level takes seconds to compile.
  'scunet.SCUNet': ({'blocks': (2, 0, 1)}, 1 / 255),
  'fbcnn.FBCNN': ({'features': (4, 6), 'blocks': 1}, 1 / 255),
}


@functools.cache
def restorer(name):
  return network.Restorer(*published_networks.weights(name, NETWORKS[name][0]))


@pytest.mark.parametrize('name', NETWORKS)
def test_in_tiles_it_is_the_same(name):
  found = restorer(name)
  # Windows of 64 px take a larger picture to be in several tiles.
  width, large, small = (
    (150, 256, 128) if name == 'scunet.SCUNet' else (90, 128, 32)
  )
  picture = np.random.default_rng(1).random([70, width, 3], np.float32)
  whole = found(picture, tile=large, jpeg_quality=quality(found))
  tiled = found(picture, tile=small, jpeg_quality=quality(found))
  assert whole.shape == (70 * found.scale, width * found.scale, 3)
  assert whole.std() > 0.01
  tolerance = NETWORKS[name][1] or 1e-5
  assert np.abs(whole - tiled).max() <= tolerance
  assert found.tiles(70, width, small) > found.tiles(70, width, large) == 1


def test_tiles_are_small_where_attention_takes_memory():
  side = lambda name, **how: restorer(name).grid(896, 896, **how).core[0]
  assert side('swinir.SwinIR') == 896
  assert side('hat.HAT') == side('dat.DAT') == 256
  assert side('hat.HAT', tile=512) == 512


def quality(found):
  return 50.0 if 'quality' in found.knobs else None


@pytest.mark.parametrize('name', NETWORKS)
def test_every_parameter_has_a_gradient(name):
  config, params = published_networks.weights(name, NETWORKS[name][0])
  net = registry.model(config)
  variables = safetensors_io.variables(params)
  x = np.random.default_rng(1).random([2, 16, 16, 3], np.float32)

  def loss(params):
    y, _ = net.apply(
      {**variables, 'params': params}, x, train=True, mutable=['batch_stats']
    )
    return (y**2).mean()

  grads = jax.jit(jax.grad(loss))(variables['params'])
  for path, grad in jax.tree.leaves_with_path(grads):
    assert np.abs(grad).max() > 0, jax.tree_util.keystr(path)
