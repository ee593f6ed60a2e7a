"""The same batch at step k whatever happens: restarts, workers, devices."""

import os
import subprocess
import sys
import textwrap

from absl import logging as absl_logging
import cv2
import ml_collections
import numpy as np
import pytest

from artjax import registry
from artjax.data import loaders
from artjax.data import pipeline
from artjax.data import sources

OPS = (
  'random_crop(24)|flip|rotate90|copy("image", "target")|keep("image", '
  '"target", "mask")'
)


def _write(path, seed, height=40, width=56):
  picture = np.random.default_rng(seed).integers(
    0, 256, (height, width, 3), np.uint8
  )
  path.write_bytes(cv2.imencode('.png', picture)[1].tobytes())


@pytest.fixture
def folder(tmp_path):
  """13 pictures of different sizes."""
  root = tmp_path / 'pictures'
  root.mkdir()
  for i in range(13):
    _write(root / f'{i:02d}.png', i, 40 + i)
  return root


def _config(folder, **changes):
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


def _take(config, count, **arguments):
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


def _assert_equal(one, other):
  assert len(one) == len(other) > 0
  for a, b in zip(one, other):
    assert list(a) == list(b)
    for key in a:
      assert a[key].dtype == b[key].dtype
      np.testing.assert_array_equal(a[key], b[key])


@pytest.fixture(params=['threads', 'tf', 'processes'])
def loader(request):
  return request.param


