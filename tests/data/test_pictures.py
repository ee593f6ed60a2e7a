"""Which whole pictures an evaluation sees, and in which state."""

from absl import logging as absl_logging
import cv2
import numpy as np
from pipelines import assert_equal
from pipelines import config_of
from pipelines import take

from artjax.data import pipeline


def test_pictures_are_whole_named_and_in_order(folder):
  config = config_of(folder, **{'eval.split': 'all'})
  pictures = pipeline.pictures(config)
  assert len(pictures) == 13
  examples = list(pictures)
  assert [x['name'] for x in examples] == [f'{i:02d}.png' for i in range(13)]
  assert [x['image'].shape for x in examples] == [
    (40 + i, 56, 3) for i in range(13)
  ]
  assert set(examples[0]) == {'name', 'image', 'target'}
  assert_equal(
    [{'x': x['image']} for x in pictures], [{'x': x['image']} for x in examples]
  )  # a second time
  later = pipeline.pictures(config, start=11)
  assert [x['name'] for x in later] == ['11.png', '12.png']
  assert len(later) == 2


def test_which_pictures_are_evaluated(folder):
  config = config_of(folder)
  held_out = {x['name'] for x in pipeline.pictures(config)}
  train = {
    x['name']
    for x in pipeline.pictures(config_of(folder, **{'eval.split': 'train'}))
  }
  assert held_out and train and not held_out & train
  assert len(held_out | train) == 13
  config.eval.source = f'folder:{folder}'
  assert len(pipeline.pictures(config)) == 13
  config.eval.split = 'validation'
  assert {x['name'] for x in pipeline.pictures(config)} == held_out


def test_damage_of_a_picture_does_not_depend_on_the_others(folder):
  config = config_of(
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
  pictures = pipeline.pictures(config_of(folder, **{'eval.split': 'all'}))
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
  config = config_of(
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
  batches = take(config, 2, num_devices=4)
  for batch in batches:
    assert batch['image'].shape == (8, 16, 16, 3)
    np.testing.assert_array_equal(
      batch['target'], batch['image'].repeat(4, 1).repeat(4, 2)
    )
  assert_equal(take(config, 1, start_step=1), batches[1:])
  pictures = list(pipeline.pictures(config))
  assert [x['image'].shape[:2] for x in pictures] == [
    (33, 40 + i) for i in range(6)
  ]
  for x in pictures:
    np.testing.assert_array_equal(
      x['target'], x['image'].repeat(4, 0).repeat(4, 1)
    )
