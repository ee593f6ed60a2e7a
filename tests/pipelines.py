"""Configurations of the input pipeline, and what it yields."""

import ml_collections
import numpy as np

from artjax.data import pipeline

OPS = (
  'random_crop(24)|flip|rotate90|copy("image", "target")|keep("image", '
  '"target", "mask")'
)


def config_of(folder, **changes):
  config = ml_collections.ConfigDict(
    {
      'seed': 3,
      'batch_size': 8,
      'data': {
        'source': f'folder:{folder}',
        'ops': OPS,
        'validation': 0.2,
        'min_size': 32,
        'loader': 'threads',
        'workers': 2,
        'cache_mb': 16,
        'prefetch': 2,
      },
      'eval': {
        'source': '',
        'split': '',
        'ops': 'copy("image", "target")',
        'max_pictures': 0,
        'min_size': 32,
      },
    }
  )
  config.update_from_flattened_dict(changes)
  return config


def take(config, count, **arguments):
  """The first batches, flattened over devices."""
  arguments.setdefault('num_devices', 1)
  iterator = pipeline.batches(config, **arguments)
  taken = [next(iterator) for _ in range(count)]
  iterator.close()
  return [
    {
      key: value.reshape((-1,) + value.shape[2:])
      for key, value in batch.items()
    }
    for batch in taken
  ]


def assert_equal(one, other):
  assert len(one) == len(other) > 0
  for a, b in zip(one, other):
    assert list(a) == list(b)
    for key in a:
      assert a[key].dtype == b[key].dtype
      np.testing.assert_array_equal(a[key], b[key])
