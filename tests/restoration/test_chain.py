"""Chains of stages: what goes together, what has no effect, sizes that grow."""

import copy
import dataclasses

from conftest import detector
from conftest import random_params
from conftest import tiny_config
import cv2
import ml_collections
import numpy as np
import pytest

from artjax import damage_classes
from artjax import registry
from artjax.inference import weights
from artjax.interop import safetensors_io
from artjax.restoration import chain as chain_lib
from artjax.restoration import restore_file
from artjax.restoration import stages
from artjax.restoration.options import Options

SIZE = 40, 56


def network(task, name, channels=3, **args):
  """(config, weights) of another."""
  config = tiny_config(task=task)
  config.model.name = name
  config.model.args = ml_collections.ConfigDict(args)
  return config, random_params(registry.model(config), 0.01, channels)


@pytest.fixture(scope='module')
def names(tmp_path_factory):
  """{name: path} of tiny weights."""
  made = {
    'detect': detector(),
    'large': network(
      'restore', 'srvgg.SRVGGNetCompact', scale=2, features=6, convs=2
    ),
    'inpaint': network(
      'inpaint',
      'inpaint.GatedUNet',
      4,
      features=(8, 8, 8),
      blocks=(1, 1),
      dilations=(1, 2),
    ),
  }
  folder = tmp_path_factory.mktemp('weights')
  for name, (config, params) in made.items():
    safetensors_io.save(folder / f'{name}.safetensors', params, config)
  return {name: str(folder / f'{name}.safetensors') for name in made}


@pytest.fixture(scope='module')
def load(names):
  """Chain of names joined by commas."""
  loaded = {}

  def get(text):
    if text not in loaded:
      loaded[text] = chain_lib.Chain([names[n] for n in text.split(',')])
    return loaded[text]

  return get


@pytest.fixture
def source(tmp_path):
  small = np.random.default_rng(0).integers(0, 256, [6, 7, 3], np.uint8)
  picture = cv2.resize(small, SIZE[::-1], interpolation=cv2.INTER_CUBIC)
  path = str(tmp_path / 'a.png')
  assert cv2.imwrite(path, picture)
  return path


def read(path):
  return cv2.imread(str(path), cv2.IMREAD_UNCHANGED)


# A threshold at which the detector above finds some of the picture.
OPTIONS = Options(mask_threshold=0.5, mask_min_area=0, mask_dilate=0)


def test_what_is_enlarged_is_searched_and_filled_at_its_size(
  tmp_path, load, source
):
  outputs = restore_file.Outputs(
    str(tmp_path / 'o.png'),
    mask=str(tmp_path / 'm.png'),
    damage_map=str(tmp_path / 'd.png'),
  )
  record = restore_file.restore_file(
    source, load('large,detect,inpaint'), outputs, OPTIONS
  )
  double = tuple(2 * side for side in SIZE)
  assert record['scale'] == 2 and record['size'] == [*SIZE[::-1]]
  for path in (outputs.picture, outputs.mask, outputs.damage_map):
    assert read(path).shape[:2] == double
  hole = read(outputs.mask) > 0
  assert record['filled'] == pytest.approx(hole.mean(), abs=1e-6)
  assert 0 < hole.mean() < 1
  # It is what the enlarged picture's own map says.
  large = restore_file.Outputs(str(tmp_path / 'large.png'))
  restore_file.restore_file(source, load('large'), large)
  alone = restore_file.Outputs('', damage_map=str(tmp_path / 'd2.png'))
  restore_file.restore_file(large.picture, load('detect'), alone, OPTIONS)
  difference = read(alone.damage_map).astype(int) - read(outputs.damage_map)
  assert np.abs(difference).max() <= 3  # the file has 8 bits


def test_what_is_filled_is_never_left_as_it_was(tmp_path, load, source):
  outputs = restore_file.Outputs(str(tmp_path / 'o.png'))
  options = dataclasses.replace(OPTIONS, least_change=1e6)
  record = restore_file.restore_file(
    source, load('detect,inpaint'), outputs, options
  )
  assert record['filled'] > 0 and record['change_mean_ciede2000'] > 0
  assert (read(outputs.picture) != read(source)).any()


