"""The same batch at step k whatever happens: restarts, workers, devices."""

import os
import subprocess
import sys
import textwrap

from absl import logging as absl_logging
import numpy as np
from pipelines import assert_equal
from pipelines import config_of
from pipelines import OPS
from pipelines import take
import pytest

from artjax import registry
from artjax.data import loaders
from artjax.data import pipeline
from artjax.data import sources


def test_batches_have_the_shapes_of_the_contract(folder, loader):
  iterator = pipeline.batches(
    config_of(folder, **{'data.loader': loader}), num_devices=4
  )
  for _ in range(3):
    batch = next(iterator)
    assert {
      key: (value.shape, value.dtype.name) for key, value in batch.items()
    } == {
      'image': ((4, 2, 24, 24, 3), 'uint8'),
      'target': ((4, 2, 24, 24, 3), 'uint8'),
      'mask': ((4, 2, 24, 24, 3), 'uint8'),
    }
    np.testing.assert_array_equal(batch['image'], batch['target'])
  iterator.close()


def test_devices_default_to_those_of_jax(folder):
  import jax

  iterator = pipeline.batches(config_of(folder))
  assert len(next(iterator)['image']) == jax.local_device_count() == 4
  iterator.close()


def test_restart_continues_with_the_same_batches(folder, loader):
  config = config_of(folder, **{'data.loader': loader})
  whole = take(config, 6)
  assert not np.array_equal(whole[0]['image'], whole[1]['image'])
  assert_equal(take(config, 3, start_step=3), whole[3:])


def test_drivers_and_worker_counts_give_the_same(folder):
  expected = take(config_of(folder, **{'data.workers': 1}), 4, start_step=5)
  for loader in 'tf', 'threads', 'processes':
    for workers, prefetch in ((0, 1), (3, 4)):
      config = config_of(
        folder,
        **{
          'data.loader': loader,
          'data.workers': workers,
          'data.prefetch': prefetch,
        },
      )
      assert_equal(take(config, 4, start_step=5), expected)


def test_devices_and_processes_divide_the_same_global_batch(folder):
  config = config_of(folder)
  expected = take(config, 3)
  assert_equal(take(config, 3, num_devices=4), expected)
  shares = [
    take(config, 3, num_devices=2, process_index=i, process_count=2)
    for i in range(2)
  ]
  joined = [
    {key: np.concatenate([a[key], b[key]]) for key in a}
    for a, b in zip(*shares)
  ]
  assert_equal(joined, expected)


def test_build_is_pure_and_depends_on_seed_and_index(folder):
  config = config_of(folder)
  build, again = pipeline.builder(config), pipeline.builder(config)
  examples = [build(i) for i in range(40)]
  assert_equal([again(i) for i in reversed(range(40))], examples[::-1])
  for path in sorted(folder.iterdir())[1:]:
    path.unlink()
  # One picture and so one order: what differs is drawn by the ops.
  for arguments in {'seed': 3}, {'seed': 4}:
    build = pipeline.builder(
      config_of(folder, **arguments, **{'data.validation': 0.0})
    )
    examples.append([build(i)['image'] for i in range(4)])
  three, four = examples[-2:]
  assert not np.array_equal(three, four)
  assert not np.array_equal(three[0], three[1])


def test_every_epoch_shows_every_training_picture_once(folder):
  train = sources.split(sources.load(f'folder:{folder}'), 'train', 0.2)
  means = {round(float(train[i]['image'].mean()), 4) for i in range(len(train))}
  build = pipeline.builder(config_of(folder, **{'data.ops': ''}))
  epochs = [
    [
      round(float(build(i)['image'].mean()), 4)
      for i in range(epoch * len(train), (epoch + 1) * len(train))
    ]
    for epoch in range(3)
  ]
  assert all(set(epoch) == means for epoch in epochs)
  assert epochs[0] != epochs[1] != epochs[2]


def test_floats_are_rounded_and_clipped_to_u8(folder, monkeypatch):
  values = np.array([-0.1, 0.0, 0.4999, 0.5001, 254.6, 300.0]) / 255

  def fn(example, rng):
    del rng
    image = np.resize(values, (2, 3, 3)).astype(np.float32)
    return {**example, 'image': image, 'extra': 1}

  monkeypatch.setattr(registry, 'chain', lambda ops: fn)
  made = pipeline.builder(config_of(folder))(0)
  assert list(made) == ['image'] and made['image'].dtype == np.uint8
  np.testing.assert_array_equal(
    made['image'].ravel()[:6], [0, 0, 0, 1, 255, 255]
  )


def test_old_painting_passes_through(folder):
  ops = (
    'random_scale_crop(32)|copy("image", "target")|'
    'old_painting((0.0, 1.0))|keep("image", "target", "mask")'
  )
  (batch,) = take(config_of(folder, **{'data.ops': ops}), 1)
  assert batch['image'].shape == batch['mask'].shape == (8, 32, 32, 3)
  assert not np.array_equal(batch['image'], batch['target'])


