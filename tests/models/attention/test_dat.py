"""DAT: pairs of groups in a loop, statistics of batch norms, its windows."""

import jax
import numpy as np
import published_networks

from artjax import registry
from artjax.interop import published
from artjax.interop import safetensors_io
from artjax.models.attention import windows

FIELDS = {
  'features': 32,
  'heads': 2,
  'hidden': 8,
  'window': (2, 4),
  'axis_name': None,
  'groups': 4,
  'blocks': 1,
  'scale': 1,
  'upsampler': 'pixelshuffledirect',
}


def test_pairs_of_groups_in_a_loop_or_not_are_the_same_network():
  config, params = published_networks.weights('dat.DAT', FIELDS)
  variables = safetensors_io.variables(params)
  net = registry.model(config)
  x = np.random.default_rng(0).random([1, 5, 6, 3], np.float32)
  loop, unrolled, recomputed = (
    jax.jit(m.apply)(variables, x)
    for m in (net, net.clone(unroll=True), net.clone(remat=True))
  )
  np.testing.assert_allclose(loop, unrolled, atol=1e-5)
  np.testing.assert_allclose(loop, recomputed, atol=1e-5)


def test_statistics_of_the_groups_move_in_training_each_by_itself():
  config, params = published_networks.weights('dat.DAT', FIELDS)
  variables = safetensors_io.variables(params)
  x = np.random.default_rng(0).random([2, 4, 4, 3], np.float32)
  _, new = jax.jit(
    lambda v: registry.model(config).apply(
      v, x, train=True, mutable=['batch_stats']
    )
  )(variables)
  old = variables['batch_stats']
  assert jax.tree.structure(new['batch_stats']) == jax.tree.structure(old)
  for path, value in jax.tree.leaves_with_path(new['batch_stats']):
    before = old
    for key in path:
      before = before[key.key]
    change = np.abs(value - before)
    # The leading axis is that of the loop.
    change = change if path[0].key == 'body' else change[None]
    assert (change.reshape(len(change), -1).max(1) > 0).all()


def test_weights_of_each_group_are_its_own_in_published_names():
  config, params = published_networks.weights('dat.DAT', FIELDS | {'groups': 5})
  tensors = published.publish(config.model, params)
  for i, (path, block) in enumerate(
    [('body', 0), ('body', 0), ('body', 1), ('body', 1), ('last', None)]
  ):
    ours = params[path][f'conv{i % 2 if block is not None else 0}']['conv0']
    bias = ours['bias'] if block is None else ours['bias'][block]
    np.testing.assert_array_equal(tensors[f'layers.{i}.conv.bias'], bias)
  model, again = published.recognise(tensors)
  assert model['args']['groups'] == 5
  assert safetensors_io.sha256(again) == safetensors_io.sha256(
    jax.tree.map(np.asarray, params)
  )


def test_windows_lie_side_by_side_and_come_back():
  x = np.arange(4 * 8).reshape(1, 4, 8, 1)
  parts = windows.split(x, (2, 4))
  assert parts.shape == (1, 4, 8, 1)
  assert parts[0, 1, :, 0].tolist() == [4, 5, 6, 7, 12, 13, 14, 15]
  np.testing.assert_array_equal(windows.join(parts, (2, 4), 4, 8), x)


def test_pixels_of_opposite_edges_are_apart_in_the_last_windows_alone():
  apart = np.asarray(windows.opposite(2, 3, (2, 4)))
  assert apart.shape == (6, 8, 8)
  assert not apart[:2].any()
  # The last window of the first row: left of its middle, and right of it.
  across = apart[2].reshape(2, 4, 2, 4)
  assert not across[:, :2, :, :2].any() and across[:, :2, :, 2:].all()
  # The first of the last row: above and below.
  down = apart[3].reshape(2, 4, 2, 4)
  assert not down[0, :, 0].any() and down[0, :, 1].all()