def test_a_mask_and_a_region_of_the_small_picture_grow_with_it(
  tmp_path, load, source
):
  mask = np.zeros(SIZE, np.uint8)
  mask[4:12, 6:20] = 255
  assert cv2.imwrite(str(tmp_path / 'given.png'), mask)
  outputs = restore_file.Outputs(
    str(tmp_path / 'o.png'), mask=str(tmp_path / 'm.png')
  )
  options = Options(mask_threshold=0.999, region=(8, 0, 10, 40))
  restore_file.restore_file(
    source,
    load('large,detect,inpaint'),
    outputs,
    options,
    str(tmp_path / 'given.png'),
  )
  want = np.zeros(SIZE, bool)
  want[4:12, 8:18] = True
  np.testing.assert_array_equal(
    read(outputs.mask) > 0, want.repeat(2, 0).repeat(2, 1)
  )


def test_what_only_finds_writes_its_map_and_no_picture(tmp_path, load, source):
  outputs = restore_file.Outputs(
    '',
    mask=str(tmp_path / 'out' / 'm.png'),
    damage_map=str(tmp_path / 'out' / 'd.png'),
    report=str(tmp_path / 'out' / 'r.json'),
  )
  record = restore_file.restore_file(source, load('detect'), outputs, OPTIONS)
  assert record['output'] == outputs.damage_map
  assert record['output_sha256'] == safetensors_io.file_sha256(
    outputs.damage_map
  )
  assert sorted(p.name for p in (tmp_path / 'out').iterdir()) == [
    'd.png',
    'm.png',
    'r.json',
  ]
  assert 'change_mean_ciede2000' not in record and not record['notices']
  mask = lambda: (read(outputs.mask) > 0).mean()
  share = record['damage']['share']
  assert mask() <= share['crack'] + share['loss'] + 1e-6
  every = dataclasses.replace(OPTIONS, kinds=tuple(damage_classes.KINDS))
  restore_file.restore_file(source, load('detect'), outputs, every)
  assert mask() == pytest.approx(share['any'], abs=1e-6)
  for wrong in (
    restore_file.Outputs(str(tmp_path / 'o.png')),
    restore_file.Outputs('', str(tmp_path / 'c.png'), damage_map='d.png'),
  ):
    with pytest.raises(ValueError, match='makes no picture: what it finds is'):
      restore_file.restore_file(source, load('detect'), wrong, OPTIONS)
  with pytest.raises(ValueError, match='no output is named'):
    restore_file.restore_file(source, load('large'), restore_file.Outputs(''))


def test_what_makes_no_difference_is_said(load, names):
  detect, large = load('detect'), load('detect,large')
  path = names['detect']
  assert detect.notices(Options()) == []
  assert detect.notices(Options(strength=0.5)) == [
    f'strength has no effect on {path}'
  ]
  # This one sees a picture once, so the mean of 8 is another map.
  assert detect.notices(Options(self_ensemble=True)) == []
  detect.restorers[0].views = 8
  assert detect.notices(Options(self_ensemble=True)) == [
    f'self_ensemble has no effect on {path}'
  ]
  (notice,) = large.notices(Options(strength=0.5))
  assert notice.startswith(f'the damage that {path} finds is not used: put')
  assert large.notices(Options(), map_is_saved=True) == []
  guided = copy.copy(large)
  found, other = large.stages
  stains = stages.Stains(weights.single('stains'), other.restorer)
  guided.stages = [found, stains]
  assert guided.notices(Options()) == []
  assert load('detect,inpaint').notices(Options(mask_dilate=5)) == []
  assert load('inpaint').notices(Options(mask_dilate=5, tile=64)) == [
    f'mask_dilate has no effect on {names["inpaint"]}'
  ]


def test_what_makes_no_difference_is_on_record(tmp_path, load, source):
  outputs = restore_file.Outputs(str(tmp_path / 'o.png'))
  record = restore_file.restore_file(
    source, load('detect,large'), outputs, OPTIONS
  )
  assert any('finds is not used' in notice for notice in record['notices'])


def test_a_filler_wants_to_be_told_where(load, names):
  chain = load('inpaint')
  chain.check(Options(), mask='m.png')
  chain.check(Options(region=(0, 0, 9, 9)))
  with pytest.raises(ValueError, match='give a mask, or put weights that find'):
    chain.check(Options())
  with pytest.raises(ValueError, match='does not fill: it cannot use a mask'):
    load('large').check(Options(), mask='m.png')


def test_sizes_of_what_each_stage_sees(load):
  assert load('large,detect,inpaint').sizes(10, 20) == [
    (10, 20),
    (20, 40),
    (20, 40),
    (20, 40),
  ]
