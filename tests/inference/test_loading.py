"""Weights of files, runs and blends."""

import functools
import json

from conftest import random_params
from conftest import tiny_config
import numpy as np
import pytest

from artjax import registry
from artjax.inference import colorizer
from artjax.inference import loading
from artjax.inference import network
from artjax.inference import weights
from artjax.interop import safetensors_io

CONFIG = tiny_config()


@functools.cache
def params():
  return random_params(registry.model(CONFIG), 0.01)


def test_loads_weights_files_and_names_misfits(tmp_path):
  path = str(tmp_path / 'w.safetensors')
  safetensors_io.save(path, params(), CONFIG)
  restorer = network.Restorer.load(path)
  assert restorer.config.model.name == CONFIG.model.name
  assert safetensors_io.sha256(restorer.params) == safetensors_io.sha256(
    params()
  )
  other = tiny_config(**{'model.args.features': (8, 24)})
  safetensors_io.save(path, params(), other)
  with pytest.raises(ValueError, match='do not fit the model'):
    network.Restorer.load(path)


def test_missing_weights_are_named(tmp_path):
  with pytest.raises(FileNotFoundError, match='gone.safetensors'):
    network.Restorer.load(str(tmp_path / 'gone.safetensors'))


def test_names_are_those_of_the_shipped_weights():
  assert weights.find('unet').endswith('pretrained/unet.safetensors')
  with pytest.raises(FileNotFoundError, match='one of: .*unet'):
    weights.find('nonsense')


def test_a_changed_file_is_not_that_of_its_manifest(tmp_path):
  path = tmp_path / 'w.safetensors'
  safetensors_io.save(str(path), params(), CONFIG)
  manifest = {'w.safetensors': {'sha256': safetensors_io.file_sha256(path)}}
  (tmp_path / 'manifest.json').write_text(json.dumps(manifest))
  network.Restorer.load(str(path))
  safetensors_io.save(str(path), params(), CONFIG, step=1)
  with pytest.raises(ValueError, match='its sha256 differs from that'):
    network.Restorer.load(str(path))


def saved(folder, name, spread, **overrides):
  """Path and weights of a new file."""
  config, path = tiny_config(**overrides), str(folder / f'{name}.safetensors')
  values = random_params(registry.model(config), spread)
  safetensors_io.save(path, values, config)
  return path, values


def test_a_blend_is_the_mean_of_every_parameter(tmp_path):
  (a, ours), (b, theirs) = (saved(tmp_path, *x) for x in (('a', 1), ('b', 2)))
  mixed = network.Restorer.load(f'{a}:0.3+{b}:0.7')
  ours, theirs, mean = map(safetensors_io.flatten, (ours, theirs, mixed.params))
  assert list(mean) == list(ours)
  for name in mean:
    assert mean[name].dtype == np.float32
    np.testing.assert_allclose(
      mean[name], 0.3 * ours[name] + 0.7 * theirs[name], atol=1e-6
    )
  # Shares are a third of a whole, as far as they are written out.
  _, third = loading.load(f'{a}:.333+{a}:.333+{a}:.334')
  np.testing.assert_allclose(
    safetensors_io.flatten(third)['stem_in/bias'],
    ours['stem_in/bias'],
    rtol=1e-6,
  )
  _, whole = loading.load(f'{a}:1+{b}:0')
  assert safetensors_io.sha256(whole) == safetensors_io.sha256(
    safetensors_io.unflatten(ours)
  )


def test_shares_that_are_none_and_networks_that_differ_are_named(tmp_path):
  a, _ = saved(tmp_path, 'a', 1)
  b, _ = saved(tmp_path, 'b', 1, **{'model.args.features': (8, 24)})
  for blend in (f'{a}:0.3+{a}:0.6', f'{a}:1.5+{a}:-0.5', f'{a}:0.3'):
    with pytest.raises(ValueError, match=r'a\.safetensors.*sum to 1'):
      loading.load(blend)
  with pytest.raises(
    ValueError,
    match='a.safetensors is restore unet.*8, 16.*'
    'b.safetensors is restore unet.*8, 24',
  ) as e:
    loading.load(f'{a}:0.5+{b}:0.5')
  assert '\n' not in str(e.value)
  with pytest.raises(FileNotFoundError, match='gone: no such weights'):
    loading.load(f'{a}:0.5+gone:0.5')


def test_a_blend_of_paths_with_every_mark_in_them(tmp_path):
  folder = tmp_path / "it's a,b+c:d"
  folder.mkdir()
  (a, ours), (b, theirs) = (saved(folder, *x) for x in (('a,', 1), ('b+', 2)))
  _, mean = loading.load(f'{a}:0.25+{b}:0.75')
  name = 'stem_in/bias'
  np.testing.assert_allclose(
    safetensors_io.flatten(mean)[name],
    0.25 * safetensors_io.flatten(ours)[name]
    + 0.75 * safetensors_io.flatten(theirs)[name],
    rtol=1e-6,
  )


def test_the_task_says_what_runs_its_weights():
  assert type(loading.restorer('colorize')) is colorizer.Colorizer
  assert type(loading.restorer('unet')) is network.Restorer


def test_the_package_offers_what_most_need():
  from artjax import inference

  assert inference.restorer is loading.restorer
  assert inference.Restorer is network.Restorer
  with pytest.raises(AttributeError, match="no attribute 'Restore'"):
    _ = inference.Restore
