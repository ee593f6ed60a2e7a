"""Published networks in tiles, with the halo that they declare."""

import functools

import numpy as np
import published_networks
import pytest

from artjax.inference import network

pytestmark = pytest.mark.usefixtures('fast_compiler')
# {network: (fields in small, the largest difference in tiles)}: 1/255 where the
# halo is what the network sees, more where it sees further.
NETWORKS = {
  'span.SPAN': ({'features': 4, 'scale': 2, 'norm': False}, 0),
  'spanf.SPANF': ({'features': 4, 'tail': 4, 'scale': 2}, 0),
  'spanf.SPANV2': ({'features': 4, 'scale': 2}, 0),
  'dncnn.DnCNN': ({'features': 4, 'convs': 5}, 0),
  'ffdnet.FFDNet': ({'features': 6, 'convs': 4}, 0),
  'drunet.DRUNet': ({'features': (4, 4, 6, 6), 'blocks': 1}, 1 / 255),
  'fbcnn.FBCNN': ({'features': (4, 4, 6, 6), 'blocks': 1}, 1 / 255),
}


@functools.cache
def restorer(name):
  return network.Restorer(*published_networks.weights(name, NETWORKS[name][0]))


@pytest.mark.parametrize('name', NETWORKS)
def test_in_tiles_it_is_the_same(name):
  found = restorer(name)
  picture = np.random.default_rng(1).random([70, 90, 3], np.float32)
  # Both grids are of cores that are their multiples; the larger is one tile.
  whole = found(picture, tile=128, jpeg_quality=quality(found))
  tiled = found(picture, tile=32, jpeg_quality=quality(found))
  assert whole.shape == (70 * found.scale, 90 * found.scale, 3)
  assert whole.std() > 0.01
  tolerance = NETWORKS[name][1] or 1e-5
  assert np.abs(whole - tiled).max() <= tolerance
  assert found.tiles(70, 90, 32) > found.tiles(70, 90, 128) == 1


def quality(found):
  return 50.0 if 'quality' in found.knobs else None
