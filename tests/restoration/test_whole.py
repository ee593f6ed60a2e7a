"""Chains are measured as they restore files."""

from conftest import detector
from conftest import random_params
from conftest import tiny_config
import numpy as np
import pytest

from artjax import atomic_files
from artjax import main
from artjax import registry
from artjax.image_io import reader
from artjax.interop import safetensors_io
from artjax.restoration import restore_file
from artjax.restoration import whole
from artjax.restoration.chain import Chain


@pytest.fixture(scope='module')
def weights(tmp_path_factory):
  """'restore,restore', and the name of a detector."""
  folder = tmp_path_factory.mktemp('weights')
  config = tiny_config(task='restore')
  for name, scale in (('a', 0.01), ('b', 0.02)):
    params = random_params(registry.model(config), scale, 3)
    safetensors_io.save(folder / f'{name}.safetensors', params, config)
  config, params = detector()
  safetensors_io.save(folder / 'find.safetensors', params, config)
  return (
    f'{folder}/a.safetensors,{folder}/b.safetensors',
    f'{folder}/find.safetensors',
  )


def test_a_picture_in_memory_becomes_what_its_file_becomes(weights, tmp_path):
  picture = np.random.default_rng(0).integers(0, 256, [40, 56, 3], np.uint8)
  source, result = str(tmp_path / 'a.png'), str(tmp_path / 'b.png')
  atomic_files.write_picture(source, picture)
  restore_file.restore_file(
    source, Chain(weights[0]), restore_file.Outputs(result)
  )
  with reader.open_picture(result) as found:
    wanted = np.rint(255 * found.read(0, 0, 40, 56))
  _, (restorer,) = whole.load(weights[0])
  made = restorer(picture)
  assert made.dtype == np.uint8 and (made != picture).mean() > 0.1
  np.testing.assert_array_equal(made, wanted)


def test_chains_are_loaded_where_one_is_named(weights):
  config = tiny_config(task='restore')
  names, (restorer,) = main.load(config, weights[0])
  assert names == f'{config.model.name}, {config.model.name}'
  assert isinstance(restorer, whole.Whole)
  name, restorers = main.load(config, weights[0].partition(',')[0])
  assert name == config.model.name
  assert not isinstance(restorers[0], whole.Whole)
  with pytest.raises(ValueError, match='as the task restore, not detect'):
    main.load(tiny_config(task='detect'), weights[0])
  with pytest.raises(ValueError, match='makes no picture'):
    whole.load(weights[1])