@pytest.mark.parametrize(
  'changes, devices, message',
  [
    ({'batch_size': 6}, 4, 'batch_size=6 does not divide by 4 devices'),
    (
      {'data.loader': 'torch'},
      1,
      "'torch' is not one of tf, threads, processes",
    ),
    ({'data.ops': 'random_crp(8)'}, 1, 'did you mean random_crop'),
    ({'data.validation': 1.0}, 1, 'train part'),
  ],
)
def test_configs_that_cannot_work_fail_at_once(
  folder, changes, devices, message
):
  with pytest.raises(ValueError, match=message):
    pipeline.batches(config_of(folder, **changes), num_devices=devices)


def test_failing_ops_name_the_picture_and_themselves(folder, loader):
  config = config_of(
    folder,
    **{'data.loader': loader, 'data.ops': 'mod_crop(41)|random_crop(24)'},
  )
  with pytest.raises(ValueError, match=r"mod_crop\(41\) failed on .*'00.png'"):
    take(config, 3, split='all')


def test_a_worker_that_dies_is_an_error(folder, monkeypatch):
  monkeypatch.setattr(loaders, '_made', os._exit)
  iterator = pipeline.batches(
    config_of(folder, **{'data.loader': 'processes'}), num_devices=1
  )
  with pytest.raises(RuntimeError, match='for want of memory'):
    next(iterator)


def test_unequal_examples_are_explained(folder, loader):
  config = config_of(folder, **{'data.loader': loader, 'data.ops': 'flip'})
  with pytest.raises(ValueError, match='data.ops needs a crop'):
    take(config, 1)


def test_a_file_that_vanishes_is_replaced_and_logged_once(
  folder, loader, monkeypatch, capfd
):
  lines = []
  monkeypatch.setattr(
    absl_logging, 'error', lambda text, *args: lines.append(text % args)
  )
  config = config_of(
    folder,
    **{'data.loader': loader, 'data.cache_mb': 0, 'data.ops': 'center_crop(8)'},
  )
  whole = take(config, 5)
  iterator = pipeline.batches(config, num_devices=1)
  victim = (
    sources.split(sources.load(f'folder:{folder}'), 'train', 0.2)
    .entries[2]
    .name
  )
  (folder / victim).unlink()
  taken = [next(iterator)['image'][0] for _ in range(5)]
  iterator.close()
  if loader == 'processes':  # each of them logs for itself
    lines = [capfd.readouterr().err]
  assert len(lines) == 1 and victim in lines[0]
  same = [
    np.array_equal(a, b)
    for one, other in zip(taken, whole)
    for a, b in zip(one, other['image'])
  ]
  assert 0 < same.count(False) < 10  # only what showed the victim


def test_a_folder_that_vanishes_ends_the_run(folder):
  iterator = pipeline.batches(
    config_of(folder, **{'data.cache_mb': 0}), num_devices=1
  )
  for path in folder.iterdir():
    path.unlink()
  with pytest.raises(sources.Unreadable, match='is it still there'):
    for _ in range(4):
      next(iterator)


def test_without_tensorflow_one_line_names_what_does_without(
  folder, monkeypatch
):
  monkeypatch.setitem(sys.modules, 'tensorflow', None)
  with pytest.raises(ValueError, match=r'data\.loader=threads.*tensorflow'):
    take(config_of(folder, **{'data.loader': 'tf'}), 1)


def test_threads_need_no_tensorflow(folder):
  """Nor JAX, once the number of devices is given."""
  code = f"""
      import sys
      for name in 'tensorflow', 'tensorflow_datasets', 'jax':
        sys.modules[name] = None  # importing it raises ImportError
      import ml_collections
      from artjax.data import pipeline
      config = ml_collections.ConfigDict(dict(
          seed=3, batch_size=8, data=dict(
              source='folder:{folder}', ops={OPS!r}, validation=0.2,
              min_size=32, loader='threads', workers=2, cache_mb=16,
              prefetch=2)))
      batches = pipeline.batches(config, num_devices=2)
      print(next(batches)['image'].sum())
      """
  run = subprocess.run(
    [sys.executable, '-W', 'error', '-c', textwrap.dedent(code)],
    capture_output=True,
    text=True,
  )
  assert run.returncode == 0, run.stderr
  assert int(run.stdout) == take(config_of(folder), 1)[0]['image'].sum()


def test_closing_ends_the_threads(folder):
  import threading

  iterator = pipeline.batches(config_of(folder), num_devices=1)
  next(iterator)
  assert any('pipeline' in t.name for t in threading.enumerate())
  iterator.close()
  assert not any('pipeline' in t.name for t in threading.enumerate())