def test_batches_have_the_shapes_of_the_contract(folder, loader):
  iterator = pipeline.batches(
    _config(folder, **{'data.loader': loader}), num_devices=4
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

  iterator = pipeline.batches(_config(folder))
  assert len(next(iterator)['image']) == jax.local_device_count() == 4
  iterator.close()


def test_restart_continues_with_the_same_batches(folder, loader):
  config = _config(folder, **{'data.loader': loader})
  whole = _take(config, 6)
  assert not np.array_equal(whole[0]['image'], whole[1]['image'])
  _assert_equal(_take(config, 3, start_step=3), whole[3:])


def test_drivers_and_worker_counts_give_the_same(folder):
  expected = _take(_config(folder, **{'data.workers': 1}), 4, start_step=5)
  for loader in 'tf', 'threads', 'processes':
    for workers, prefetch in ((0, 1), (3, 4)):
      config = _config(
        folder,
        **{
          'data.loader': loader,
          'data.workers': workers,
          'data.prefetch': prefetch,
        },
      )
      _assert_equal(_take(config, 4, start_step=5), expected)


def test_devices_and_processes_divide_the_same_global_batch(folder):
  config = _config(folder)
  expected = _take(config, 3)
  _assert_equal(_take(config, 3, num_devices=4), expected)
  shares = [
    _take(config, 3, num_devices=2, process_index=i, process_count=2)
    for i in range(2)
  ]
  joined = [
    {key: np.concatenate([a[key], b[key]]) for key in a}
    for a, b in zip(*shares)
  ]
  _assert_equal(joined, expected)


def test_build_is_pure_and_depends_on_seed_and_index(folder):
  config = _config(folder)
  build, again = pipeline.builder(config), pipeline.builder(config)
  examples = [build(i) for i in range(40)]
  _assert_equal([again(i) for i in reversed(range(40))], examples[::-1])
  for path in sorted(folder.iterdir())[1:]:
    path.unlink()
  # One picture and so one order: what differs is drawn by the ops.
  for arguments in {'seed': 3}, {'seed': 4}:
    build = pipeline.builder(
      _config(folder, **arguments, **{'data.validation': 0.0})
    )
    examples.append([build(i)['image'] for i in range(4)])
  three, four = examples[-2:]
  assert not np.array_equal(three, four)
  assert not np.array_equal(three[0], three[1])


def test_every_epoch_shows_every_training_picture_once(folder):
  train = sources.split(sources.load(f'folder:{folder}'), 'train', 0.2)
  means = {round(float(train[i]['image'].mean()), 4) for i in range(len(train))}
  build = pipeline.builder(_config(folder, **{'data.ops': ''}))
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
  made = pipeline.builder(_config(folder))(0)
  assert list(made) == ['image'] and made['image'].dtype == np.uint8
  np.testing.assert_array_equal(
    made['image'].ravel()[:6], [0, 0, 0, 1, 255, 255]
  )


def test_old_painting_passes_through(folder):
  ops = (
    'random_scale_crop(32)|copy("image", "target")|'
    'old_painting((0.0, 1.0))|keep("image", "target", "mask")'
  )
  (batch,) = _take(_config(folder, **{'data.ops': ops}), 1)
  assert batch['image'].shape == batch['mask'].shape == (8, 32, 32, 3)
  assert not np.array_equal(batch['image'], batch['target'])


@pytest.mark.parametrize(
  'changes, devices, message',
  [
    ({'batch_size': 6}, 4, 'batch_size=6 does not divide by 4 devices'),
    ({'data.loader': 'torch'}, 1, "'torch' is none of tf, threads, processes"),
    ({'data.ops': 'random_crp(8)'}, 1, 'did you mean random_crop'),
    ({'data.validation': 1.0}, 1, 'train part'),
  ],
)
def test_configs_that_cannot_work_fail_at_once(
  folder, changes, devices, message
):
  with pytest.raises(ValueError, match=message):
    pipeline.batches(_config(folder, **changes), num_devices=devices)


def test_failing_ops_name_the_picture_and_themselves(folder, loader):
  config = _config(
    folder,
    **{'data.loader': loader, 'data.ops': 'mod_crop(41)|random_crop(24)'},
  )
  with pytest.raises(ValueError, match=r"mod_crop\(41\) failed on .*'00.png'"):
    _take(config, 3, split='all')


def test_a_worker_that_dies_is_an_error(folder, monkeypatch):
  monkeypatch.setattr(loaders, '_made', os._exit)
  iterator = pipeline.batches(
    _config(folder, **{'data.loader': 'processes'}), num_devices=1
  )
  with pytest.raises(RuntimeError, match='for want of memory'):
    next(iterator)


def test_unequal_examples_are_explained(folder, loader):
  config = _config(folder, **{'data.loader': loader, 'data.ops': 'flip'})
  with pytest.raises(ValueError, match='data.ops needs a crop'):
    _take(config, 1)


def test_a_file_that_vanishes_is_replaced_and_logged_once(
  folder, loader, monkeypatch, capfd
):
  lines = []
  monkeypatch.setattr(
    absl_logging, 'error', lambda text, *args: lines.append(text % args)
  )
  config = _config(
    folder,
    **{'data.loader': loader, 'data.cache_mb': 0, 'data.ops': 'center_crop(8)'},
  )
  whole = _take(config, 5)
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
    _config(folder, **{'data.cache_mb': 0}), num_devices=1
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
    _take(_config(folder, **{'data.loader': 'tf'}), 1)


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
  assert int(run.stdout) == _take(_config(folder), 1)[0]['image'].sum()


def test_pictures_are_whole_named_and_in_order(folder):
  config = _config(folder, **{'eval.split': 'all'})
  pictures = pipeline.pictures(config)
  assert len(pictures) == 13
  examples = list(pictures)
  assert [x['name'] for x in examples] == [f'{i:02d}.png' for i in range(13)]
  assert [x['image'].shape for x in examples] == [
    (40 + i, 56, 3) for i in range(13)
  ]
  assert set(examples[0]) == {'name', 'image', 'target'}
  _assert_equal(
    [{'x': x['image']} for x in pictures], [{'x': x['image']} for x in examples]
  )  # a second time
  later = pipeline.pictures(config, start=11)
  assert [x['name'] for x in later] == ['11.png', '12.png']
  assert len(later) == 2


def test_which_pictures_are_evaluated(folder):
  config = _config(folder)
  held_out = {x['name'] for x in pipeline.pictures(config)}
  train = {
    x['name']
    for x in pipeline.pictures(_config(folder, **{'eval.split': 'train'}))
  }
  assert held_out and train and not held_out & train
  assert len(held_out | train) == 13
  config.eval.source = f'folder:{folder}'
  assert len(pipeline.pictures(config)) == 13
  config.eval.split = 'validation'
  assert {x['name'] for x in pipeline.pictures(config)} == held_out


def test_damage_of_a_picture_does_not_depend_on_the_others(folder):
  config = _config(
    folder,
    **{'eval.split': 'all', 'eval.ops': 'random_crop(16)', 'data.workers': 3},
  )
  every = {x['name']: x['image'] for x in pipeline.pictures(config)}
  config.eval.max_pictures = 4
  some = list(pipeline.pictures(config))
  assert len(some) == 4 and some[-1]['name'] != '03.png'
  assert [x['name'] for x in some] == sorted(x['name'] for x in some)
  config.eval.max_pictures = 0
  (folder / '00.png').rename(folder / 'renamed.png')
  (folder / '01.png').unlink()
  moved = {x['name']: x['image'] for x in pipeline.pictures(config)}
  np.testing.assert_array_equal(moved.pop('renamed.png'), every['00.png'])
  for images in {x['name']: x['image'] for x in some}, moved:
    for name, image in images.items():
      np.testing.assert_array_equal(image, every[name])
  config.seed = 5
  assert any(
    not np.array_equal(x['image'], every.get(x['name']))
    for x in pipeline.pictures(config)
  )


def test_an_evaluation_goes_on_without_a_file_that_vanished(
  folder, monkeypatch
):
  lines = []
  monkeypatch.setattr(
    absl_logging, 'error', lambda text, *args: lines.append(text % args)
  )
  pictures = pipeline.pictures(_config(folder, **{'eval.split': 'all'}))
  (folder / '05.png').unlink()
  assert '05.png' not in [x['name'] for x in pictures]
  assert len(lines) == 1 and '05.png' in lines[0]


def test_pairs_of_two_sizes_make_batches_and_pictures(tmp_path, loader):
  for i in range(6):
    for side, factor in ('low', 1), ('high', 4):
      (tmp_path / side).mkdir(exist_ok=True)
      picture = np.random.default_rng(i).integers(
        0, 256, (33, 40 + i, 3), np.uint8
      )
      cv2.imwrite(
        str(tmp_path / side / f'{i}.png'),
        picture.repeat(factor, 0).repeat(factor, 1),
      )
  config = _config(
    tmp_path,
    **{
      'data.source': f'pairs:{tmp_path}/high,{tmp_path}/low',
      'data.loader': loader,
      'data.validation': 0.0,
      'eval.split': 'all',
      'data.ops': 'random_crop(64)|flip|rotate90|keep("image", "target")',
      'eval.ops': '',
    },
  )
  batches = _take(config, 2, num_devices=4)
  for batch in batches:
    assert batch['image'].shape == (8, 16, 16, 3)
    np.testing.assert_array_equal(
      batch['target'], batch['image'].repeat(4, 1).repeat(4, 2)
    )
  _assert_equal(_take(config, 1, start_step=1), batches[1:])
  pictures = list(pipeline.pictures(config))
  assert [x['image'].shape[:2] for x in pictures] == [
    (33, 40 + i) for i in range(6)
  ]
  for x in pictures:
    np.testing.assert_array_equal(
      x['target'], x['image'].repeat(4, 0).repeat(4, 1)
    )


def test_closing_ends_the_threads(folder):
  import threading

  iterator = pipeline.batches(_config(folder), num_devices=1)
  next(iterator)
  assert any('pipeline' in t.name for t in threading.enumerate())
  iterator.close()
  assert not any('pipeline' in t.name for t in threading.enumerate())
